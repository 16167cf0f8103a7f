/**
 * The door of the real runtime. Light: a client command loads only what it needs. What a node needs (libp2p, SQLite,
 * the HTTP server) is loaded when a node starts.
 */

import type * as Images from "./images/index.ts";
import type * as Machines from "./machines/index.ts";
import type * as Recording from "./recording/index.ts";

export type { AnswerOf, ProcedureName, RequestOf } from "./api/index.ts";
export * from "./client/index.ts";
export * from "./errors/index.ts";
export type * from "./images/index.ts";
export type { HostDevice } from "./machines/index.ts";
export type { TransportKind } from "./network/index.ts";
export * from "./node/index.ts";
export { formatApiToken, formatJoinToken, InvalidToken, makeToken, type NewToken, parseToken } from "./tokens/index.ts";

/** What makes and keeps images: see images/image-store.ts. */
export const loadImages = async (): Promise<typeof Images> => await import("./images/index.ts");

/** What is known of the machines of a host: see machines/open-driver.ts. */
export const loadMachines = async (): Promise<Pick<typeof Machines, "devicesHere" | "knownKvm" | "machinesOf">> =>
  await import("./machines/index.ts");

/** What `openRecording` and `replay` do: see recording/replay.ts. */
export const loadRecording = async (): Promise<Pick<typeof Recording, "openRecording" | "replay">> =>
  await import("./recording/index.ts");
