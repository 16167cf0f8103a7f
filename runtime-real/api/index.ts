/** What can be asked of a node, and the ways in: HTTP, and calls between members. */
export type { CallContext, Caller, Handlers } from "./dispatch.ts";
export { answerCall, decodeCallAnswer, encodeCall } from "./member-calls.ts";
export type { AnswerOf, CheckedRequestOf, ProcedureName, RequestOf } from "./procedures.ts";
export { ApiListenError, type ApiServer, type EventSource, startApi } from "./server.ts";
