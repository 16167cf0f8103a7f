/**
 * The door of the real runtime. What a client command needs is light and there at once; what a node needs (libp2p, SQLite, the HTTP server) is loaded
 * when a node starts.
 */

import type { joinCluster as JoinCluster, startNode as StartNode } from "./node-process.ts";
import type * as Recording from "./recording/index.ts";

export type { AnswerOf, ProcedureName, RequestOf } from "./api/index.ts";
export * from "./client/index.ts";
export { NodeStartError } from "./errors.ts";
export { DEFAULT_BIND, type NodeOptions, type TransportKind } from "./options.ts";
export { RecordingError } from "./recording-error.ts";
export type { NodeEnd, RunningNode } from "./running-node.ts";
export { formatApiToken, formatJoinToken, InvalidToken, makeToken, type NewToken, parseToken } from "./token-text.ts";
export { isWorkerDirectory } from "./worker-directory.ts";

export const startNode: typeof StartNode = async (options) =>
  await (await import("./node-process.ts")).startNode(options);
export const joinCluster: typeof JoinCluster = async (options) =>
  await (await import("./node-process.ts")).joinCluster(options);

/** What `openRecording` and `replay` do: see recording/replay.ts. */
export const loadRecording = async (): Promise<Pick<typeof Recording, "openRecording" | "replay">> =>
  await import("./recording/index.ts");
