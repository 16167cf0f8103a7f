import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Resources } from "../domain/index.ts";
import { candidatesOf, judge, PlacementIndex, planPreemption } from "./index.ts";
import { all, aRequest, aWorker, Fleet } from "./testing/index.ts";
import type { Occupant, PlacementRequest, PreemptionPlan } from "./types.ts";

function planIn(fleet: Fleet, request: PlacementRequest): PreemptionPlan | null {
  const candidatesOn = (id: number) => candidatesOf(fleet.occupantsOf(id));
  return planPreemption(fleet.context, fleet.workers.values(), candidatesOn, request);
}

/** A fleet with 90 of everything a worker, and who is on each of them. */
function fleetOf(...workers: readonly (readonly Partial<PlacementRequest>[])[]): Fleet {
  const fleet = new Fleet(workers.map((_, at) => aWorker(at + 1)));
  workers.forEach((requests, at) => {
    for (const request of requests) fleet.place(aRequest(request), at + 1);
  });
  return fleet;
}

const urgent = aRequest({ name: "urgent", priority: 900, resources: all(30) });

describe("who goes", () => {
  test("nobody where the settings say so", () => {
    const fleet = fleetOf([{ name: "a", resources: all(90), priority: 1 }]);
    expect(planIn(fleet, urgent)).toEqual({ workerId: 1, victims: ["a"] });
    fleet.settings = { ...fleet.settings, preemption: false };
    expect(planIn(fleet, urgent)).toBeNull();
  });

  test("nobody of the same priority, and nobody who is not preemptible", () => {
    const fleet = fleetOf([{ name: "same", resources: all(90), priority: 900 }]);
    expect(planIn(fleet, urgent)).toBeNull();
    const firm = new Fleet([aWorker(1)]);
    firm.place(aRequest({ name: "firm", resources: all(90), priority: 1 }), 1, false);
    expect(planIn(firm, urgent)).toBeNull();
  });

  test("a set whose most important is as unimportant as can be, though it is larger", () => {
    const fleet = fleetOf(
      [{ name: "one", resources: all(90), priority: 101 }],
      [
        { name: "a", resources: all(45), priority: 100 },
        { name: "b", resources: all(45), priority: 100 },
      ],
    );
    expect(planIn(fleet, { ...urgent, resources: all(60) })).toEqual({ workerId: 2, victims: ["a", "b"] });
  });

  test("then few, and then on the worker with the lower id", () => {
    const two = [
      { name: "a", resources: all(45), priority: 100 },
      { name: "b", resources: all(45), priority: 100 },
    ];
    const one = (name: string) => [{ name, resources: all(90), priority: 100 }];
    expect(planIn(fleetOf(two, one("c"), one("d")), { ...urgent, resources: all(60) })).toEqual({
      workerId: 2,
      victims: ["c"],
    });
  });

  test("nobody who turns out not to be needed", () => {
    const fleet = fleetOf([
      { name: "small", resources: all(10), priority: 1 },
      { name: "large", resources: all(80), priority: 2 },
    ]);
    // The small one comes first, and is of no use once the large one goes.
    expect(planIn(fleet, urgent)).toEqual({ workerId: 1, victims: ["large"] });
  });

  test("who must, when what is free is kept for others; nobody when that is not enough", () => {
    const fleet = fleetOf([{ name: "a", resources: all(60), priority: 1 }]);
    // The 30 that are free are kept.
    fleet.workers.set(1, { ...fleet.worker(1), reserved: all(30) });
    expect(planIn(fleet, urgent)).toEqual({ workerId: 1, victims: ["a"] });
    fleet.workers.set(1, { ...fleet.worker(1), reserved: all(70) });
    expect(planIn(fleet, urgent)).toBeNull();
    // Kept for itself.
    expect(planIn(fleet, { ...urgent, resources: all(70), nominatedTo: 1 })).toEqual({ workerId: 1, victims: ["a"] });
  });
});

describe("where nobody's leaving would help", () => {
  const full = () => fleetOf([{ name: "a", resources: all(90), priority: 1, features: [] }]);

  test.each([
    ["the worker is too small", { resources: all(91) }],
    ["it lacks a feature", { features: ["gpu"] }],
    ["another one is named", { pinnedTo: 2 }],
    [
      "it is in an excluded datacenter",
      { locality: { preferredDatacenter: null, preferredZone: null, strict: false, excludedDatacenters: ["dc"] } },
    ],
  ] as const)("%s", (_, fields) => {
    expect(planIn(full(), { ...urgent, ...fields })).toBeNull();
  });

  test.each(["cordoned", "draining", "offline"] as const)("it is %s", (status) => {
    const fleet = full();
    fleet.workers.set(1, { ...fleet.worker(1), status });
    expect(planIn(fleet, urgent)).toBeNull();
  });

  test("a group or a quota is full, though somebody unimportant stands for it: they make room and nothing else", () => {
    const antiAffinity = [{ group: "g", softWeight: null, maxPerDomain: 1, scope: "node" as const }];
    const fleet = fleetOf([{ name: "a", resources: all(90), priority: 1, antiAffinity }]);
    expect(planIn(fleet, { ...urgent, antiAffinity })).toBeNull();
    const ofTenant = fleetOf([{ name: "a", resources: all(90), priority: 1 }]);
    ofTenant.tenantPerWorkerMax = 1;
    expect(planIn(ofTenant, urgent)).toBeNull();
    expect(planIn(ofTenant, { ...urgent, tenant: "another" })).not.toBeNull();
  });

  test("it refuses for another reason than room, and has room", () => {
    const fleet = fleetOf([{ name: "a", resources: all(10), priority: 1 }]);
    fleet.tenantPerWorkerMax = 1;
    expect(planIn(fleet, urgent)).toBeNull();
  });
});

// ---- Properties

const resources = (max: number) => fc.record({ vcpus: fc.nat(max), memoryMiB: fc.nat(max), diskGiB: fc.nat(max) });
const occupant = fc.record({
  workerId: fc.integer({ min: 1, max: 4 }),
  resources: resources(40),
  priority: fc.constantFrom(1, 2, 3, 500),
  isFirm: fc.nat(5).map((n) => n === 0),
});
const fleets = fc
  .record({
    occupants: fc.array(occupant, { maxLength: 16, size: "max" }),
    reserved: resources(20),
    order: fc.shuffledSubarray([1, 2, 3, 4], { minLength: 4 }),
    statuses: fc.tuple(
      ...[1, 2, 3, 4].map(() => fc.constantFrom("online" as const, "online" as const, "cordoned" as const)),
    ),
  })
  .map(({ occupants, reserved, order, statuses }) => {
    const fleet = new Fleet(order.map((id) => aWorker(id, { status: statuses[id - 1] ?? "online" })));
    occupants.forEach(({ workerId, isFirm, ...fields }, at) => {
      const request = aRequest({ ...fields, name: `vm-${at}`, tenant: `tenant-${at % 2}` });
      if (judge(fleet.context, fleet.worker(workerId), request).refusal === null)
        fleet.place(request, workerId, !isFirm);
    });
    const first = fleet.worker(1);
    fleet.workers.set(1, { ...first, reserved });
    return fleet;
  });
const requests = fc
  .record({ resources: resources(80), priority: fc.constantFrom(2, 3, 400, 900) })
  .map((fields) => aRequest({ ...fields, name: "new" }));

function subsetsOf<T>(items: readonly T[]): readonly (readonly T[])[] {
  let sets: (readonly T[])[] = [[]];
  for (const item of items) sets = sets.concat(sets.map((set) => [...set, item]));
  return sets;
}

/** Whether it would fit there if these were gone. */
function fitsWithout(fleet: Fleet, workerId: number, request: PlacementRequest, gone: readonly Occupant[]): boolean {
  const worker = fleet.worker(workerId);
  const left = (resource: keyof Resources) =>
    worker.used[resource] - gone.reduce((sum, one) => sum + one.resources[resource], 0);
  const used = { vcpus: left("vcpus"), memoryMiB: left("memoryMiB"), diskGiB: left("diskGiB") };
  return judge(fleet.context, { ...worker, used }, request).refusal === null;
}

/** The slow obvious version: every set on every worker. */
function everySet(fleet: Fleet, request: PlacementRequest) {
  return [...fleet.workers.keys()].flatMap((workerId) => {
    const candidates = fleet.occupantsOf(workerId).filter((one) => one.preemptible && one.priority < request.priority);
    return subsetsOf(candidates)
      .filter((victims) => victims.length > 0 && fitsWithout(fleet, workerId, request, victims))
      .map((victims) => ({ workerId, victims, highest: Math.max(...victims.map(({ priority }) => priority)) }));
  });
}

test("a plan makes room, with nobody in it who could stay, and nobody more important than must be", () => {
  let plans = 0;
  fc.assert(
    fc.property(fleets, requests, (fleet, request) => {
      const fits = [...fleet.workers.values()].some((one) => judge(fleet.context, one, request).refusal === null);
      fc.pre(!fits);
      const plan = planIn(fleet, request);
      const sets = everySet(fleet, request);
      if (plan === null) {
        expect(sets).toEqual([]);
        return;
      }
      plans += 1;
      const { workerId } = plan;
      const victims = fleet.occupantsOf(workerId).filter(({ name }) => plan.victims.includes(name));
      expect(victims.map(({ name }) => name).sort()).toEqual(plan.victims);
      for (const one of victims) expect(one.preemptible && one.priority < request.priority).toBe(true);
      for (const subset of subsetsOf(victims)) {
        expect(fitsWithout(fleet, workerId, request, subset)).toBe(subset.length === victims.length);
      }
      const highest = Math.min(...sets.map((set) => set.highest));
      expect(Math.max(...victims.map(({ priority }) => priority))).toBe(highest);
      const leastDisruptive = sets.filter((set) => set.highest === highest);
      if (leastDisruptive.some((set) => set.victims.length === 1)) expect(victims).toHaveLength(1);
      const ofThatSize = leastDisruptive.filter((set) => set.victims.length === victims.length);
      if (victims.length === 1) expect(workerId).toBe(Math.min(...ofThatSize.map((set) => set.workerId)));
    }),
    { numRuns: 2000 },
  );
  expect(plans).toBeGreaterThan(500);
});

test("it is the same plan whatever the order of the workers, and when somebody has asked before", () => {
  fc.assert(
    fc.property(fleets, fc.array(requests, { minLength: 1, maxLength: 4 }), fc.nat(15), (fleet, wanted, nth) => {
      const index = new PlacementIndex();
      for (const id of [3, 1, 4, 2]) index.put(fleet.worker(id));
      const occupantsOf = (id: number) => fleet.occupantsOf(id);
      const compare = (): void => {
        for (const request of wanted) {
          const plan = planIn(fleet, request);
          expect(index.planPreemption(fleet.context, occupantsOf, request, null)).toEqual(plan);
          expect(index.planPreemption(fleet.context, occupantsOf, request, [4, 3, 2, 1])).toEqual(plan);
        }
      };
      compare();
      const left = fleet.remove(nth);
      if (left !== null) index.put(fleet.worker(left));
      compare();
    }),
    { numRuns: 500 },
  );
});

test("a caller that offers whom nobody may preempt is stopped", () => {
  const fleet = fleetOf([{ name: "firm", resources: all(90), priority: 1 }]);
  const occupants: readonly Occupant[] = [{ name: "firm", resources: all(90), priority: 1, preemptible: false }];
  const candidatesOn = () => ({ occupants, largest: all(90) });
  expect(() => planPreemption(fleet.context, fleet.workers.values(), candidatesOn, urgent)).toThrow(
    "assertion failed: a VM is about to be preempted that must not be (firm)",
  );
});
