import fc from "fast-check";
import { expect, test } from "vitest";
import { runsOf, type SweepPlan, seedsInShard } from "./plan.ts";

function planOf(scenarios: readonly string[], first: number, last: number, index: number, count: number): SweepPlan {
  return { scenarios, seeds: { first, last }, shard: { index, count }, nodes: null, durationMs: null };
}

const names = (plan: SweepPlan): string[] => Array.from(runsOf(plan), ({ scenario, seed }) => `${scenario} ${seed}`);

test("seed by seed, each with all scenarios", () => {
  expect(names(planOf(["calm", "swarm"], 5, 7, 1, 1))).toEqual([
    "calm 5",
    "swarm 5",
    "calm 6",
    "swarm 6",
    "calm 7",
    "swarm 7",
  ]);
});

test("shards are disjoint, together complete, and alike in size", () => {
  const plans = fc.record({
    scenarios: fc.uniqueArray(fc.constantFrom("calm", "swarm", "byzantine"), { minLength: 1 }),
    first: fc.oneof(fc.nat(20), fc.integer({ min: Number.MAX_SAFE_INTEGER - 60, max: Number.MAX_SAFE_INTEGER - 50 })),
    seeds: fc.integer({ min: 1, max: 50 }),
    count: fc.integer({ min: 1, max: 64 }),
  });
  fc.assert(
    fc.property(plans, ({ scenarios, first, seeds, count }) => {
      const last = first + seeds - 1;
      const shards = Array.from({ length: count }, (_, shard) => planOf(scenarios, first, last, shard + 1, count));
      const parts = shards.map(names);
      expect(parts.flat().toSorted()).toEqual(names(planOf(scenarios, first, last, 1, 1)).toSorted());
      expect(new Set(parts.flat()).size).toBe(seeds * scenarios.length);
      expect(parts.map((part) => part.length)).toEqual(shards.map((plan) => seedsInShard(plan) * scenarios.length));
      const sizes = shards.map(seedsInShard);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    }),
  );
});

test("a sweep of all seeds there are is handed out one by one", () => {
  const plan = planOf(["calm"], 0, Number.MAX_SAFE_INTEGER, 3, 64);
  const [first, second] = runsOf(plan);
  expect([first?.seed, second?.seed]).toEqual([2, 66]);
});
