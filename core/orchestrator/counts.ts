/** Counts one more, or one less, of a key. A key that counts 0 is not in the map. */
export function count<K>(counts: Map<K, number>, key: K, change: 1 | -1): void {
  const after = (counts.get(key) ?? 0) + change;
  if (after === 0) counts.delete(key);
  else counts.set(key, after);
}
