/**
 * A captured node as bytes, for another process of the same version: replays that start in the middle, steps back,
 * exploration from one point. It is no format for disks: see the snapshot for that.
 */
import { TABLE_CONSTANTS } from "../cluster/index.ts";
import type { NodeState } from "./node.ts";
import { decodeValue, encodeValue } from "./value-bytes.ts";

export function encodeNodeState(state: NodeState): Uint8Array {
  return encodeValue(state, TABLE_CONSTANTS);
}

/** @throws when the bytes are not those of a captured node. */
export function decodeNodeState(bytes: Uint8Array): NodeState {
  const value = decodeValue(bytes, TABLE_CONSTANTS);
  if (!isNodeState(value)) throw new TypeError("the bytes hold something else than a captured node");
  return value;
}

/** As far as it is worth looking: who writes and who reads is one program. */
function isNodeState(value: unknown): value is NodeState {
  return typeof value === "object" && value !== null && "raft" in value && "applier" in value && "reports" in value;
}
