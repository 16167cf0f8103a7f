/** Looks at what no step tells of: each is taken about as often as asked, at the next step of any node. */

interface Look {
  readonly everyMs: number;
  nextMs: number;
  readonly take: (nowMs: number) => void;
}

export class Looks {
  readonly #looks: Look[] = [];
  /** When the next is due. Virtual time. */
  nextMs = Number.POSITIVE_INFINITY;

  every(everyMs: number, take: (nowMs: number) => void): void {
    this.#looks.push({ everyMs, nextMs: everyMs, take });
    this.nextMs = Math.min(this.nextMs, everyMs);
  }

  /** Takes those that are due. */
  take(nowMs: number): void {
    this.nextMs = Number.POSITIVE_INFINITY;
    for (const look of this.#looks) {
      if (nowMs >= look.nextMs) {
        look.nextMs = nowMs + look.everyMs;
        look.take(nowMs);
      }
      this.nextMs = Math.min(this.nextMs, look.nextMs);
    }
  }
}
