/**
 * CLOCK_MONOTONIC in milliseconds. It is the same in every process of this host, so two processes can share a
 * deadline.
 */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** The longest time that a timer of Node.js can wait. */
const TIMER_MAX_MS = 2 ** 31 - 1;

/** A timer for a time of that clock. The time may be further away than a timer of Node.js can wait. */
export class Deadline {
  readonly #due: () => void;
  #timer: NodeJS.Timeout | null = null;

  constructor(due: () => void) {
    this.#due = due;
  }

  /** Replaces the time that was set before. */
  set(atMs: number): void {
    this.clear();
    const inMs = Math.min(TIMER_MAX_MS, Math.max(0, Math.ceil(atMs - monotonicMs())));
    this.#timer = setTimeout(() => {
      this.#timer = null;
      if (monotonicMs() < atMs) this.set(atMs);
      else this.#due();
    }, inMs);
  }

  clear(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
