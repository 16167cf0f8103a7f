/** A write of the core as a job for the storage thread. */
import { encodeEntry, encodeHardState, encodeSnapshotMeta, type Write } from "../../core/index.ts";
import type { WriteJob } from "./protocol.ts";

/** All frames in one buffer, which moves to the thread without a copy. */
export function jobOf({
  id,
  entries,
  snapshot,
  hardState,
}: Write): WriteJob & { readonly bytes: Uint8Array<ArrayBuffer> } {
  const frames: Uint8Array[] = [];
  const add = (frame: Uint8Array): number => {
    frames.push(frame);
    return frame.length;
  };
  const entryLengths = (entries ?? []).map((entry) => add(encodeEntry(entry)));
  const kept =
    snapshot === null
      ? null
      : {
          metaLength: add(encodeSnapshotMeta(snapshot.snapshot.meta)),
          chunkLengths: snapshot.snapshot.chunks.map(add),
          keepAfter: snapshot.keepAfter,
        };
  const hardStateLength = hardState === null ? null : add(encodeHardState(hardState));
  let size = 0;
  for (const { length } of frames) size += length;
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const frame of frames) {
    bytes.set(frame, at);
    at += frame.length;
  }
  const firstIndex = entries?.[0]?.index ?? null;
  return { kind: "write", id, bytes, firstIndex, entryLengths, snapshot: kept, hardStateLength, settings: null };
}
