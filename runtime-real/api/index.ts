/** The procedures of a node, their handlers, and the ways to call them: over HTTP, and between members. */
export { authenticate } from "./authenticate.ts";
export type { CallContext } from "./call-context.ts";
export { type ConsoleSource, consoleSource } from "./console-source.ts";
export type { Handlers } from "./dispatch.ts";
export type { EventSource } from "./event-stream.ts";
export { handlersFor } from "./handlers.ts";
export { ApiListenError } from "./listen.ts";
export { answerCall, decodeCallAnswer, encodeCall } from "./member-calls.ts";
export type { AnswerOf, CheckedRequestOf, ProcedureName, RequestOf } from "./procedures.ts";
export type { Served } from "./served.ts";
export { type ApiServer, startApi } from "./server.ts";
export { transferTarget } from "./transfer-target.ts";
