/**
 * The chunks of a snapshot that is being received. They are kept when the leader changes: a new leader with the same
 * snapshot continues where the former stopped.
 */
import { NOBODY, type NodeId, type SnapshotMeta } from "./records.ts";

/** A snapshot of which all chunks are here, or the chunk that is wanted next. */
export type Assembled = { readonly chunks: readonly Uint8Array[]; readonly from: NodeId } | { readonly wanted: number };

interface Incoming {
  readonly meta: SnapshotMeta;
  readonly chunks: Uint8Array[];
  /** Whose chunks they are; NOBODY once there is more than one sender. */
  readonly from: NodeId;
}

export class SnapshotAssembly {
  #incoming: Incoming | null = null;

  /** Takes a chunk, in whatever order they come. A complete snapshot is handed out once, and forgotten. */
  add(meta: SnapshotMeta, sequence: number, bytes: Uint8Array, from: NodeId): Assembled {
    const incoming = this.#continued(meta, from);
    const { chunks } = incoming;
    if (sequence === chunks.length && chunks.length < meta.chunkCount) chunks.push(bytes);
    if (chunks.length < meta.chunkCount) {
      this.#incoming = incoming;
      return { wanted: chunks.length };
    }
    this.#incoming = null;
    return { chunks, from: incoming.from };
  }

  #continued(meta: SnapshotMeta, from: NodeId): Incoming {
    const before = this.#incoming;
    if (before?.meta.digest !== meta.digest || before.meta.index !== meta.index) return { meta, chunks: [], from };
    // Another leader continues. If the whole has the wrong digest, neither of them can be blamed.
    return before.from === from ? before : { ...before, from: NOBODY };
  }

  capture() {
    return this.#incoming === null ? null : { ...this.#incoming, chunks: [...this.#incoming.chunks] };
  }

  restore(captured: ReturnType<SnapshotAssembly["capture"]>): void {
    this.#incoming = captured === null ? null : { ...captured, chunks: [...captured.chunks] };
  }
}
