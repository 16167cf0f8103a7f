/** What it takes to ask a node something. Light: a command that only asks loads nothing else. */

export type { ConsoleView } from "../console-protocol/index.ts";
export { type ApiClient, type CallOptions, connectApi, type StreamedEvent } from "./client.ts";
export { ConnectError } from "./connect-error.ts";
export type { ConsoleNews, ConsoleStream } from "./console-stream.ts";
export type { ApiTarget } from "./http-targets.ts";
