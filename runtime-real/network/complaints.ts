/** Warnings about what others send. At most one in ten seconds, so that nobody can fill the log with them. */
import type { Logger } from "pino";

const INTERVAL_MS = 10_000;

export class Complaints {
  readonly #log: Pick<Logger, "warn">;
  #lastMs = Number.NEGATIVE_INFINITY;
  #undecodable = 0;

  constructor(log: Pick<Logger, "warn">) {
    this.#log = log;
  }

  complain(what: string): void {
    const nowMs = performance.now();
    if (nowMs - this.#lastMs < INTERVAL_MS) return;
    this.#lastMs = nowMs;
    this.#log.warn({ undecodable: this.#undecodable }, what);
  }

  /** Bytes came that are no message. Each warning says how often that has happened. */
  undecodable(what: string): void {
    this.#undecodable++;
    this.complain(what);
  }
}
