import { readdirSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { FAULTS, LEASE_LONG_ABSENCES, Run, type Scenario, settled, WISHES } from "../runtime-sim/index.ts";
import { SCENARIOS } from "./index.ts";

const named = SCENARIOS.map((scenario) => [scenario.name, scenario] as const);

test("every file is a scenario of its name", () => {
  const files = readdirSync(dirname(fileURLToPath(import.meta.url)))
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts") && file !== "index.ts")
    .map((file) => file.slice(0, -3));
  expect(SCENARIOS.map(({ name }) => name).sort()).toEqual(files.sort());
});

/** A fleet of a thousand takes minutes, twice: here the same scenario runs with fifty. */
const FLEET_MAX = 50;

function inMiniature(scenario: Scenario): Scenario {
  const { fleet } = scenario;
  if (fleet === null || fleet.workers <= FLEET_MAX) return scenario;
  const share = FLEET_MAX / fleet.workers;
  const [vms, vmsMax] = [Math.round(fleet.vms * share), Math.round(fleet.vmsMax * share)];
  return { ...scenario, fleet: { ...fleet, workers: FLEET_MAX, vms, vmsMax } };
}

describe.each(named)("%s", (_, scenario) => {
  test("is summed up in two sentences", () => {
    expect(scenario.summary.match(/[.?!](\s|$)/g)).toHaveLength(2);
  });

  test("mixes faults that there are", () => {
    const kinds = new Map(FAULTS.map((kind) => [kind.name, kind]));
    for (const { kind, parameters } of scenario.faults) {
      expect(kinds.has(kind)).toBe(true);
      for (const name of Object.keys(parameters ?? {}))
        expect(Object.keys(kinds.get(kind)?.parameters ?? {})).toContain(name);
    }
  });

  test("holds, and is the same run twice", () => {
    const reports = [1, 2].map(() => {
      const durationMs = Math.min(scenario.durationMs, 30_000);
      const run = new Run(inMiniature(scenario), { seed: 42, durationMs });
      while (!run.advance(100_000));
      return run.report();
    });
    const [violated] = reports[0]?.violations ?? [];
    expect([undefined, scenario.expectedToFail?.oracle]).toContain(violated?.oracle);
    expect(reports[1]).toEqual(reports[0]);
  });
});

test("the swarm reaches every kind of fault that members can have within 30 seeds", () => {
  const swarm = SCENARIOS.find(({ name }) => name === "swarm");
  if (swarm === undefined) throw new Error("there is no swarm");
  const drawn = new Set<string>();
  for (let seed = 1; seed <= 30; seed += 1) {
    for (const { kind } of new Run(swarm, { seed }).schedule.faults) drawn.add(kind);
  }
  const ofMembers = FAULTS.filter(({ family }) => family !== "worker");
  expect([...drawn].sort()).toEqual(ofMembers.map(({ name }) => name).sort());
});

test("the swarm of fleets reaches every kind of fault, of wish, and lease-long absences within 100 seeds", () => {
  const swarm = SCENARIOS.find(({ name }) => name === "fleet-swarm");
  if (swarm === undefined) throw new Error("there is no swarm of fleets");
  const [drawn, wishes] = [new Set<string>(), new Set<string>()];
  let leaseLong = 0;
  for (let seed = 1; seed <= 100; seed += 1) {
    for (const { kind, durationMs, target } of new Run(swarm, { seed }).schedule.faults) {
      drawn.add(kind);
      const isAbsence = kind === "cut-off-worker" && target === "worker";
      if (isAbsence && LEASE_LONG_ABSENCES.some(([from, to]) => durationMs >= from && durationMs <= to)) leaseLong += 1;
    }
    for (const wish of Object.keys(settled(swarm, seed).fleet?.wishes ?? {})) wishes.add(wish);
  }
  expect([...drawn].sort()).toEqual(FAULTS.map(({ name }) => name).sort());
  expect([...wishes].sort()).toEqual([...WISHES].sort());
  expect(leaseLong).toBeGreaterThan(10);
});

test("every kind of fault that hosts can have is in some scenario with hosts, and aimed at them", () => {
  const mixed = new Set<string>();
  for (const { fleet, faults } of SCENARIOS) {
    if (fleet === null) continue;
    for (const { kind, targets } of faults) if (targets?.includes("worker") === true) mixed.add(kind);
  }
  const ofWorkers = FAULTS.filter(({ family }) => family === "worker");
  expect([...mixed].filter((kind) => ofWorkers.some(({ name }) => name === kind)).sort()).toEqual(
    ofWorkers.map(({ name }) => name).sort(),
  );
});
