/** What is due when: a binary heap, in which a key that was put again or taken away is passed over when its old time comes. */
export class Deadlines<K> {
  readonly #times = new Map<K, number>();
  readonly #heap: { readonly key: K; readonly atMs: number }[] = [];

  /** Replaces the time that the key had. */
  set(key: K, atMs: number): void {
    this.#times.set(key, atMs);
    const heap = this.#heap;
    let at = heap.push({ key, atMs }) - 1;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if ((heap[parent]?.atMs ?? 0) <= atMs) break;
      this.#swap(at, parent);
      at = parent;
    }
  }

  has(key: K): boolean {
    return this.#times.has(key);
  }

  delete(key: K): void {
    this.#times.delete(key);
  }

  clear(): void {
    this.#times.clear();
    this.#heap.length = 0;
  }

  /** Infinity: nothing is due. */
  get nextMs(): number {
    this.#passOver();
    return this.#heap[0]?.atMs ?? Number.POSITIVE_INFINITY;
  }

  /** Takes the first key whose time has come. */
  take(nowMs: number): K | undefined {
    if (this.nextMs > nowMs) return undefined;
    const first = this.#heap[0];
    if (first === undefined) return undefined;
    this.#times.delete(first.key);
    this.#removeFirst();
    return first.key;
  }

  #passOver(): void {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined || this.#times.get(first.key) === first.atMs) return;
      this.#removeFirst();
    }
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    heap[0] = last;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const right = left + 1;
      let least = at;
      if ((heap[left]?.atMs ?? Number.POSITIVE_INFINITY) < (heap[least]?.atMs ?? 0)) least = left;
      if ((heap[right]?.atMs ?? Number.POSITIVE_INFINITY) < (heap[least]?.atMs ?? 0)) least = right;
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
}
