/**
 * What is to come on one host, soonest first; ties in the order in which they were planned. A few dozen entries at
 * most.
 */
interface Happening {
  readonly atUs: number;
  /** What it happens to; at most one thing is to come for each. */
  readonly to: object;
  readonly happen: (atUs: number) => void;
}

export class Agenda {
  readonly #happenings: Happening[] = [];

  /** When the next thing happens; Infinity: nothing is to come. */
  get nextUs(): number {
    return this.#happenings[0]?.atUs ?? Infinity;
  }

  /** Infinity: never. */
  plan(to: object, atUs: number, happen: (atUs: number) => void): void {
    if (atUs === Infinity) return;
    let at = this.#happenings.length;
    while (at > 0 && (this.#happenings[at - 1]?.atUs ?? 0) > atUs) at -= 1;
    this.#happenings.splice(at, 0, { atUs, to, happen });
  }

  cancel(to: object): void {
    const at = this.#happenings.findIndex((happening) => happening.to === to);
    if (at !== -1) this.#happenings.splice(at, 1);
  }

  clear(): void {
    this.#happenings.length = 0;
  }

  /** Lets happen what is due by `nowUs`. */
  advance(nowUs: number): void {
    for (let next = this.#happenings[0]; next !== undefined && next.atUs <= nowUs; next = this.#happenings[0]) {
      this.#happenings.shift();
      // At its own time: what follows from it may be due as well.
      next.happen(next.atUs);
    }
  }
}
