/**
 * Seeded randomness. One integer seed yields any number of named streams. They are independent, so that removing one
 * fault, or adding a consumer, does not shift the numbers of another. Each is seedrandom's alea: its arithmetic is
 * exact on doubles, hence the same on every engine.
 */
import seedrandom from "seedrandom";

const TWO_32 = 4_294_967_296;
const TWO_53 = 9_007_199_254_740_992;

/** All the named streams of one seed. */
export class Streams {
  readonly seed: number;
  readonly #streams = new Map<string, Stream>();

  /** `seed`: any safe integer. */
  constructor(seed: number) {
    if (!Number.isSafeInteger(seed)) throw new RangeError(`a seed must be a safe integer, not ${seed}`);
    this.seed = seed;
  }

  /**
   * The stream of that name. Asking twice gives the same stream, in its present position: keep it, do not look it up
   * for each draw.
   */
  stream(name: string): Stream {
    const known = this.#streams.get(name);
    if (known !== undefined) return known;
    const stream = new Stream(`${this.seed}/${name}`);
    this.#streams.set(name, stream);
    return stream;
  }
}

/** One sequence of random draws. */
export class Stream {
  readonly #next: () => number;

  constructor(seed: string) {
    this.#next = seedrandom.alea(seed);
  }

  /** A uniform integer in [0, 2^32). */
  nextUint32(): number {
    return this.#next() * TWO_32;
  }

  /** A uniform multiple of 2^-32 in [0, 1). */
  nextUnit(): number {
    return this.#next();
  }

  /**
   * A uniform integer in [lo, hi], both safe integers. Draws once up to a span of 2^24, twice beyond; biased by less
   * than 2^-8 of a share.
   */
  integer(lo: number, hi: number): number {
    const span = hi - lo + 1;
    if (!(span >= 1 && span <= TWO_53)) throw new RangeError(`no integers to draw from in [${lo}, ${hi}]`);
    if (span <= 16_777_216) return lo + Math.floor(this.#next() * span);
    // 53 bits: 32 from one draw above 21 from the next.
    const fraction = this.#next() + Math.floor(this.#next() * 2_097_152) / TWO_53;
    return Math.min(hi, lo + Math.floor(fraction * span));
  }

  /** True with probability `probability`. Draws nothing when that is 0 or less, or 1 or more. */
  chance(probability: number): boolean {
    if (probability <= 0) return false;
    return probability >= 1 || this.#next() < probability;
  }

  /** An exponentially distributed number of that mean, 0 up to 22.2 means. Draws once. */
  exponential(mean: number): number {
    return mean * minusLog(TWO_32 - this.#next() * TWO_32);
  }

  /** One of `items`, which must not be empty. Draws once. */
  pick<T extends NonNullable<unknown>>(items: readonly T[]): T {
    const item = items[this.integer(0, items.length - 1)];
    if (item === undefined) throw new RangeError("there is nothing to pick");
    return item;
  }

  /**
   * One of `items`, as often beside the others as its weight says; weights are 0 or more, and not all of them 0. Draws
   * once.
   */
  pickWeighted<T extends { readonly weight: number }>(items: readonly T[]): T {
    let left = this.#next() * items.reduce((sum, { weight }) => sum + weight, 0);
    for (const item of items) {
      left -= item.weight;
      if (left < 0) return item;
    }
    throw new RangeError("there is nothing to pick");
  }

  /** Shuffles in place (Fisher and Yates) and returns `items`. Draws one time less than there are items. */
  shuffle<T extends NonNullable<unknown>>(items: T[]): T[] {
    for (let last = items.length - 1; last > 0; last -= 1) {
      const chosen = this.integer(0, last);
      const a = items[chosen];
      const b = items[last];
      if (a === undefined || b === undefined) throw new RangeError("a list with holes cannot be shuffled");
      items[chosen] = b;
      items[last] = a;
    }
    return items;
  }
}

/**
 * -ln(k / 2^32) for an integer k in [1, 2^32]. Engines may round Math.log differently, but not + - * /. With m = k /
 * 2^e in [2^-1/2, 2^1/2], ln m = 2 artanh((m - 1) / (m + 1)): six terms are good to 10^-11.
 */
function minusLog(k: number): number {
  if (k === TWO_32) return 0;
  let exponent = 31 - Math.clz32(k);
  let m = k / ((1 << exponent) >>> 0);
  if (m > Math.SQRT2) {
    m /= 2;
    exponent += 1;
  }
  const s = (m - 1) / (m + 1);
  const q = s * s;
  const artanh = s * (1 + q * (1 / 3 + q * (1 / 5 + q * (1 / 7 + q * (1 / 9 + q * (1 / 11))))));
  return (32 - exponent) * Math.LN2 - 2 * artanh;
}
