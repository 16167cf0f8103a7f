/**
 * An immutable map: a tree of 8,192 leaves, four levels deep. A change copies one leaf and the four short lists above
 * it, however large the table is. With 100,000 keys a leaf has a dozen.
 *
 * A leaf is three lists and no Map, because copying lists does not touch the keys and values, which are spread over
 * memory. The order within a leaf follows from its content, so that nothing can depend on the history of the table.
 */
import type { Hash } from "./hash.ts";

/** The halves of the tree meet here: snapshots are written bucket by bucket. */
export const BUCKETS = 128;
const BUCKETS_PER_SHELF = 8;
const LEAVES_PER_BUCKET = 64;
const LEAVES_PER_TWIG = 8;

/** Three lists of one length, by hash, then by key. Hashes are signed here: small integers to the engine. */
export interface Leaf<K, V> {
  readonly hashes: readonly number[];
  readonly keys: readonly K[];
  readonly values: readonly V[];
}
type Twig<K, V> = readonly Leaf<K, V>[];
type Bucket<K, V> = readonly Twig<K, V>[];
type Shelf<K, V> = readonly Bucket<K, V>[];
export type Table<K, V> = readonly Shelf<K, V>[];

const EMPTY_LEAF: Leaf<never, never> = Object.freeze({
  hashes: Object.freeze([]),
  keys: Object.freeze([]),
  values: Object.freeze([]),
});
const EMPTY_TWIG: Twig<never, never> = repeated(EMPTY_LEAF, LEAVES_PER_TWIG);
const EMPTY_BUCKET: Bucket<never, never> = repeated(EMPTY_TWIG, LEAVES_PER_BUCKET / LEAVES_PER_TWIG);
const EMPTY_SHELF: Shelf<never, never> = repeated(EMPTY_BUCKET, BUCKETS_PER_SHELF);
const EMPTY_TABLE: Table<never, never> = repeated(EMPTY_SHELF, BUCKETS / BUCKETS_PER_SHELF);

/** What stands for nothing in every table. Compared by identity: whoever carries a table elsewhere keeps them. */
export const TABLE_CONSTANTS: readonly object[] = [EMPTY_LEAF, EMPTY_TWIG, EMPTY_BUCKET, EMPTY_SHELF, EMPTY_TABLE];

function repeated<T>(part: T, count: number): readonly T[] {
  return Object.freeze(Array.from({ length: count }, () => part));
}

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
  const { shelfAt, bucketAt, twigAt, leafAt } = pathTo(hash);
  const leaf = partOf(partOf(partOf(partOf(table, shelfAt), bucketAt), twigAt), leafAt);
  const at = placeIn(leaf, hash, key);
  return leaf.keys[at] === key ? leaf.values[at] : undefined;
}

/** The table with these values at these keys; null: without the key. What that leaves as it was is shared. */
export function withChanges<K extends string | number, V extends NonNullable<unknown>>(
  table: Table<K, V>,
  hashOf: (key: K) => Hash,
  changes: Iterable<readonly [K, V | null]>,
): Table<K, V> {
  let next = table;
  for (const [key, value] of changes) {
    const hash = hashOf(key);
    const { shelfAt, bucketAt, twigAt, leafAt } = pathTo(hash);
    const shelf = partOf(next, shelfAt);
    const bucket = partOf(shelf, bucketAt);
    const twig = partOf(bucket, twigAt);
    const before = partOf(twig, leafAt);
    const after = value === null ? without(before, hash, key) : withValue(before, hash, key, value);
    if (after === before) continue;
    const nextBucket = replaced(bucket, twigAt, replaced(twig, leafAt, after));
    next = replaced(next, shelfAt, replaced(shelf, bucketAt, nextBucket));
  }
  return next;
}

/** Those that hold something. */
export function* leavesOf<K, V>(table: Table<K, V>): Generator<Leaf<K, V>, void, undefined> {
  for (const shelf of table) {
    if (shelf === EMPTY_SHELF) continue;
    for (const bucket of shelf) {
      if (bucket === EMPTY_BUCKET) continue;
      for (const twig of bucket) {
        if (twig === EMPTY_TWIG) continue;
        for (const leaf of twig) if (leaf.keys.length > 0) yield leaf;
      }
    }
  }
}

/** Everything, by hash. A list of its own. */
export function tableValues<K, V>(table: Table<K, V>): V[] {
  const values: V[] = [];
  for (const leaf of leavesOf(table)) for (const value of leaf.values) values.push(value);
  return values;
}

/** Everything in one bucket. A list of its own. */
export function bucketValues<K, V>(table: Table<K, V>, bucketNumber: number): V[] {
  const values: V[] = [];
  const shelf = partOf(table, Math.floor(bucketNumber / BUCKETS_PER_SHELF));
  const bucket = partOf(shelf, bucketNumber % BUCKETS_PER_SHELF);
  for (const twig of bucket) for (const leaf of twig) for (const value of leaf.values) values.push(value);
  return values;
}

/** A key whose value is another one than it was; null: it was not there, or is not any more. */
export interface Difference<V> {
  readonly before: V | null;
  readonly after: V | null;
}

/** In no order. Looks only at leaves that are not shared. */
export function* differences<K, V>(before: Table<K, V>, after: Table<K, V>): Generator<Difference<V>, void, undefined> {
  for (const [shelfAt, shelf] of after.entries()) {
    const shelfBefore = partOf(before, shelfAt);
    if (shelf === shelfBefore) continue;
    for (const [bucketAt, bucket] of shelf.entries()) {
      const bucketBefore = partOf(shelfBefore, bucketAt);
      if (bucket === bucketBefore) continue;
      for (const [twigAt, twig] of bucket.entries()) {
        const twigBefore = partOf(bucketBefore, twigAt);
        if (twig === twigBefore) continue;
        for (const [leafAt, leaf] of twig.entries()) yield* leafDifferences(partOf(twigBefore, leafAt), leaf);
      }
    }
  }
}

function* leafDifferences<K, V>(before: Leaf<K, V>, after: Leaf<K, V>): Generator<Difference<V>, void, undefined> {
  if (before === after) return;
  const left = new Map(before.keys.map((key, at) => [key, partOf(before.values, at)]));
  for (const [at, key] of after.keys.entries()) {
    const value = partOf(after.values, at);
    const earlier = left.get(key) ?? null;
    left.delete(key);
    if (earlier !== value) yield { before: earlier, after: value };
  }
  for (const value of left.values()) yield { before: value, after: null };
}

/** A table of many keys at once, for restoring. Later values win. */
export function tableOf<K extends string | number, V extends NonNullable<unknown>>(
  hashOf: (key: K) => Hash,
  pairs: Iterable<readonly [K, V]>,
): Table<K, V> {
  // By bucket, then by leaf.
  const held = new Map<number, Map<number, Map<K, V>>>();
  for (const [key, value] of pairs) {
    const hash = hashOf(key);
    const leaves = held.get(bucketOf(hash)) ?? new Map<number, Map<K, V>>();
    const values = leaves.get(leafOf(hash)) ?? new Map<K, V>();
    held.set(bucketOf(hash), leaves.set(leafOf(hash), values.set(key, value)));
  }
  const buckets = Array.from({ length: BUCKETS }, (_, bucket): Bucket<K, V> => {
    const filled = held.get(bucket);
    if (filled === undefined) return EMPTY_BUCKET;
    const leaves = Array.from({ length: LEAVES_PER_BUCKET }, (_, leaf): Leaf<K, V> => {
      const values = filled.get(leaf);
      return values === undefined ? EMPTY_LEAF : leafWith(hashOf, values);
    });
    return grouped(leaves, EMPTY_TWIG);
  });
  return grouped(buckets, EMPTY_SHELF);
}

function leafWith<K extends string | number, V>(hashOf: (key: K) => Hash, values: ReadonlyMap<K, V>): Leaf<K, V> {
  const entries = [...values].map(([key, value]) => ({ hash: hashOf(key) | 0, key, value }));
  entries.sort((a, b) => a.hash - b.hash || (a.key < b.key ? -1 : 1));
  return {
    hashes: entries.map(({ hash }) => hash),
    keys: entries.map(({ key }) => key),
    values: entries.map(({ value }) => value),
  };
}

/** As many parts together as in `empty`, and that itself where they are its own. */
function grouped<T>(parts: readonly T[], empty: readonly T[]): (readonly T[])[] {
  return Array.from({ length: parts.length / empty.length }, (_, at) => {
    const group = parts.slice(at * empty.length, (at + 1) * empty.length);
    return group.every((part) => part === empty[0]) ? empty : group;
  });
}

function pathTo(hash: Hash) {
  const bucket = bucketOf(hash);
  const leaf = leafOf(hash);
  return {
    shelfAt: Math.floor(bucket / BUCKETS_PER_SHELF),
    bucketAt: bucket % BUCKETS_PER_SHELF,
    twigAt: Math.floor(leaf / LEAVES_PER_TWIG),
    leafAt: leaf % LEAVES_PER_TWIG,
  };
}

function partOf<T>(parts: readonly T[], at: number): T {
  const part = parts[at];
  if (part === undefined) throw new RangeError(`no part ${at} in a table`);
  return part;
}

function replaced<T>(parts: readonly T[], at: number, part: T): readonly T[] {
  const copy = parts.slice();
  copy[at] = part;
  return copy;
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
