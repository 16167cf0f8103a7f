import type { Stream } from "./random.ts";

/** Inclusive; a draw is uniform. */
export type Range = readonly [lowest: number, highest: number];

/** Uniform. Whole numbers when asked, otherwise to six decimals, so that schedules are readable. */
export function drawRange([lowest, highest]: Range, rng: Stream, whole: boolean): number {
  if (whole) return rng.integer(lowest, highest);
  return Math.round((lowest + rng.nextUnit() * (highest - lowest)) * 1e6) / 1e6;
}
