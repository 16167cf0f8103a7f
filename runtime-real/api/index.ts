/** What can be asked of a node, what carries it out, and the ways in: HTTP, and calls between members. */
export { authenticate } from "./authenticate.ts";
export type { CallContext, Caller, Handlers } from "./dispatch.ts";
export type { EventSource } from "./event-stream.ts";
export { handlersFor } from "./handlers.ts";
export { ApiListenError } from "./listen.ts";
export { answerCall, decodeCallAnswer, encodeCall } from "./member-calls.ts";
export type { AnswerOf, CheckedRequestOf, ProcedureName, RequestOf } from "./procedures.ts";
export type { Served } from "./served.ts";
export { type ApiServer, startApi } from "./server.ts";
export { transferTarget } from "./transfer-target.ts";
