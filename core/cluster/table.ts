/**
 * An immutable map in two levels: 128 buckets of 64 leaves, each leaf a small Map. A change copies one leaf, one bucket's and the table's list
 * of references, whatever the table holds; at 100,000 keys a leaf has a dozen. (One level of 128 Maps costs ten times as much there.)
 */
import { hashOfIndex, hashOfText } from "./hash.ts";

export const BUCKETS = 128;
const LEAVES_PER_BUCKET = 64;

export type Leaf<K, V> = ReadonlyMap<K, V>;
export type Bucket<K, V> = readonly Leaf<K, V>[];
export type Table<K, V> = readonly Bucket<K, V>[];

/** Number of a leaf within its table: bucket × 64 + position there. */
export type Slot = number;

export function emptyTable<K, V>(): Table<K, V> {
  const leaf: Leaf<K, V> = new Map();
  const bucket: Bucket<K, V> = new Array<Leaf<K, V>>(LEAVES_PER_BUCKET).fill(leaf);
  return new Array<Bucket<K, V>>(BUCKETS).fill(bucket);
}

export function slotOfText(key: string): Slot {
  return slotOfHash(hashOfText(key));
}

export function slotOfIndex(key: number): Slot {
  return slotOfHash(hashOfIndex(key));
}

function slotOfHash(hash: number): Slot {
  return (hash % BUCKETS) * LEAVES_PER_BUCKET + ((hash >>> 7) % LEAVES_PER_BUCKET);
}

export function bucketOfSlot(slot: Slot): number {
  return (slot - (slot % LEAVES_PER_BUCKET)) / LEAVES_PER_BUCKET;
}

export function leafAt<K, V>(table: Table<K, V>, slot: Slot): Leaf<K, V> {
  const leaf = table[bucketOfSlot(slot)]?.[slot % LEAVES_PER_BUCKET];
  if (leaf === undefined) throw new RangeError(`no slot ${slot} in a table`);
  return leaf;
}

/** The table with some leaves replaced. What is not replaced, or replaced by itself, is shared. */
export function withLeaves<K, V>(table: Table<K, V>, leaves: ReadonlyMap<Slot, Leaf<K, V>>): Table<K, V> {
  let buckets: Bucket<K, V>[] | null = null;
  const copied = new Map<number, Leaf<K, V>[]>();
  for (const [slot, leaf] of leaves) {
    if (leafAt(table, slot) === leaf) continue;
    const bucketNumber = bucketOfSlot(slot);
    let bucket = copied.get(bucketNumber);
    if (bucket === undefined) {
      bucket = (table[bucketNumber] ?? []).slice();
      copied.set(bucketNumber, bucket);
      buckets ??= table.slice();
      buckets[bucketNumber] = bucket;
    }
    bucket[slot % LEAVES_PER_BUCKET] = leaf;
  }
  return buckets ?? table;
}

/** Everything in one bucket, in no particular order. A list of its own. */
export function bucketValues<K, V>(bucket: Bucket<K, V>): V[] {
  const values: V[] = [];
  for (const leaf of bucket) {
    if (leaf.size === 0) continue;
    for (const value of leaf.values()) values.push(value);
  }
  return values;
}

/** A table of many keys at once, for restoring. Later values win. */
export function tableOf<K, V>(slotOf: (key: K) => Slot, pairs: Iterable<readonly [K, V]>): Table<K, V> {
  const leaves = new Map<Slot, Map<K, V>>();
  for (const [key, value] of pairs) {
    const slot = slotOf(key);
    const leaf = leaves.get(slot);
    if (leaf === undefined) leaves.set(slot, new Map([[key, value]]));
    else leaf.set(key, value);
  }
  return withLeaves(emptyTable(), leaves);
}
