import { expect, test } from "vitest";
import { checkRaftOptions, DEFAULT_RAFT_OPTIONS } from "../../core/index.ts";
import { CALM_FLEET } from "../fleet/index.ts";
import { scenario } from "./scenario.ts";
import { settled, type Variety } from "./variety.ts";

const variety: Variety = {
  durationMs: [1000, 9000],
  raft: [
    ["batchEntries", [1, 100]],
    ["snapshotChunkBytes", [1024, 65_536]],
  ],
  raftShare: 0.5,
  limits: [
    ["sessions", [1, 10]],
    ["events", [64, 1000]],
  ],
  limitShare: 0.5,
  fleet: {
    whole: { workers: [1, 7], vms: [0, 20], vmsMax: [5, 30], poolSize: [0, 3], pools: [1, 5] },
    shares: { groupShare: [0, 1] },
    quota: [null, { vms: 5 }],
    wishShare: 0.5,
    wishWeight: [1, 8],
  },
};
const varied = scenario({ name: "varied", summary: "One. Two.", fleet: CALM_FLEET, variety });
const seeds = Array.from({ length: 200 }, (_, at) => at + 1);

test("what is settled stays so, and is the same for the same seed", () => {
  const once = settled(varied, 7);
  expect(once).toEqual(settled(varied, 7));
  expect(settled(once, 8)).toBe(once);
  expect(once).not.toEqual(settled(varied, 8));
});

test("an option is drawn from its range in its share of the seeds, small values as often as large ones", () => {
  const drawn = seeds.flatMap((seed) => settled(varied, seed).raft.snapshotChunkBytes ?? []);
  expect(drawn.length).toBeGreaterThan(70);
  expect(drawn.length).toBeLessThan(130);
  for (const value of drawn) {
    expect(value).toBeGreaterThanOrEqual(1024);
    expect(value).toBeLessThanOrEqual(65_536);
  }
  expect(drawn.filter((value) => value < 4096).length).toBeGreaterThan(drawn.length / 5);
  expect(drawn.filter((value) => value > 16_384).length).toBeGreaterThan(drawn.length / 5);
  for (const seed of seeds) checkRaftOptions({ ...DEFAULT_RAFT_OPTIONS, ...settled(varied, seed).raft });
});

test("a fleet makes sense, whatever was drawn", () => {
  const fleets = seeds.map((seed) => settled(varied, seed).fleet ?? CALM_FLEET);
  for (const { workers, vms, vmsMax, poolSize, pools, groupShare } of fleets) {
    expect(workers >= 1 && workers <= 7 && vmsMax >= vms).toBe(true);
    expect(pools).toBeLessThanOrEqual(Math.max(1, poolSize));
    expect(groupShare >= 0 && groupShare <= 1).toBe(true);
  }
  expect(new Set(fleets.map(({ workers }) => workers)).size).toBe(7);
  expect(new Set(fleets.map(({ quota }) => quota?.vms ?? null))).toEqual(new Set([null, 5]));
  const wishes = fleets.map((fleet) => Object.keys(fleet.wishes).length);
  expect(Math.min(...wishes)).toBeLessThan(Math.max(...wishes));
});

test("what one thing draws does not depend on another", () => {
  const fewer: Variety = { ...variety, durationMs: null, raft: variety.raft.slice(1) };
  for (const seed of seeds.slice(0, 20)) {
    const [all, less] = [settled(varied, seed), settled({ ...varied, variety: fewer }, seed)];
    expect(less.fleet).toEqual(all.fleet);
    expect(less.raft.snapshotChunkBytes).toBe(all.raft.snapshotChunkBytes);
  }
});
