/** What can be asked of a node, what carries it out, and the ways in: HTTP, and calls between members. */
export { authenticate } from "./authenticate.ts";
export type { CallContext, Caller, Handlers } from "./dispatch.ts";
export { bestHeir, handlersFor, type Served } from "./handlers.ts";
export { answerCall, decodeCallAnswer, encodeCall } from "./member-calls.ts";
export type { AnswerOf, CheckedRequestOf, ProcedureName, RequestOf } from "./procedures.ts";
export { ApiListenError, type ApiServer, type EventSource, startApi } from "./server.ts";
