/**
 * Applies committed entries to the replicated state, in the order of the log, and says what became of each entry that
 * somebody on this node waits for.
 */
import { applyEntries, type ClusterState, decodeSnapshot, emptyState, LEVEL, type Touched } from "../cluster/index.ts";
import type { ApplyResult, CountLimits } from "../domain/index.ts";
import { type Entry, Halt, type Snapshot } from "../raft/index.ts";
import type { ProposalOrigin } from "./proposal-batch.ts";
import { isFinalConfiguration, isReplicated, replicatedEntry } from "./replicated-entry.ts";

/** An entry that has just been applied; results belong to commands alone. */
export interface AppliedEntry {
  readonly entry: Entry;
  readonly result: ApplyResult | null;
}

/** Who may wait for an entry: another member waits for it in its own log. */
export type LocalOrigin = Exclude<ProposalOrigin, { kind: "member" }>;

export interface Awaited {
  readonly origin: LocalOrigin;
  /** The term that the entry must have to be theirs. */
  readonly term: number;
}

/** Who is told. */
export interface ApplyListener {
  /** Before anybody is told what became of an entry. */
  stateChanged(state: ClusterState, touched: Touched): void;
  /** The entry at an awaited index is applied. It may be another than the one that was proposed. */
  reached(awaited: Awaited, entry: Entry, result: ApplyResult | null): void;
  /** A snapshot took the place of an awaited entry: what became of it is unknown. */
  skipped(origin: LocalOrigin): void;
  finalConfiguration(entry: Entry): void;
}

export class Applier {
  state: ClusterState;
  appliedIndex: number;
  /** The feature level of the build. */
  readonly level: number;
  #awaited = new Map<number, Awaited>();
  /** Decoded while its snapshot was checked. */
  #offered: ClusterState | null = null;

  /** @throws when the snapshot is damaged. */
  constructor({ meta, chunks }: Snapshot, limits: CountLimits, level: number = LEVEL) {
    this.level = level;
    this.state = meta.index === 0 ? emptyState(limits) : decodeSnapshot(chunks, limits);
    this.appliedIndex = meta.index;
  }

  /** Remembers who waits for the entry at `index`. */
  expect(index: number, awaited: Awaited): void {
    this.#awaited.set(index, awaited);
  }

  /** Applies the entries after `appliedIndex`. */
  apply(entries: readonly Entry[], listener: ApplyListener): readonly AppliedEntry[] {
    const replicated = entries.filter(isReplicated);
    let results: readonly (ApplyResult | null)[] = [];
    if (replicated.length > 0) {
      const outcome = applyEntries(this.state, replicated.map(replicatedEntry), this.level);
      this.state = outcome.state;
      results = outcome.results;
      listener.stateChanged(outcome.state, outcome.touched);
    }
    this.appliedIndex += entries.length;
    const applied: AppliedEntry[] = [];
    let at = 0;
    for (const entry of entries) {
      const result = isReplicated(entry) ? (results[at++] ?? null) : null;
      applied.push({ entry, result });
      const awaited = this.#awaited.get(entry.index);
      if (awaited !== undefined) {
        this.#awaited.delete(entry.index);
        listener.reached(awaited, entry, result);
      }
      if (isFinalConfiguration(entry)) listener.finalConfiguration(entry);
    }
    return applied;
  }

  /** Whether the content of a snapshot can be taken over. Keeps it for `install`. */
  offer(chunks: readonly Uint8Array[]): boolean {
    try {
      this.#offered = decodeSnapshot(chunks, this.state.limits);
      return true;
    } catch {
      return false;
    }
  }

  /** Goes on from the snapshot that was offered last, whose last entry is `index`. */
  install(index: number, listener: ApplyListener): void {
    if (this.#offered === null) throw new Halt("assertion failed: an installed snapshot was not decoded");
    this.state = this.#offered;
    this.#offered = null;
    this.appliedIndex = index;
    for (const [awaitedIndex, { origin }] of this.#awaited) {
      if (awaitedIndex > index) continue;
      this.#awaited.delete(awaitedIndex);
      listener.skipped(origin);
    }
  }

  capture() {
    return {
      level: this.level,
      state: this.state,
      appliedIndex: this.appliedIndex,
      awaited: new Map(this.#awaited),
      offered: this.#offered,
    };
  }

  restore(captured: ReturnType<Applier["capture"]>): void {
    this.state = captured.state;
    this.appliedIndex = captured.appliedIndex;
    this.#awaited = new Map(captured.awaited);
    this.#offered = captured.offered;
  }
}
