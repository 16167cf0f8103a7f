/**
 * Takes a node's own snapshots: decides when one is due, encodes it a chunk a step, so that the loop never stops for it, and has it stored with its last.
 * The state is immutable, so the node goes on meanwhile.
 */
import { type ClusterState, encodeSnapshot } from "../cluster/index.ts";
import {
  type Digest,
  type Entry,
  isJoint,
  type LineageLink,
  type PlacedConfiguration,
  type Raft,
  type RaftOptions,
  snapshotDigest,
} from "../raft/index.ts";

interface Encoding {
  readonly index: number;
  readonly term: number;
  readonly chain: Digest;
  readonly configuration: PlacedConfiguration;
  readonly lineage: readonly LineageLink[];
  readonly source: Generator<Uint8Array>;
  readonly chunks: Uint8Array[];
}

/** What an entry takes beside its data: index, term, chain. */
const ENTRY_BYTES = 64;

export class SnapshotTaker {
  readonly #raft: Raft;
  readonly #options: RaftOptions;
  #encoding: Encoding | null = null;
  /**
   * Of the entries applied since the last snapshot, or since this process began with it. The next one is due when they are as long as the snapshot itself: writing it
   * then costs as much as writing them did, however large the state has grown.
   */
  #bytesSince = 0;

  constructor(raft: Raft, options: RaftOptions) {
    this.#raft = raft;
    this.#options = options;
  }

  /** Wants another step at once. */
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
    this.#save(encoding);
  }

  #begin(state: ClusterState, appliedIndex: number): Encoding | null {
    const raft = this.#raft;
    const { index, sizeBytes } = raft.snapshot.meta;
    const every = index === 0 ? this.#options.snapshotAfterEntries : this.#options.snapshotEveryEntries;
    if (appliedIndex - index < every || this.#bytesSince < sizeBytes) return null;
    const committed = raft.configurations[0];
    const term = raft.log.termAt(appliedIndex);
    const chain = raft.log.chainAt(appliedIndex);
    if (committed === undefined || term === null || chain === null) return null;
    // A node that joined trusts a configuration from beyond its log until it gets there. And while a joint configuration is in force its entry is
    // still needed, to be endorsed; the final one follows at once.
    const configuration = raft.configurationAt(appliedIndex);
    if (committed.index > appliedIndex || isJoint(configuration.configuration)) return null;
    this.#bytesSince = 0;
    return {
      index: appliedIndex,
      term,
      chain,
      configuration,
      lineage: raft.lineage.filter((link) => link.jointIndex <= appliedIndex),
      source: encodeSnapshot(state, this.#options.snapshotChunkBytes),
      chunks: [],
    };
  }

  #save({ index, term, chain, configuration, lineage, chunks }: Encoding): void {
    const raft = this.#raft;
    const meta = {
      index,
      term,
      chain,
      configuration: configuration.configuration,
      configurationIndex: configuration.index,
      lineage,
      digest: snapshotDigest(raft.environment, chunks),
      chunkCount: chunks.length,
      sizeBytes: chunks.reduce((sum, chunk) => sum + chunk.length, 0),
    };
    const keepAfter = Math.max(
      raft.log.firstIndex - 1,
      Math.min(index - this.#options.snapshotTrailingEntries, raft.log.stableIndex),
    );
    raft.saveSnapshot({ clusterId: raft.clusterId, incarnation: raft.incarnation, meta, chunks }, keepAfter);
    raft.log.compactTo(keepAfter);
  }
}
