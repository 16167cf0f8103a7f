/** Changes over an immutable table, kept aside until they are written all at once. */
import { castDraft, type Draft } from "immer";
import { type Leaf, leafAt, type Slot, type Table, withLeaves } from "./table.ts";

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

  /** The leaves that changes fall into, as they are below. */
  touchedLeaves(): ReadonlyMap<Slot, Leaf<K, V>> {
    const leaves = new Map<Slot, Leaf<K, V>>();
    for (const key of this.#changes.keys()) {
      const slot = this.#slotOf(key);
      leaves.set(slot, leafAt(this.#base, slot));
    }
    return leaves;
  }

  /** Writes the changes into drafts of those leaves. Reading a property of a draft makes another draft: nothing else is read. */
  write(drafts: () => Map<Slot, Map<K, Draft<V>>>): void {
    if (this.#changes.size === 0) return;
    const leaves = drafts();
    for (const [key, value] of this.#changes) {
      const leaf = leaves.get(this.#slotOf(key));
      if (value === null) leaf?.delete(key);
      else leaf?.set(key, castDraft(value));
    }
  }

  finish(leaves: ReadonlyMap<Slot, Leaf<K, V>>): Table<K, V> {
    return this.#changes.size === 0 ? this.#base : withLeaves(this.#base, leaves);
  }
}
