/**
 * What a log entry holds: a fixed prefix with what the leader knew of the world, then the client's request, byte for
 * byte.
 *
 *     offset  size
 *     0       1     version, 1
 *     1       8     wall clock of a quorum, milliseconds since 1970, big-endian double
 *     9       4     proposer's node id, big-endian
 *     13            request
 */

import { CLUSTER_LIMITS, type InvalidCommandRefusal } from "../domain/index.ts";
import type { CommandRequest } from "./command.ts";
import { InvalidCommand } from "./invalid.ts";
import { decodeRequest, knownRequest } from "./request-codec.ts";

const VERSION = 1;

/** Bytes that the stamp puts in front of a request. */
export const STAMP_BYTES = 13;

export interface EntryStamp {
  /** What the wall clocks of a quorum had reached: integer milliseconds since 1970, 0 to 8.64e15. */
  readonly wallMs: number;
  /** Node id of the leader that appended the entry; 0: unknown. */
  readonly proposer: number;
}

/** Either a stamped request, or why there is none. Frozen. */
export type DecodedEntry =
  | { readonly stamp: EntryStamp; readonly request: CommandRequest; readonly invalid?: never }
  | { readonly invalid: InvalidCommandRefusal; readonly stamp?: never; readonly request?: never };

// Simulated nodes share entries by reference: one decodes, all know. Keyed by the object, so entry data must not
// change once it is made.
const decodedEntries = new WeakMap<Uint8Array, DecodedEntry>();

/**
 * The data of the entry that carries `requestBytes`. A wall clock outside of the range, as a broken one may be,
 * counts as the nearest end of it.
 *
 * @throws RangeError when `proposer` is no node id: a defect of the caller.
 */
export function stampRequest(requestBytes: Uint8Array, stamp: EntryStamp): Uint8Array<ArrayBuffer> {
  if (!isNodeId(stamp.proposer)) throw new RangeError(`proposer ${stamp.proposer} is no node id`);
  const wallMs = Number.isNaN(stamp.wallMs)
    ? 0
    : Math.min(Math.max(Math.floor(stamp.wallMs), 0), CLUSTER_LIMITS.wallMs);

  const data = new Uint8Array(STAMP_BYTES + requestBytes.length);
  const view = new DataView(data.buffer);
  view.setUint8(0, VERSION);
  view.setFloat64(1, wallMs);
  view.setUint32(9, stamp.proposer);
  data.set(requestBytes, STAMP_BYTES);

  const request = knownRequest(requestBytes);
  if (request !== undefined) {
    const known = Object.freeze({ wallMs, proposer: stamp.proposer });
    decodedEntries.set(data, Object.freeze({ stamp: known, request }));
  }
  return data;
}

/**
 * What `data` holds. Never throws. Cheap when the same object has been decoded before; the bytes must not change
 * afterwards.
 */
export function decodeEntryData(data: Uint8Array): DecodedEntry {
  const known = decodedEntries.get(data);
  if (known !== undefined) return known;
  const decoded = decode(data);
  decodedEntries.set(data, decoded);
  return decoded;
}

function decode(data: Uint8Array): DecodedEntry {
  if (data.length < STAMP_BYTES) return invalid("entry", `must have at least ${STAMP_BYTES} bytes`);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  if (view.getUint8(0) !== VERSION) return invalid("entry.version", `must be ${VERSION}`);
  const wallMs = view.getFloat64(1);
  if (!Number.isInteger(wallMs) || wallMs < 0 || wallMs > CLUSTER_LIMITS.wallMs)
    return invalid("entry.wallMs", `must be an integer from 0 to ${CLUSTER_LIMITS.wallMs}`);
  const proposer = view.getUint32(9);
  if (!isNodeId(proposer)) return invalid("entry.proposer", `must be at most ${CLUSTER_LIMITS.nodeId}`);
  try {
    const request = decodeRequest(data.subarray(STAMP_BYTES));
    // Plus zero: negative zero is no other time than zero.
    return Object.freeze({ stamp: Object.freeze({ wallMs: wallMs + 0, proposer }), request });
  } catch (error) {
    if (error instanceof InvalidCommand) return invalid(error.field, error.message);
    throw error;
  }
}

function invalid(field: string, reason: string): DecodedEntry {
  return Object.freeze({ invalid: Object.freeze({ kind: "invalidCommand", field, reason }) });
}

function isNodeId(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= CLUSTER_LIMITS.nodeId;
}
