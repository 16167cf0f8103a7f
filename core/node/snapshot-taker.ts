/**
 * Takes a node's own snapshots: decides when one is due, encodes one chunk of it at each step, so that the loop never
 * stops for it, and has it stored after the last. The state is immutable, so the node goes on meanwhile.
 */
import { type ClusterState, encodeSnapshot } from "../cluster/index.ts";
import { mark } from "../marks.ts";
import type { Entry, Raft, RaftOptions, SnapshotBase } from "../raft/index.ts";

/** What it needs of consensus. */
type SnapshotRaft = Pick<Raft, "snapshot" | "snapshotBaseAt" | "compact">;

interface Encoding {
  readonly base: SnapshotBase;
  readonly state: ClusterState;
  readonly source: Generator<Uint8Array>;
  readonly chunks: Uint8Array[];
}

/** What an entry takes beside its data: index, term, chain. */
const ENTRY_BYTES = 64;

export class SnapshotTaker {
  readonly #raft: SnapshotRaft;
  readonly #options: RaftOptions;
  #encoding: Encoding | null = null;
  /**
   * Bytes of the entries applied since the last snapshot, or since this process began with it. The next one is due when
   * they are as long as the snapshot itself: writing it then costs as much as writing them did, however large the state
   * has grown.
   */
  #bytesSince = 0;

  constructor(raft: SnapshotRaft, options: RaftOptions) {
    this.#raft = raft;
    this.#options = options;
  }

  /** Whether it wants another step at once. */
  get isEncoding(): boolean {
    return this.#encoding !== null;
  }

  applied(entries: readonly Entry[]): void {
    for (const { data } of entries) this.#bytesSince += ENTRY_BYTES + data.length;
  }

  /** A snapshot of somebody else has been installed. */
  reset(): void {
    this.#encoding = null;
    this.#bytesSince = 0;
  }

  /** One chunk's work, if a snapshot is due or under way. */
  step(state: ClusterState, appliedIndex: number): void {
    this.#encoding ??= this.#begin(state, appliedIndex);
    const encoding = this.#encoding;
    if (encoding === null) return;
    const next = encoding.source.next();
    if (next.done !== true) {
      encoding.chunks.push(next.value);
      return;
    }
    this.#encoding = null;
    mark("snapshot/taken");
    this.#raft.compact(encoding.base, encoding.chunks);
  }

  #begin(state: ClusterState, appliedIndex: number): Encoding | null {
    const { index, sizeBytes } = this.#raft.snapshot.meta;
    const every = index === 0 ? this.#options.snapshotAfterEntries : this.#options.snapshotEveryEntries;
    if (appliedIndex - index < every || this.#bytesSince < sizeBytes) return null;
    const base = this.#raft.snapshotBaseAt(appliedIndex);
    if (base === null) {
      mark("snapshot/put-off-in-joint-phase");
      return null;
    }
    this.#bytesSince = 0;
    return { base, state, source: encodeSnapshot(state, this.#options.snapshotChunkBytes), chunks: [] };
  }

  capture() {
    const encoding = this.#encoding;
    return {
      bytesSince: this.#bytesSince,
      encoding: encoding === null ? null : { base: encoding.base, state: encoding.state, chunks: [...encoding.chunks] },
    };
  }

  /** The chunks of a snapshot under way are encoded once more: a generator that stands in its middle is no value. */
  restore(captured: ReturnType<SnapshotTaker["capture"]>): void {
    const { encoding } = captured;
    this.#bytesSince = captured.bytesSince;
    this.#encoding = null;
    if (encoding === null) return;
    const { base, state } = encoding;
    const source = encodeSnapshot(state, this.#options.snapshotChunkBytes);
    const chunks: Uint8Array[] = [];
    for (const [at] of encoding.chunks.entries()) {
      const next = source.next();
      if (next.done === true) throw new RangeError(`a snapshot under way has no chunk ${at}`);
      chunks.push(next.value);
    }
    this.#encoding = { base, state, source, chunks };
  }
}
