/**
 * What a seed draws of a scenario beside its faults: how long it lasts, options of the nodes that are lower or higher
 * than usual so that limits are met, and the fleet. What comes of it is a scenario again, in which all of that is
 * settled.
 */
import type { CountLimits, RaftOptions } from "../../core/index.ts";
import { drawFleet, type FleetVariety } from "../fleet/index.ts";
import { drawRange, type Range, type Stream, Streams } from "../random/index.ts";
import type { Scenario } from "./scenario.ts";

/** A limit of events is a multiple of that. */
const EVENT_CHUNK = 64;

type RaftNumber = { [K in keyof RaftOptions]: RaftOptions[K] extends number ? K : never }[keyof RaftOptions];

export interface Variety {
  /** In place of the scenario's; null: as the scenario has it. */
  readonly durationMs: Range | null;
  /**
   * Options of every node. Each is drawn from its range in a share of the seeds: small values as often as large ones.
   */
  readonly raft: readonly (readonly [RaftNumber, Range])[];
  readonly raftShare: number;
  /** Limits on what the replicated state holds, drawn likewise: so low that they are met. */
  readonly limits: readonly (readonly [keyof CountLimits, Range])[];
  readonly limitShare: number;
  /** Null: the fleet is as the scenario has it. */
  readonly fleet: FleetVariety | null;
}

/** The scenario as that seed has it: nothing is left to be drawn but the faults. */
export function settled(scenario: Scenario, seed: number): Scenario {
  const { variety, fleet } = scenario;
  if (variety === null) return scenario;
  const streams = new Streams(seed);
  const raft: Partial<Record<RaftNumber, number>> = {};
  for (const [option, range] of variety.raft) {
    const rng = streams.stream(`plan/raft/${option}`);
    if (rng.chance(variety.raftShare)) raft[option] = drawAnyScale(range, rng);
  }
  const limits: Partial<Record<keyof CountLimits, number>> = {};
  for (const [limit, range] of variety.limits) {
    const rng = streams.stream(`plan/limit/${limit}`);
    if (rng.chance(variety.limitShare)) limits[limit] = wholeChunks(limit, drawAnyScale(range, rng));
  }
  return {
    ...scenario,
    variety: null,
    durationMs:
      variety.durationMs === null
        ? scenario.durationMs
        : drawRange(variety.durationMs, streams.stream("plan/duration"), true),
    raft: { ...scenario.raft, ...raft },
    limits: { ...scenario.limits, ...limits },
    fleet: fleet === null || variety.fleet === null ? fleet : drawFleet(fleet, variety.fleet, streams),
  };
}

/** Events are kept in chunks. */
function wholeChunks(limit: keyof CountLimits, value: number): number {
  return limit === "events" ? Math.max(1, Math.round(value / EVENT_CHUNK)) * EVENT_CHUNK : value;
}

/** A whole number: between the lowest and twice that as often as between half the highest and the highest. */
function drawAnyScale([lowest, highest]: Range, rng: Stream): number {
  let doublings = 0;
  for (let at = Math.max(1, lowest); 2 * at <= highest; at *= 2) doublings += 1;
  let scale = 1;
  for (let left = rng.integer(0, doublings); left > 0; left -= 1) scale *= 2;
  const from = Math.max(1, lowest) * scale;
  return rng.integer(scale === 1 ? lowest : from, Math.min(highest, 2 * from));
}
