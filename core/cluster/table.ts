/**
 * An immutable map in two levels: 128 buckets of 64 leaves. A change copies one leaf, one bucket's and the table's list of references, whatever the table
 * holds; at 100,000 keys a leaf has a dozen. (One level of 128 Maps costs ten times as much there.)
 *
 * A leaf is three lists and no Map: a copy of those looks at none of the keys and values in it, which lie all over memory. Its order follows from what is in
 * it, so that nothing can depend on how it came about.
 */
import type { Hash } from "./hash.ts";

export const BUCKETS = 128;
const LEAVES_PER_BUCKET = 64;

/** Three lists of one length, by hash, then by key. Hashes are signed here: small integers to the engine. */
export interface Leaf<K, V> {
  readonly hashes: readonly number[];
  readonly keys: readonly K[];
  readonly values: readonly V[];
}
export type Bucket<K, V> = readonly Leaf<K, V>[];
export type Table<K, V> = readonly Bucket<K, V>[];

const EMPTY_LEAF: Leaf<never, never> = Object.freeze({
  hashes: Object.freeze([]),
  keys: Object.freeze([]),
  values: Object.freeze([]),
});
const EMPTY_BUCKET: Bucket<never, never> = Object.freeze(
  new Array<Leaf<never, never>>(LEAVES_PER_BUCKET).fill(EMPTY_LEAF),
);
const EMPTY_TABLE: Table<never, never> = Object.freeze(new Array<Bucket<never, never>>(BUCKETS).fill(EMPTY_BUCKET));

export function emptyTable<K, V>(): Table<K, V> {
  return EMPTY_TABLE;
}

/** Number of the bucket within a table. */
export function bucketOf(hash: Hash): number {
  return hash % BUCKETS;
}

/** Number of the leaf within its bucket. */
export function leafOf(hash: Hash): number {
  return (hash >>> 7) % LEAVES_PER_BUCKET;
}

/** `hash` is the key's. */
export function lookUp<K extends string | number, V>(table: Table<K, V>, hash: Hash, key: K): V | undefined {
  const leaf = leafAt(bucketAt(table, hash), hash);
  const at = placeIn(leaf, hash, key);
  return leaf.keys[at] === key ? leaf.values[at] : undefined;
}

/** The table with these values at these keys; null: without the key. What that leaves as it was is shared. */
export function withChanges<K extends string | number, V extends NonNullable<unknown>>(
  table: Table<K, V>,
  hashOf: (key: K) => Hash,
  changes: Iterable<readonly [K, V | null]>,
): Table<K, V> {
  let buckets: Bucket<K, V>[] | null = null;
  for (const [key, value] of changes) {
    const hash = hashOf(key);
    const bucket = bucketAt(buckets ?? table, hash);
    const before = leafAt(bucket, hash);
    const after = value === null ? without(before, hash, key) : withValue(before, hash, key, value);
    if (after === before) continue;
    const leaves = bucket.slice();
    leaves[leafOf(hash)] = after;
    buckets ??= table.slice();
    buckets[bucketOf(hash)] = leaves;
  }
  return buckets ?? table;
}

/** Everything in one bucket, in no particular order. A list of its own. */
export function bucketValues<K, V>(bucket: Bucket<K, V>): V[] {
  const values: V[] = [];
  for (const leaf of bucket) for (const value of leaf.values) values.push(value);
  return values;
}

/** A table of many keys at once, for restoring. Later values win. */
export function tableOf<K extends string | number, V extends NonNullable<unknown>>(
  hashOf: (key: K) => Hash,
  pairs: Iterable<readonly [K, V]>,
): Table<K, V> {
  return withChanges(emptyTable(), hashOf, pairs);
}

function bucketAt<K, V>(table: Table<K, V>, hash: Hash): Bucket<K, V> {
  return table[bucketOf(hash)] ?? noSuchHash(hash);
}

function leafAt<K, V>(bucket: Bucket<K, V>, hash: Hash): Leaf<K, V> {
  return bucket[leafOf(hash)] ?? noSuchHash(hash);
}

function noSuchHash(hash: Hash): never {
  throw new RangeError(`${hash} is no hash of a key`);
}

/** Where the key is, or would be. */
function placeIn<K extends string | number, V>({ hashes, keys }: Leaf<K, V>, hash: Hash, key: K): number {
  const wanted = hash | 0;
  let low = 0;
  let high = hashes.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((hashes[middle] ?? 0) < wanted) low = middle + 1;
    else high = middle;
  }
  while (hashes[low] === wanted && (keys[low] ?? key) < key) low++;
  return low;
}

function withValue<K extends string | number, V>(leaf: Leaf<K, V>, hash: Hash, key: K, value: V): Leaf<K, V> {
  const at = placeIn(leaf, hash, key);
  if (leaf.keys[at] === key) {
    if (leaf.values[at] === value) return leaf;
    const values = leaf.values.slice();
    values[at] = value;
    return { hashes: leaf.hashes, keys: leaf.keys, values };
  }
  return {
    hashes: leaf.hashes.toSpliced(at, 0, hash | 0),
    keys: leaf.keys.toSpliced(at, 0, key),
    values: leaf.values.toSpliced(at, 0, value),
  };
}

function without<K extends string | number, V>(leaf: Leaf<K, V>, hash: Hash, key: K): Leaf<K, V> {
  const at = placeIn(leaf, hash, key);
  if (leaf.keys[at] !== key) return leaf;
  if (leaf.keys.length === 1) return EMPTY_LEAF;
  return {
    hashes: leaf.hashes.toSpliced(at, 1),
    keys: leaf.keys.toSpliced(at, 1),
    values: leaf.values.toSpliced(at, 1),
  };
}
