/**
 * Where a key lives. FNV-1a over UTF-16 code units with Murmur3's finish, so that the low bits are as good as the
 * high ones. Bound to snapshot format version 1, which writes bucket by bucket: another hash needs another version.
 */
export function hashOfText(key: string): Hash {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** For log indexes: neighbours go to neighbouring buckets, which spreads them evenly. */
export function hashOfIndex(key: number): Hash {
  return key % 0x1_0000_0000;
}

/** 0 to 2^32 - 1. */
export type Hash = number;
