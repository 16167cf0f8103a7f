import type { Stream } from "./random.ts";

/** Inclusive; a draw is uniform. */
export type Range = readonly [lowest: number, highest: number];

/** Uniform. Whole numbers when asked, otherwise to six decimals, so that schedules are readable. */
export function drawRange([lowest, highest]: Range, rng: Stream, whole: boolean): number {
  if (whole) return rng.integer(lowest, highest);
  return Math.round((lowest + rng.nextUnit() * (highest - lowest)) * 1e6) / 1e6;
}

/**
 * Each doubling of the lowest is as likely, and all numbers of one: so what is rare and what is frequent are drawn
 * alike. `lowest` is more than 0.
 */
export function drawByOctave([lowest, highest]: Range, rng: Stream): number {
  if (!(lowest > 0)) throw new RangeError(`the lowest must be more than 0, not ${lowest}`);
  const starts = [lowest];
  for (let start = 2 * lowest; start < highest; start *= 2) starts.push(start);
  const start = rng.pick(starts);
  return drawRange([start, Math.min(2 * start, highest)], rng, false);
}
