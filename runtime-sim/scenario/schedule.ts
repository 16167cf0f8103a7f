/**
 * What will go wrong in a run, as data: drawn from the seed (draw.ts), saved, edited, minimised, replayed. Nothing
 * else about the faults of a run comes from anywhere but here and the seed, and each fault takes its random numbers
 * from a stream named after its own `id`, so that a fault taken out leaves all others as they were.
 */

import type { PlannedLiar } from "../byzantine/index.ts";
import type { PlannedFault } from "../faults/index.ts";
import type { BaseConditions } from "../world/index.ts";

export interface FaultSchedule {
  readonly version: 1;
  /** Which scenario and seed it was drawn for. Replayed under others it is still what goes wrong. */
  readonly scenario: string;
  readonly seed: number;
  /** First members. */
  readonly nodes: number;
  /** Faults happen before this; then they all end. */
  readonly durationMs: number;
  readonly base: BaseConditions;
  /** A Byzantine peer among the first members; null when all are honest. */
  readonly liar: PlannedLiar | null;
  readonly faults: readonly PlannedFault[];
}

/** Ceilings on what a schedule may ask for. */
export const SCHEDULE_LIMITS = {
  nodes: 7,
  hosts: 2048,
  faults: 100_000,
  links: 4096,
  durationMs: 400 * 86_400_000,
} as const;
