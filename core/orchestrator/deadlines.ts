interface Entry<K> {
  readonly key: K;
  /** The time by which the heap is ordered. */
  heapMs: number;
  /** The present deadline, at or after `heapMs`; null: deleted, or replaced by another entry. */
  dueMs: number | null;
}

/**
 * Deadlines by key, in a binary heap. A deadline that is put off stays where it is in the heap, and moves to its new
 * place only when its old time comes: a lease is renewed about ten times before it would run out. An entry that was
 * deleted, or replaced by an earlier one, stays in the heap and is skipped when its time comes.
 */
export class Deadlines<K> {
  #entries = new Map<K, Entry<K>>();
  #heap: Entry<K>[] = [];

  /** Replaces the time that the key had. */
  set(key: K, atMs: number): void {
    const before = this.#entries.get(key);
    if (before !== undefined) {
      if (atMs >= before.heapMs) {
        before.dueMs = atMs;
        return;
      }
      before.dueMs = null;
    }
    const entry = { key, heapMs: atMs, dueMs: atMs };
    this.#entries.set(key, entry);
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if ((heap[parent]?.heapMs ?? 0) <= atMs) break;
      this.#swap(at, parent);
      at = parent;
    }
  }

  has(key: K): boolean {
    return this.#entries.has(key);
  }

  delete(key: K): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    entry.dueMs = null;
    this.#entries.delete(key);
  }

  /** Infinity: nothing is due. */
  get nextMs(): number {
    this.#passOver();
    return this.#heap[0]?.heapMs ?? Number.POSITIVE_INFINITY;
  }

  /** Takes the first key whose time has come. */
  take(nowMs: number): K | undefined {
    if (this.nextMs > nowMs) return undefined;
    const first = this.#heap[0];
    if (first === undefined) return undefined;
    this.#entries.delete(first.key);
    this.#removeFirst();
    return first.key;
  }

  /** Skips what is out of date, until the first entry of the heap is due at its own time. */
  #passOver(): void {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined || first.dueMs === first.heapMs) return;
      if (first.dueMs === null) {
        this.#removeFirst();
      } else {
        first.heapMs = first.dueMs;
        this.#sink();
      }
    }
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    heap[0] = last;
    this.#sink();
  }

  /** Moves the first entry down to where it belongs. */
  #sink(): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const right = left + 1;
      let least = at;
      if ((heap[left]?.heapMs ?? Number.POSITIVE_INFINITY) < (heap[least]?.heapMs ?? 0)) least = left;
      if ((heap[right]?.heapMs ?? Number.POSITIVE_INFINITY) < (heap[least]?.heapMs ?? 0)) least = right;
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #swap(a: number, b: number): void {
    const [one, two] = [this.#heap[a], this.#heap[b]];
    if (one === undefined || two === undefined) return;
    this.#heap[a] = two;
    this.#heap[b] = one;
  }

  /** The heap as it is: the order of equal times depends on it. */
  capture() {
    return this.#heap.map((entry) => ({ ...entry }));
  }

  restore(captured: ReturnType<Deadlines<K>["capture"]>): void {
    this.#heap = captured.map((entry) => ({ ...entry }));
    this.#entries = new Map();
    for (const entry of this.#heap) if (entry.dueMs !== null) this.#entries.set(entry.key, entry);
  }
}
