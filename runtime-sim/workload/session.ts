/** A session as the process that opened it knows it: which of its requests wait for an answer. */
export class ClientSession {
  readonly id: number;
  /** Requests below are forgotten for sure: an answer came to one that said so. */
  acknowledgedBelow = 0;
  readonly #awaited = new Set<number>();
  #last = 0;

  constructor(id: number) {
    this.id = id;
  }

  /** The number of the next request, which waits for its answer from now on. */
  next(): number {
    this.#last += 1;
    this.#awaited.add(this.#last);
    return this.#last;
  }

  /** Numbers that can be given before the oldest request that waits must be answered. */
  room(windowMax: number): number {
    return this.lowestUnacknowledged + windowMax - 1 - this.#last;
  }

  /** Of the last request. */
  get last(): number {
    return this.#last;
  }

  get lowestUnacknowledged(): number {
    // Numbers are added in order.
    const [lowest = this.#last + 1] = this.#awaited;
    return lowest;
  }

  settled(sequence: number): void {
    this.#awaited.delete(sequence);
  }
}
