/**
 * Values by key, each with the log index since which it holds, so that what was true at an earlier index can still be
 * looked up.
 */
interface Version<V> {
  readonly since: number;
  /** Null: there is none any more. */
  readonly value: V | null;
}

export class Versions<K extends string | number, V> {
  readonly #versions = new Map<K, Version<V>[]>();
  #count = 0;

  /** How many there are now. */
  get count(): number {
    return this.#count;
  }

  /** What holds now. */
  get(key: K): V | null {
    return this.#versions.get(key)?.at(-1)?.value ?? null;
  }

  /** What held after the entry at `index`. */
  at(key: K, index: number): V | null {
    return versionAt(this.#versions.get(key), index);
  }

  /** From the entry at `index` on. Null: there is none any more. */
  set(key: K, index: number, value: V | null): void {
    const before = this.get(key);
    this.#count += (value === null ? 0 : 1) - (before === null ? 0 : 1);
    const versions = this.#versions.get(key);
    if (versions === undefined) this.#versions.set(key, [{ since: index, value }]);
    else versions.push({ since: index, value });
  }

  /** All that held after the entry at `index`, in order of their keys. */
  allAt(index: number): readonly V[] {
    const found: { readonly key: K; readonly value: V }[] = [];
    for (const [key, versions] of this.#versions) {
      const value = versionAt(versions, index);
      if (value !== null) found.push({ key, value });
    }
    found.sort((left, right) => (left.key < right.key ? -1 : 1));
    return found.map(({ value }) => value);
  }

  /** All that hold now, in no particular order. */
  *now(): Generator<V, void, undefined> {
    for (const versions of this.#versions.values()) {
      const value = versions.at(-1)?.value ?? null;
      if (value !== null) yield value;
    }
  }

  /** What held before `index` is not asked for any more. */
  forgetBefore(index: number): void {
    for (const [key, versions] of this.#versions) {
      const first = versions.findLastIndex(({ since }) => since <= index);
      if (first > 0) versions.splice(0, first);
      if (versions.length === 1 && versions[0]?.value === null) this.#versions.delete(key);
    }
  }
}

function versionAt<V>(versions: readonly Version<V>[] | undefined, index: number): V | null {
  if (versions === undefined) return null;
  // Most questions are about what is new.
  for (let at = versions.length - 1; at >= 0; at--) {
    const version = versions[at];
    if (version !== undefined && version.since <= index) return version.value;
  }
  return null;
}
