/** Changes over an immutable table, kept aside until they are written all at once. */
import type { Hash } from "./hash.ts";
import { leavesOf, lookUp, type Table, withChanges } from "./table.ts";

const NO_CHANGES: ReadonlyMap<never, never> = new Map<never, never>();

export class Overlay<K extends string | number, V extends NonNullable<unknown>> {
  /** Keys in the table with the changes. */
  count: number;
  readonly #base: Table<K, V>;
  readonly #hashOf: (key: K) => Hash;
  /** New values by key; null: removed. Made with the first change: of a batch's many overlays most have none. */
  #changes: Map<K, V | null> | null = null;

  constructor(base: Table<K, V>, count: number, hashOf: (key: K) => Hash) {
    this.#base = base;
    this.#hashOf = hashOf;
    this.count = count;
  }

  /** The table below the changes. */
  get base(): Table<K, V> {
    return this.#base;
  }

  get changes(): ReadonlyMap<K, V | null> {
    return this.#changes ?? NO_CHANGES;
  }

  get(key: K): V | null {
    const changed = this.#changes?.get(key);
    return changed === undefined ? this.below(key) : changed;
  }

  /** As it was before the changes. */
  below(key: K): V | null {
    return lookUp(this.#base, this.#hashOf(key), key) ?? null;
  }

  /** Everything as it is now, in no particular order. Looks at the whole table: for what is small, or asked seldom. */
  *values(): Generator<V, void, undefined> {
    for (const { keys, values } of leavesOf(this.#base)) {
      for (const [at, key] of keys.entries()) {
        const changed = this.#changes?.get(key);
        const value = changed === undefined ? values[at] : changed;
        if (value !== null && value !== undefined) yield value;
      }
    }
    for (const [key, value] of this.changes) if (value !== null && this.below(key) === null) yield value;
  }

  set(key: K, value: V): void {
    if (this.get(key) === null) this.count++;
    this.#change(key, value);
  }

  delete(key: K): void {
    if (this.get(key) !== null) this.count--;
    this.#change(key, null);
  }

  #change(key: K, value: V | null): void {
    this.#changes ??= new Map();
    this.#changes.set(key, value);
  }

  /** The table with the changes. What they leave as it was is shared. */
  finish(): Table<K, V> {
    return this.#changes === null ? this.#base : withChanges(this.#base, this.#hashOf, this.#changes);
  }
}
