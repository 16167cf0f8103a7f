/** Every kind of fault on a real cluster: one at a time, and all of them at once. */
import { describe, expect, test } from "vitest";
import { CALM_FLEET } from "../fleet/index.ts";
import { Streams } from "../random/index.ts";
import { Run, type RunReport } from "../run/index.ts";
import { type FaultSchedule, type Scenario, scenario } from "../scenario/index.ts";
import type { Transition } from "../trace/index.ts";
import { NO_CLIENTS } from "../workload/index.ts";
import { FAULTS, faultNamed } from "./index.ts";
import { drawParameter, type FaultKind } from "./kind.ts";
import type { FaultTarget, PlannedFault } from "./planned-fault.ts";

const cluster = scenario({
  name: "faults",
  summary: "A small cluster. For tests.",
  nodes: [5],
  spares: 1,
  durationMs: 15_000,
  workload: { ...NO_CLIENTS, clients: [3, 3], keys: 3, arrivalsPerSecond: [60, 60] },
});

const machineRoom = scenario({
  name: "worker-faults",
  summary: "Three members and four hosts that run machines. For tests.",
  nodes: [3],
  durationMs: 15_000,
  livenessBoundMs: 300_000,
  workload: NO_CLIENTS,
  fleet: { ...CALM_FLEET, workers: 4, vms: 8, vmsMax: 12, healthShare: 0.5 },
});
/** Its hosts, behind those of the members: numbered from 1, as in a schedule. */
const WORKER_PLACES = [4, 5, 6, 7];

function planned(kind: FaultKind, id: number, atMs: number, durationMs: number, target: FaultTarget): PlannedFault {
  const rng = new Streams(id).stream("test");
  const parameters = Object.fromEntries(
    Object.entries(kind.parameters).map(([name, spec]) => [name, drawParameter(spec, rng)]),
  );
  return { id, atMs, kind: kind.name, durationMs, target, parameters };
}

function runWith(
  seed: number,
  faults: readonly PlannedFault[],
  where: Scenario = cluster,
): { report: RunReport; transitions: Transition[] } {
  const transitions: Transition[] = [];
  const drawn = new Run(where, { seed }).schedule;
  const schedule: FaultSchedule = { ...drawn, faults };
  const run = new Run(where, { seed, faults: schedule, onTransition: (transition) => transitions.push(transition) });
  while (!run.advance(100_000));
  return { report: run.report(), transitions };
}

describe("the table of faults", () => {
  test("names each kind once", () => {
    expect(new Set(FAULTS.map(({ name }) => name)).size).toBe(FAULTS.length);
    expect(faultNamed("no such fault")).toBeNull();
  });

  test.each(FAULTS.map((kind) => [kind.name, kind] as const))("%s draws within its limits", (_, kind) => {
    for (const spec of Object.values(kind.parameters)) {
      if ("choices" in spec) continue;
      expect(spec.swarm[0]).toBeGreaterThanOrEqual(spec.limits[0]);
      expect(spec.swarm[1]).toBeLessThanOrEqual(spec.limits[1]);
    }
    expect(kind.durationMs[0]).toBeLessThanOrEqual(kind.durationMs[1]);
  });
});

describe("a fault alone begins, is counted, ends, and leaves a live cluster", () => {
  test.each(FAULTS.map((kind, at) => [kind.name, kind, at] as const))("%s", (name, kind, at) => {
    const isOfWorkers = kind.family === "worker";
    const targets: readonly FaultTarget[] = isOfWorkers
      ? ["worker", WORKER_PLACES.slice(1, 3)]
      : ["any", "leader", "follower", "all", [2, 3]];
    for (const [which, target] of targets.entries()) {
      const fault = planned(kind, at * 10 + which, 5000, 3000, target);
      // Only hosts move of which the cluster has a record. An attempt has them announce themselves.
      const attempts = name === "readdress" ? [planned(kind, 1000 + which, 1000, 3000, "any")] : [];
      const { report, transitions } = runWith(at, [...attempts, fault], isOfWorkers ? machineRoom : cluster);
      expect(report.violations).toEqual([]);
      expect(report.excused).toBeNull();
      expect(report.faults[name]).toBe(1);
      const began = transitions.filter((transition) => transition.kind === "fault");
      const ended = transitions.filter((transition) => transition.kind === "healed");
      expect(began).toHaveLength(1);
      expect(ended).toHaveLength(1);
      expect((ended[0]?.atMs ?? 0) - (began[0]?.atMs ?? 0)).toBeCloseTo(3000, 0);
    }
  });
});

test("a fault that outlasts the fire is ended with it", () => {
  const pause = faultNamed("pause");
  if (pause === null) throw new Error("there is no pause");
  const { report, transitions } = runWith(1, [planned(pause, 1, 10_000, 600_000, "all")]);
  expect(report.violations).toEqual([]);
  expect(transitions.find(({ kind }) => kind === "healed")?.atMs).toBe(15_000);
});

test.each(["both", "outbound", "inbound"])("links of a worker to members are cut one way or both: %s", (direction) => {
  const [kind, calm] = [faultNamed("cut-worker-links"), runWith(1, [], machineRoom).report];
  if (kind === null) throw new Error("there is no cut-worker-links");
  const cut = { ...planned(kind, 1, 3000, 3000, [4]), parameters: { direction, share: 1 } };
  const { report } = runWith(1, [cut], machineRoom);
  expect(report.violations).toEqual([]);
  expect(calm.messages.lost).toBe(0);
  expect(report.messages.lost).toBeGreaterThan(2);
});

test("links of a worker are lossy when it is hit", () => {
  const loss = faultNamed("loss");
  if (loss === null) throw new Error("there is no loss");
  const fault = { ...planned(loss, 1, 3000, 9000, "worker"), parameters: { chance: 1 } };
  const { report } = runWith(1, [fault], machineRoom);
  expect(report.violations).toEqual([]);
  expect(report.messages.lost).toBeGreaterThan(5);
});

test.each([1, 2, 3])("everything at once, over each other, heals (%d)", (seed) => {
  const rng = new Streams(seed).stream("test");
  const faults = FAULTS.flatMap((kind, at) =>
    [0, 1].map((twice) =>
      planned(
        kind,
        at * 2 + twice,
        rng.integer(3000, 10_000),
        rng.integer(500, 8000),
        kind.family === "worker" ? rng.pick(["worker", WORKER_PLACES]) : rng.pick(["any", "leader", "all"]),
      ),
    ),
  );
  const { report } = runWith(seed, faults, machineRoom);
  expect(report.violations).toEqual([]);
  expect(report.excused).toBeNull();
  expect(Object.keys(report.faults).length).toBeGreaterThan(30);
});
