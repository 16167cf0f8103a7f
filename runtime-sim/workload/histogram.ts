/**
 * Durations counted in buckets that grow with what they count: 32 to each doubling, so that any percentile is right to
 * 3 % and memory does not grow with the run.
 */

const STEP_BITS = 5;
const STEPS = 1 << STEP_BITS;
/** Durations of 2^31 µs (36 minutes) and more share the last buckets. */
const MAX_US = 2_147_483_647;

/** Of virtual time, from call to definite answer. Percentiles are right to 3 %. */
export interface LatencySummary {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export class Histogram {
  readonly #counts = new Uint32Array((32 - STEP_BITS + 1) * STEPS);
  #count = 0;
  #maxUs = 0;

  /** `durationUs`: a whole number, 0 or more. */
  add(durationUs: number): void {
    this.#count += 1;
    this.#maxUs = Math.max(this.#maxUs, durationUs);
    const at = bucketOf(Math.min(durationUs, MAX_US));
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
  }

  summary(): LatencySummary {
    return {
      count: this.#count,
      p50Ms: this.#percentileMs(0.5),
      p99Ms: this.#percentileMs(0.99),
      maxMs: this.#maxUs / 1000,
    };
  }

  #percentileMs(share: number): number {
    let missing = Math.ceil(share * this.#count);
    if (missing === 0) return 0;
    for (let at = 0; at < this.#counts.length; at += 1) {
      missing -= this.#counts[at] ?? 0;
      if (missing <= 0) return Math.min(upperEndUs(at), this.#maxUs) / 1000;
    }
    return this.#maxUs / 1000;
  }
}

function bucketOf(us: number): number {
  if (us < STEPS) return us;
  const exponent = 31 - Math.clz32(us) - STEP_BITS;
  return (exponent << STEP_BITS) + (us >>> exponent);
}

/** The largest duration that the bucket counts. */
function upperEndUs(bucket: number): number {
  if (bucket < 2 * STEPS) return bucket;
  const exponent = (bucket >>> STEP_BITS) - 1;
  return (STEPS + (bucket & (STEPS - 1)) + 1) * (1 << exponent) - 1;
}
