/**
 * The result of all durable writes so far: a snapshot and the log after it. It grows with what is stored, never with
 * how much was written.
 */
import type { Entry, HardState, Snapshot } from "../raft/index.ts";
import type { Restored, Write } from "../runtime.ts";

/** Where a record lies: an entry at its index, the others at these two. */
export type RecordPlace = number;
export const HARD_STATE: RecordPlace = -1;
export const SNAPSHOT: RecordPlace = -2;

export class DurableState {
  #hardState: HardState | null;
  #snapshot: Snapshot;
  /** Consecutive, the first one, if any, at `#firstIndex`. Mutable, so it is never handed out. */
  readonly #entries: Entry[];
  #firstIndex: number;

  constructor(restored: Restored) {
    this.#hardState = restored.hardState;
    this.#snapshot = restored.snapshot;
    this.#entries = [];
    this.#firstIndex = restored.snapshot.meta.index + 1;
    if (restored.entries.length > 0) this.#put(restored.entries);
  }

  get hardState(): HardState | null {
    return this.#hardState;
  }

  get lastIndex(): number {
    const length = this.#entries.length;
    return length === 0 ? this.#snapshot.meta.index : this.#firstIndex + length - 1;
  }

  /** All of one write, in the order that `Write` prescribes. */
  apply(write: Write): void {
    if (write.snapshot !== null) {
      this.#snapshot = write.snapshot.snapshot;
      this.#removeThrough(write.snapshot.keepAfter ?? this.lastIndex);
    }
    if (write.entries !== null) this.#put(write.entries);
    if (write.hardState !== null) this.#hardState = write.hardState;
  }

  restored(): Restored {
    return { hardState: this.#hardState, snapshot: this.#snapshot, entries: this.#entries.slice() };
  }

  termAt(index: number): number | null {
    const entry = this.#entries[index - this.#firstIndex];
    if (entry !== undefined) return entry.term;
    return index === this.#snapshot.meta.index ? this.#snapshot.meta.term : null;
  }

  chainAt(index: number): string | null {
    const entry = this.#entries[index - this.#firstIndex];
    if (entry !== undefined) return entry.chain;
    return index === this.#snapshot.meta.index ? this.#snapshot.meta.chain : null;
  }

  /** Whose record answers for `index`. */
  placeOf(index: number): RecordPlace {
    return index === this.#snapshot.meta.index && !this.holds(index) ? SNAPSHOT : index;
  }

  /** Whether a record lies at that place. */
  holds(place: RecordPlace): boolean {
    if (place === HARD_STATE) return this.#hardState !== null;
    return place === SNAPSHOT || this.#entries[place - this.#firstIndex] !== undefined;
  }

  /** Every place that holds a record. Not for hot paths. */
  places(): RecordPlace[] {
    const places = this.#entries.map((entry) => entry.index);
    places.push(SNAPSHOT);
    if (this.#hardState !== null) places.push(HARD_STATE);
    return places;
  }

  /** What lies at a place. */
  record(place: RecordPlace): HardState | Snapshot | Entry | null {
    if (place === HARD_STATE) return this.#hardState;
    if (place === SNAPSHOT) return this.#snapshot;
    return this.#entries[place - this.#firstIndex] ?? null;
  }

  #removeThrough(index: number): void {
    const count = Math.min(this.#entries.length, index - this.#firstIndex + 1);
    if (count <= 0) return;
    this.#entries.splice(0, count);
    this.#firstIndex += count;
  }

  #put(entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) throw new Error("a write of entries holds none");
    const stored = this.#entries;
    if (first.index < this.#firstIndex || stored.length === 0) {
      stored.length = 0;
      this.#firstIndex = first.index;
      if (first.index > this.#snapshot.meta.index + 1) throw gap(this.#snapshot.meta.index, first.index);
    } else {
      if (first.index > this.lastIndex + 1) throw gap(this.lastIndex, first.index);
      stored.length = first.index - this.#firstIndex;
    }
    for (const entry of entries) {
      if (entry.index !== this.#firstIndex + stored.length)
        throw gap(this.#firstIndex + stored.length - 1, entry.index);
      stored.push(entry);
    }
  }
}

function gap(last: number, next: number): Error {
  return new Error(`a write leaves a gap in the stored log: entry ${next} after entry ${last}`);
}
