/**
 * The replicated state after each committed entry that has events, as soon as one replica has come so far. Replicas
 * apply many entries at a time; what stands between two of them is folded here, from the committed entries. So an
 * event can be judged by the state right after its entry, and by the one right before it.
 *
 * Costs nothing beyond what the replica did when it has applied one entry, or entries without events.
 */
import {
  applyEntries,
  type ClusterState,
  type CountLimits,
  type Entry,
  emptyState,
  isReplicated,
  replicatedEntry,
} from "../../core/index.ts";
import type { CommittedLedger, LedgerReader } from "../oracles/index.ts";

export interface StateListener {
  /**
   * Entries have been applied; of those since the last call, only the last may have events: `entry`. Null: none has.
   */
  applied(state: ClusterState, entry: Entry | null): void;
  /** Entries are missing: from here on the history is not known. */
  lostTrack(): void;
}

export class EntryStates implements LedgerReader {
  readonly #listener: StateListener;
  /** Committed, and applied by no replica yet. */
  #pending: Entry[] = [];
  #state: ClusterState;
  #isLost = false;

  /** `limits`: those of the cluster. */
  constructor(ledger: Pick<CommittedLedger, "subscribe">, listener: StateListener, limits: CountLimits) {
    this.#listener = listener;
    this.#state = emptyState(limits);
    ledger.subscribe(this);
  }

  committedEntry(entry: Entry): void {
    if (!this.#isLost) this.#pending.push(entry);
  }

  skippedTo(): void {
    if (this.#isLost) return;
    this.#isLost = true;
    this.#pending = [];
    this.#listener.lostTrack();
  }

  /** A replica has this state, by entries or by a snapshot. It is newer than any before. */
  reached(state: ClusterState): void {
    if (this.#isLost) return;
    const entries = this.#takeUpTo(state.appliedIndex).filter(isReplicated);
    const [first] = entries;
    if (entries.length === 1 && first !== undefined) this.#tell(state, first);
    else this.#fold(entries, state);
  }

  #takeUpTo(index: number): readonly Entry[] {
    const pending = this.#pending;
    let count = 0;
    while (count < pending.length && (pending[count]?.index ?? 0) <= index) count += 1;
    return pending.splice(0, count);
  }

  /** `reached`: after the last of them, as the replica has made it. */
  #fold(entries: readonly Entry[], reached: ClusterState): void {
    let from = 0;
    const { chunks } = reached.events;
    const oldest = chunks[0]?.[0]?.index ?? Infinity;
    // The log of events may have forgotten some of those since: then each entry may have had one.
    const indexes =
      oldest > this.#state.appliedIndex + 1 && reached.events.total > reached.limits.events
        ? entries.map(({ index }) => index)
        : indexesAfter(chunks, this.#state.appliedIndex);
    for (const index of indexes) {
      let at = from;
      while ((entries[at]?.index ?? index) < index) at += 1;
      const entry = entries[at];
      if (entry?.index !== index)
        throw new RangeError(`an event is of entry ${index}, which is not known as committed`);
      if (at > from) this.#tell(this.#after(entries.slice(from, at)), null);
      this.#tell(at === entries.length - 1 ? reached : this.#after([entry]), entry);
      from = at + 1;
    }
    if (this.#state !== reached) this.#tell(reached, null);
  }

  #after(entries: readonly Entry[]): ClusterState {
    return applyEntries(this.#state, entries.map(replicatedEntry)).state;
  }

  #tell(state: ClusterState, entry: Entry | null): void {
    this.#state = state;
    this.#listener.applied(state, entry);
  }
}

/** Indexes of the entries after `index` that have events, in order. */
function indexesAfter(chunks: ClusterState["events"]["chunks"], index: number): ReadonlySet<number> {
  const indexes = new Set<number>();
  let at = chunks.length;
  while (at > 0 && (chunks[at - 1]?.at(-1)?.index ?? 0) > index) at -= 1;
  for (; at < chunks.length; at += 1)
    for (const event of chunks[at] ?? []) if (event.index > index) indexes.add(event.index);
  return indexes;
}
