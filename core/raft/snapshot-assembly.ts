/**
 * The chunks of a snapshot that is being received. They are kept when the leader changes: a new leader with the same
 * snapshot continues where the former stopped.
 */
import { NOBODY, type NodeId, type SnapshotMeta } from "./records.ts";

/** A snapshot of which all chunks are here, or the chunk that is wanted next. */
export type Assembled = { readonly chunks: readonly Uint8Array[]; readonly from: NodeId } | { readonly wanted: number };

/** How many chunks are kept that have overtaken the one that is wanted: leaders send fewer at a time. */
const EARLY_MAX = 8;

interface Incoming {
  readonly meta: SnapshotMeta;
  readonly chunks: Uint8Array[];
  /** By number: those that came before the wanted one. */
  readonly early: Map<number, Uint8Array>;
  /** Whose chunks they are; NOBODY once there is more than one sender. */
  readonly from: NodeId;
}

export class SnapshotAssembly {
  #incoming: Incoming | null = null;

  /** Takes a chunk, in whatever order they come. A complete snapshot is handed out once, and forgotten. */
  add(meta: SnapshotMeta, sequence: number, bytes: Uint8Array, from: NodeId): Assembled {
    const incoming = this.#continued(meta, from);
    const { chunks, early } = incoming;
    if (sequence >= chunks.length && sequence < Math.min(chunks.length + EARLY_MAX, meta.chunkCount))
      early.set(sequence, bytes);
    for (let next = early.get(chunks.length); next !== undefined; next = early.get(chunks.length)) {
      early.delete(chunks.length);
      chunks.push(next);
    }
    if (chunks.length < meta.chunkCount) {
      this.#incoming = incoming;
      return { wanted: chunks.length };
    }
    this.#incoming = null;
    return { chunks, from: incoming.from };
  }

  #continued(meta: SnapshotMeta, from: NodeId): Incoming {
    const before = this.#incoming;
    if (before?.meta.digest !== meta.digest || before.meta.index !== meta.index)
      return { meta, chunks: [], early: new Map(), from };
    // Another leader continues. If the whole has the wrong digest, neither of them can be blamed.
    return before.from === from ? before : { ...before, from: NOBODY };
  }

  capture() {
    return this.#incoming === null ? null : copyOf(this.#incoming);
  }

  restore(captured: ReturnType<SnapshotAssembly["capture"]>): void {
    this.#incoming = captured === null ? null : copyOf(captured);
  }
}

function copyOf(incoming: Incoming): Incoming {
  return { ...incoming, chunks: [...incoming.chunks], early: new Map(incoming.early) };
}
