/** Which runs a sweep makes, in which order. */
import type { SeedRange, Shard } from "../../../frame/index.ts";
import type { RunRequest } from "../request.ts";

export interface SweepPlan {
  readonly scenarios: readonly string[];
  readonly seeds: SeedRange;
  readonly shard: Shard;
  readonly nodes: number | null;
  readonly durationMs: number | null;
}

/** How many seeds of each scenario the plan's shard holds. */
export function seedsInShard({ seeds: { first, last }, shard: { index, count } }: SweepPlan): number {
  const afterFirst = last - first - (index - 1);
  return afterFirst < 0 ? 0 : Math.floor(afterFirst / count) + 1;
}

/**
 * Every run of the plan's shard: seed by seed, each with all scenarios, so that a sweep that is cut short has run every
 * scenario. Shard i of n takes the ith seed and every nth after it: the shards of a sweep are disjoint, together
 * complete, and equal in work.
 */
export function* runsOf(plan: SweepPlan): Generator<RunRequest, void, undefined> {
  const { scenarios, seeds, shard, nodes, durationMs } = plan;
  const runs = seedsInShard(plan);
  for (let run = 0; run < runs; run++) {
    const seed = seeds.first + (shard.index - 1) + run * shard.count;
    for (const scenario of scenarios) yield { scenario, seed, nodes, durationMs, faultsPath: null };
  }
}
