/** Changes over an immutable table, kept aside until they are written all at once. */
import { leafAt, type Slot, type Table, withLeaves } from "./table.ts";

export class Overlay<K, V extends NonNullable<unknown>> {
  /** Keys in the table with the changes. */
  count: number;
  readonly #base: Table<K, V>;
  readonly #slotOf: (key: K) => Slot;
  /** New values by key; null: removed. */
  readonly #changes = new Map<K, V | null>();

  constructor(base: Table<K, V>, count: number, slotOf: (key: K) => Slot) {
    this.#base = base;
    this.#slotOf = slotOf;
    this.count = count;
  }

  /** The table below the changes. */
  get base(): Table<K, V> {
    return this.#base;
  }

  get changes(): ReadonlyMap<K, V | null> {
    return this.#changes;
  }

  get(key: K): V | null {
    const changed = this.#changes.get(key);
    return changed === undefined ? (leafAt(this.#base, this.#slotOf(key)).get(key) ?? null) : changed;
  }

  /** As it was before the changes. */
  below(key: K): V | null {
    return leafAt(this.#base, this.#slotOf(key)).get(key) ?? null;
  }

  /** Everything as it is now, in no particular order. Looks at the whole table: for what is small, or asked seldom. */
  *values(): Generator<V, void, undefined> {
    for (const bucket of this.#base) {
      for (const leaf of bucket) {
        for (const [key, value] of leaf) {
          const changed = this.#changes.get(key);
          if (changed !== null) yield changed ?? value;
        }
      }
    }
    for (const [key, value] of this.#changes) if (value !== null && this.below(key) === null) yield value;
  }

  set(key: K, value: V): void {
    if (this.get(key) === null) this.count++;
    this.#changes.set(key, value);
  }

  delete(key: K): void {
    if (this.get(key) !== null) this.count--;
    this.#changes.set(key, null);
  }

  /** The table with the changes. What they leave as it was is shared. */
  finish(): Table<K, V> {
    if (this.#changes.size === 0) return this.#base;
    const leaves = new Map<Slot, Map<K, V>>();
    for (const [key, value] of this.#changes) {
      const slot = this.#slotOf(key);
      const copied = leaves.get(slot);
      const before = leafAt(this.#base, slot);
      if (before.get(key) === (value ?? undefined)) continue;
      const leaf = copied ?? new Map(before);
      if (copied === undefined) leaves.set(slot, leaf);
      if (value === null) leaf.delete(key);
      else leaf.set(key, value);
    }
    return withLeaves(this.#base, leaves);
  }
}
