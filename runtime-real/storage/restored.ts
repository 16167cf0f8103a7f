/** What was stored, decoded and checked: the state from which a node starts. */
import {
  chainLink,
  decodeEntry,
  decodeHardState,
  decodeSnapshotMeta,
  type Entry,
  InvalidFrame,
  type Restored,
  snapshotDigest,
} from "../../core/index.ts";
import { sha256 } from "../identity/index.ts";
import type { Stored } from "./protocol.ts";
import { settingsFrom } from "./settings.ts";
import { damaged } from "./storage-error.ts";

const digests = { digest: sha256 };

/** @throws StorageError */
export function restoredFrom(path: string, stored: Stored): Restored {
  const settings = settingsFrom(path, stored.settings);
  const read = <Value>(what: string, decode: (frame: Uint8Array) => Value, frame: Uint8Array): Value => {
    try {
      return decode(frame);
    } catch (error) {
      if (error instanceof InvalidFrame) throw damaged(path, `${what}: ${error.message}`);
      throw error;
    }
  };
  const meta = read("the snapshot", decodeSnapshotMeta, stored.snapshotMeta);
  const { chunks } = stored;
  if (meta.chunkCount !== chunks.length)
    throw damaged(path, `the snapshot has ${chunks.length} chunks, not ${meta.chunkCount}`);
  // The first snapshot of a node has no contents and no digest.
  if (meta.chunkCount > 0 && snapshotDigest(digests, chunks) !== meta.digest)
    throw damaged(path, `the snapshot at ${meta.index} does not have its digest`);

  const entries: Entry[] = [];
  let previous: { index: number; chain: string } | null = null;
  for (const { index, frame } of stored.entries) {
    const entry = read(`entry ${index}`, decodeEntry, frame);
    if (entry.index !== index) throw damaged(path, `entry ${index} says that it is ${entry.index}`);
    if (index === meta.index + 1) previous = { index: meta.index, chain: meta.chain };
    // The chain digest before the first entry that a snapshot has left is not stored. The digest of the snapshot is
    // compared below, and covers those entries.
    if (
      previous !== null &&
      chainLink(digests, previous.chain, index, entry.term, entry.kind, entry.data) !== entry.chain
    )
      throw damaged(path, `entry ${index} does not continue the chain of digests`);
    if (index === meta.index && entry.chain !== meta.chain)
      throw damaged(path, `entry ${index} and the snapshot there do not agree`);
    previous = { index, chain: entry.chain };
    entries.push(entry);
  }
  const first = entries[0];
  if (first !== undefined && first.index > meta.index + 1)
    throw damaged(path, `entries ${meta.index + 1} to ${first.index - 1} are missing`);
  const { clusterId, incarnation } = settings;
  return {
    hardState: stored.hardState === null ? null : read("the hard state", decodeHardState, stored.hardState),
    snapshot: { clusterId, incarnation, meta, chunks },
    entries,
  };
}
