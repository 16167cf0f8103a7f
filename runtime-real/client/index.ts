/** What it takes to ask a node something. Light: a command that only asks loads nothing else. */
export {
  type ApiClient,
  type ApiTarget,
  type CallOptions,
  ConnectError,
  connectApi,
  type StreamedEvent,
} from "./client.ts";
