/** Every filter, rule and strategy, each alone. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type AntiAffinity, FAILURE_DOMAINS, OVERCOMMIT, STRATEGIES } from "../domain/index.ts";
import { chosen, countRefusals, explain, promisable } from "./index.ts";
import { all, aRequest, aWorker, Fleet } from "./testing/index.ts";
import type { PlacementRequest, WorkerRefusal, WorkerView } from "./types.ts";

function judged(fleet: Fleet, request: PlacementRequest = aRequest()) {
  return explain(fleet.context, fleet.workers.values(), request);
}

function choiceIn(fleet: Fleet, request: PlacementRequest = aRequest()): number | null {
  return chosen(judged(fleet, request));
}

function refusalOf(
  worker: Partial<WorkerView>,
  request: Partial<PlacementRequest> = {},
  fleet = new Fleet(),
): WorkerRefusal | null | undefined {
  fleet.workers.set(1, aWorker(1, worker));
  return judged(fleet, aRequest(request)).find(({ workerId }) => workerId === 1)?.refusal;
}

const at = (datacenter: string, zone = "zone", rack = "rack") => ({ topology: { datacenter, zone, rack } });

describe("capacity", () => {
  test.each([
    // 100 of each resource: times the ratio, less the reserve.
    ["conservative", { vcpus: 90, memoryMiB: 90, diskGiB: 90 }],
    ["moderate", { vcpus: 170, memoryMiB: 102, diskGiB: 93 }],
    ["aggressive", { vcpus: 380, memoryMiB: 142, diskGiB: 123 }],
  ] as const)("what a worker may promise, %s", (name, promised) => {
    const fleet = new Fleet([], { overcommit: OVERCOMMIT[name] });
    expect(promisable(fleet.context, aWorker(1))).toEqual(promised);
    expect(refusalOf({}, { resources: promised }, fleet)).toBeNull();
    for (const resource of ["vcpus", "memoryMiB", "diskGiB"] as const) {
      const needed = promised[resource] + 1;
      const request = { resources: { ...promised, [resource]: needed } };
      expect(refusalOf({}, request, fleet)).toEqual({
        kind: "insufficient",
        resource,
        needed,
        free: promised[resource],
      });
    }
  });

  test("what is used and what is kept for others is not free", () => {
    const worker = { used: all(50), reserved: all(30) };
    expect(refusalOf(worker, { resources: all(10) })).toBeNull();
    expect(refusalOf(worker, { resources: all(11) })).toMatchObject({ kind: "insufficient", needed: 11, free: 10 });
    // Capacity has shrunk below what is placed already.
    expect(refusalOf({ used: all(200) }, { resources: all(1) })).toMatchObject({ free: 0 });
    expect(refusalOf({ used: all(90) }, { resources: all(0) })).toBeNull();
  });

  test("what is kept for the request itself is free for it, and for nobody else", () => {
    const worker = { used: all(50), reserved: all(40) };
    const request = { resources: all(20) };
    expect(refusalOf(worker, { ...request, nominatedTo: 1 })).toBeNull();
    expect(refusalOf(worker, { ...request, nominatedTo: 2 })).toMatchObject({ kind: "insufficient", free: 0 });
    // Another is nominated there too.
    expect(refusalOf({ used: all(50), reserved: all(41) }, { ...request, nominatedTo: 1 })).toMatchObject({ free: 19 });
    // It has grown since room was kept for it.
    expect(refusalOf({ used: all(80), reserved: all(5) }, { ...request, nominatedTo: 1 })).toMatchObject({ free: 10 });
  });
});

describe("who takes nothing", () => {
  test.each(["cordoned", "draining", "offline"] as const)("a worker that is %s", (status) => {
    expect(refusalOf({ status })).toEqual({ kind: status });
    expect(refusalOf({ status }, { pinnedTo: 1 })).toEqual({ kind: status });
  });

  test("one that lacks a feature; it says which", () => {
    const worker = { features: ["avx", "kvm"] };
    expect(refusalOf(worker, { features: ["kvm", "avx"] })).toBeNull();
    expect(refusalOf(worker, { features: ["gpu", "kvm", "sev"] })).toEqual({
      kind: "missingFeatures",
      features: ["gpu", "sev"],
    });
  });

  test("one that has as many VMs of the tenant as the tenant may have on a worker", () => {
    const fleet = new Fleet([aWorker(1), aWorker(2)]);
    fleet.tenantPerWorkerMax = 2;
    for (const tenant of ["t", "t", "other"]) fleet.place(aRequest({ tenant }), 1);
    expect(judged(fleet, aRequest({ tenant: "t" }))).toMatchObject([
      { workerId: 2, refusal: null },
      { workerId: 1, refusal: { kind: "tenantQuota", used: 2, limit: 2 } },
    ]);
    expect(choiceIn(fleet, aRequest({ tenant: "t", pinnedTo: 1 }))).toBeNull();
    fleet.remove(0);
    expect(choiceIn(fleet, aRequest({ tenant: "t", pinnedTo: 1 }))).toBe(1);
  });
});

describe("anti-affinity", () => {
  const rule = (fields: Partial<AntiAffinity> = {}): readonly AntiAffinity[] => [
    { group: "g", softWeight: null, maxPerDomain: 1, scope: "node", ...fields },
  ];
  /** Each stands apart from the first at one more level. */
  const workers = [
    aWorker(1, at("d1", "z1", "r1")),
    aWorker(2, at("d1", "z1", "r1")),
    aWorker(3, at("d1", "z1", "r2")),
    aWorker(4, at("d1", "z2", "r1")),
    aWorker(5, at("d2", "z1", "r1")),
  ];

  test.each([
    ["node", [1], "1"],
    ["rack", [1, 2], "d1/z1/r1"],
    ["zone", [1, 2, 3], "d1/z1"],
    ["datacenter", [1, 2, 3, 4], "d1"],
  ] as const)("hard, by %s: names of racks and zones count within what they are in", (scope, refusing, domain) => {
    const fleet = new Fleet(workers);
    const request = aRequest({ antiAffinity: rule({ scope }) });
    fleet.place(request, 1);
    const refusals = judged(fleet, request).filter(({ refusal }) => refusal !== null);
    expect(refusals.map(({ workerId }) => workerId)).toEqual(refusing);
    expect(refusals[0]?.refusal).toEqual({ kind: "antiAffinity", group: "g", scope, domain, count: 1, limit: 1 });
    // Others do not mind.
    expect(
      judged(fleet, aRequest({ antiAffinity: rule({ scope, group: "other" }) })).every((one) => one.refusal === null),
    ).toBe(true);
  });

  test("as many as a domain may have", () => {
    const fleet = new Fleet(workers.slice(0, 2));
    const request = aRequest({ antiAffinity: rule({ scope: "rack", maxPerDomain: 3 }) });
    for (let count = 0; count < 3; count++) {
      const workerId = choiceIn(fleet, request);
      expect(workerId).not.toBeNull();
      if (workerId !== null) fleet.place(request, workerId);
    }
    expect(choiceIn(fleet, request)).toBeNull();
  });

  test("hard rules hold for a worker that is named, and where room is kept", () => {
    const fleet = new Fleet(workers);
    const request = aRequest({ antiAffinity: rule() });
    fleet.place(request, 1);
    expect(choiceIn(fleet, { ...request, pinnedTo: 1 })).toBeNull();
    expect(judged(fleet, { ...request, nominatedTo: 1 }).at(-1)).toMatchObject({ workerId: 1, score: null });
  });

  test("soft: the score falls by weight times excess, and nobody is refused", () => {
    const fleet = new Fleet([aWorker(1, at("d", "z", "r1")), aWorker(2, at("d", "z", "r2"))]);
    const request = aRequest({
      resources: all(0),
      antiAffinity: rule({ softWeight: 7, scope: "rack", maxPerDomain: 2 }),
    });
    const scoreOfFirst = () => judged(fleet, request).find(({ workerId }) => workerId === 1)?.score;
    const scores = [scoreOfFirst()];
    for (let count = 0; count < 4; count++) {
      fleet.place(request, 1);
      scores.push(scoreOfFirst());
    }
    // Two may be there: the third is the first too many.
    expect(scores).toEqual([1, 1, 1 - 7, 1 - 14, 1 - 21]);
    expect(choiceIn(fleet, request)).toBe(2);
    fleet.workers.delete(2);
    expect(choiceIn(fleet, request)).toBe(1);
  });
});

describe("locality", () => {
  const fleet = () =>
    new Fleet([
      aWorker(1, at("d1", "z1")),
      aWorker(2, at("d1", "z2")),
      aWorker(3, at("d2", "z1")),
      aWorker(4, at("d2", "z2")),
    ]);
  const where = (fields: object) =>
    aRequest({
      locality: { preferredDatacenter: null, preferredZone: null, strict: false, excludedDatacenters: [], ...fields },
    });
  const order = (request: PlacementRequest) =>
    judged(fleet(), request).flatMap((one) => (one.refusal === null ? one.workerId : []));

  test("lax: the preferred zone, then its datacenter, then anywhere", () => {
    expect(order(where({ preferredDatacenter: "d2", preferredZone: "z2" }))).toEqual([4, 3, 1, 2]);
    expect(order(where({ preferredDatacenter: "d2" }))).toEqual([3, 4, 1, 2]);
    // A zone of that name in any datacenter.
    expect(order(where({ preferredZone: "z2" }))).toEqual([2, 4, 1, 3]);
    expect(order(where({ preferredZone: "elsewhere" }))).toEqual([1, 2, 3, 4]);
  });

  test("strict: there or nowhere", () => {
    expect(order(where({ preferredDatacenter: "d2", strict: true }))).toEqual([3, 4]);
    expect(order(where({ preferredDatacenter: "d2", preferredZone: "z1", strict: true }))).toEqual([3]);
    expect(order(where({ preferredZone: "z1", strict: true }))).toEqual([1, 3]);
    expect(order(where({ preferredZone: "elsewhere", strict: true }))).toEqual([]);
    expect(
      judged(fleet(), where({ preferredDatacenter: "d2", preferredZone: "z1", strict: true })).slice(1),
    ).toMatchObject([
      { workerId: 1, refusal: { kind: "locality", wanted: "d2", actual: "d1" } },
      { workerId: 2, refusal: { kind: "locality", wanted: "d2", actual: "d1" } },
      { workerId: 4, refusal: { kind: "locality", wanted: "z1", actual: "z2" } },
    ]);
  });

  test("excluded: never, though it is preferred", () => {
    const request = where({ preferredDatacenter: "d1", excludedDatacenters: ["d1"] });
    expect(order(request)).toEqual([3, 4]);
    expect(judged(fleet(), request).at(-1)?.refusal).toEqual({ kind: "excludedDatacenter", datacenter: "d1" });
  });

  test.each(STRATEGIES)("what the request prefers goes before what the strategy %s prefers", (strategy) => {
    const workers = new Fleet(
      [aWorker(10, { ...at("d1", "z1"), used: all(30) }), aWorker(20, at("d1", "z2")), aWorker(30, at("d2", "z2"))],
      { strategy, spreadScope: "zone" },
    );
    // Of "round-robin" the preferred one comes last in its turn, of "spread" it is the fullest.
    for (let count = 0; count < 5; count++) workers.place(aRequest({ resources: all(1) }), 10);
    expect(choiceIn(workers, where({ preferredZone: "z1" }))).toBe(10);
    expect(
      judged(workers, where({ preferredDatacenter: "d1", preferredZone: "z1" })).map((one) => one.workerId),
    ).toEqual([10, 20, 30]);
    workers.cursor = 20;
    const avoiding = aRequest({ avoid: 30 });
    expect(choiceIn(workers, avoiding)).not.toBe(30);
    expect(judged(workers, avoiding).at(-1)?.workerId).toBe(30);
  });
});

describe("strategies", () => {
  test("most-available: the highest mean free share of processors, memory and disk", () => {
    const fleet = new Fleet([
      aWorker(1, { used: { vcpus: 45, memoryMiB: 0, diskGiB: 0 } }),
      aWorker(2, { used: { vcpus: 30, memoryMiB: 30, diskGiB: 0 } }),
      // Ten times as large, and as full as the first: size does not matter, the share does.
      aWorker(3, { capacity: all(1000), used: { vcpus: 450, memoryMiB: 0, diskGiB: 0 } }),
    ]);
    const judgements = judged(fleet);
    expect(judgements.map((one) => one.workerId)).toEqual([1, 3, 2]);
    expect(judgements.map((one) => one.score)).toEqual(
      [2.5 / 3, 2.5 / 3, (2 / 3 + 2 / 3 + 1) / 3].map((share) => expect.closeTo(share, 12)),
    );
  });

  test("what is kept counts as used, and what there is nothing of as taken", () => {
    const fleet = new Fleet([
      aWorker(1, { reserved: all(45) }),
      aWorker(2, { capacity: { vcpus: 100, memoryMiB: 100, diskGiB: 0 } }),
    ]);
    const scores = judged(fleet, aRequest({ resources: all(0) })).map((one) => [one.workerId, one.score]);
    expect(scores).toEqual([
      [2, expect.closeTo(2 / 3, 12)],
      [1, expect.closeTo(1 / 2, 12)],
    ]);
  });

  test("least-available: the fullest that has room", () => {
    const fleet = new Fleet([aWorker(1), aWorker(2, { used: all(80) }), aWorker(3, { used: all(81) })], {
      strategy: "least-available",
    });
    expect(choiceIn(fleet)).toBe(2);
    expect(judged(fleet)[0]?.score).toBeCloseTo(80 / 90, 12);
  });

  test("round-robin: each in turn behind the cursor, and those that refuse are passed over", () => {
    const fleet = new Fleet(
      [2, 3, 5, 7].map((id) => aWorker(id)),
      { strategy: "round-robin" },
    );
    fleet.workers.set(5, aWorker(5, { status: "cordoned" }));
    const ids = Array.from({ length: 7 }, () => {
      const workerId = choiceIn(fleet, aRequest({ resources: all(1) }));
      if (workerId !== null) fleet.place(aRequest({ resources: all(1) }), workerId);
      return workerId;
    });
    expect(ids).toEqual([2, 3, 7, 2, 3, 7, 2]);
  });

  test("round-robin: with the largest ids and a preferred zone the turn is kept within the zone", () => {
    const last = 2_147_483_647;
    const ids = [1, 2, last - 2, last - 1, last];
    const fleet = new Fleet(
      ids.map((id) => aWorker(id, at("d", id % 2 === 1 ? "odd" : "even"))),
      { strategy: "round-robin" },
    );
    const locality = { preferredDatacenter: null, preferredZone: "odd", strict: false, excludedDatacenters: [] };
    const turns = Array.from({ length: 4 }, () => {
      const workerId = choiceIn(fleet, aRequest({ resources: all(1), locality }));
      if (workerId !== null) fleet.place(aRequest({ resources: all(1), locality }), workerId);
      return workerId;
    });
    expect(turns).toEqual([1, last - 2, last, 1]);
  });

  test("manual: the named worker, or its own refusal", () => {
    const fleet = new Fleet([aWorker(1), aWorker(2, { used: all(50) }), aWorker(3, { used: all(85) })]);
    expect(choiceIn(fleet, aRequest({ pinnedTo: 2 }))).toBe(2);
    expect(choiceIn(fleet, aRequest({ pinnedTo: 4 }))).toBeNull();
    expect(judged(fleet, aRequest({ pinnedTo: 3 })).map((one) => one.refusal?.kind)).toEqual([
      "notTheNamedWorker",
      "notTheNamedWorker",
      "insufficient",
    ]);
  });

  test.each(FAILURE_DOMAINS)(
    "spread by %s: the domain with the fewest VMs, and there the most available",
    (spreadScope) => {
      const fleet = new Fleet(
        [
          aWorker(1, { ...at("d1", "z1", "r1"), used: all(20) }),
          aWorker(2, { ...at("d1", "z1", "r1"), used: all(40) }),
          aWorker(3, { ...at("d2", "z2", "r2"), used: all(60) }),
          aWorker(4, { ...at("d2", "z2", "r2"), used: all(50) }),
        ],
        { strategy: "spread", spreadScope },
      );
      const small = aRequest({ resources: all(0) });
      fleet.place(small, 1);
      fleet.place(small, 4);
      fleet.place(small, 1);
      // By node two have none, and the emptier one is chosen; else the second domain has fewer.
      expect(choiceIn(fleet)).toBe(spreadScope === "node" ? 2 : 4);
    },
  );

  test("spread: nobody takes it while fewer domains are online than there must be", () => {
    const workers = [aWorker(1, at("d", "z", "r1")), aWorker(2, at("d", "z", "r2")), aWorker(3, at("d", "z", "r3"))];
    const fleet = new Fleet(workers, { strategy: "spread", minDomains: 3 });
    expect(choiceIn(fleet)).toBe(1);
    fleet.workers.set(3, { ...fleet.worker(3), status: "cordoned" });
    expect(choiceIn(fleet)).toBeNull();
    expect(judged(fleet)[0]?.refusal).toEqual({ kind: "tooFewDomains", count: 2, limit: 3 });
    // It is a matter of that strategy alone.
    fleet.settings = { ...fleet.settings, strategy: "most-available" };
    expect(choiceIn(fleet)).toBe(1);
  });

  test("cost: the cheapest that takes it; within the increase the most available", () => {
    const fleet = new Fleet(
      [
        aWorker(1, { costPerHour: 90, used: all(90) }),
        aWorker(2, { costPerHour: 100, used: all(50) }),
        aWorker(3, { costPerHour: 110, used: all(40) }),
        aWorker(4, { costPerHour: 111 }),
      ],
      { strategy: "cost" },
    );
    // The first is full: the price to compare with is that of the second.
    expect(choiceIn(fleet)).toBe(2);
    expect(judged(fleet).at(-1)?.refusal).toEqual({ kind: "tooExpensive", costPerHour: 111, limit: 100 });
    fleet.settings = { ...fleet.settings, costIncreasePercentMax: 10 };
    expect(choiceIn(fleet)).toBe(3);
    fleet.settings = { ...fleet.settings, costIncreasePercentMax: 11 };
    expect(choiceIn(fleet)).toBe(4);
  });

  test("cost: a price that no binary fraction holds costs no more than itself", () => {
    const fleet = new Fleet([aWorker(1, { costPerHour: 0.57 })], { strategy: "cost" });
    expect(choiceIn(fleet)).toBe(1);
  });

  test.each(STRATEGIES)("%s: of equals the lower id", (strategy) => {
    const fleet = new Fleet(
      [7, 3, 5].map((id) => aWorker(id)),
      { strategy },
    );
    expect(choiceIn(fleet)).toBe(3);
  });
});

test("refusals are counted by what lacks, with the most that any worker has free", () => {
  const fleet = new Fleet([
    aWorker(1, { used: all(85) }),
    aWorker(2, { used: all(82) }),
    aWorker(3, { status: "cordoned" }),
    aWorker(4, { used: { vcpus: 0, memoryMiB: 85, diskGiB: 0 } }),
  ]);
  expect(countRefusals(judged(fleet))).toEqual([
    { kind: "insufficient", resource: "vcpus", count: 2, needed: 10, free: 8 },
    { kind: "cordoned", resource: null, count: 1, needed: null, free: null },
    { kind: "insufficient", resource: "memoryMiB", count: 1, needed: 10, free: 5 },
  ]);
});

// ---- Properties

const amounts = (max: number) => fc.record({ vcpus: fc.nat(max), memoryMiB: fc.nat(max), diskGiB: fc.nat(max) });
const workers = fc.uniqueArray(
  fc.record({
    id: fc.integer({ min: 1, max: 20 }),
    capacity: amounts(60),
    reserved: fc.oneof(fc.constant(all(0)), amounts(10)),
    topology: fc.record({
      datacenter: fc.constantFrom("d1", "d2"),
      zone: fc.constantFrom("z1", "z2"),
      rack: fc.constantFrom("r1", "r2"),
    }),
    features: fc.subarray(["a", "b"]),
    costPerHour: fc.constantFrom(1, 10, 11),
    status: fc.constantFrom("online" as const, "online" as const, "online" as const, "draining" as const),
  }),
  { selector: ({ id }) => id, minLength: 1, maxLength: 12, size: "max" },
);
const settings = fc.record({
  strategy: fc.constantFrom(...STRATEGIES),
  overcommit: fc.constantFrom(...Object.values(OVERCOMMIT)),
  spreadScope: fc.constantFrom(...FAILURE_DOMAINS),
  costIncreasePercentMax: fc.constantFrom(0, 20),
});
const request = fc
  .record({
    resources: amounts(12),
    tenant: fc.constantFrom("t1", "t2"),
    features: fc.oneof(fc.constant<string[]>([]), fc.subarray(["a", "b"])),
    antiAffinity: fc.array(
      fc.record({
        group: fc.constantFrom("g1", "g2"),
        softWeight: fc.constantFrom(null, null, 3),
        maxPerDomain: fc.integer({ min: 1, max: 3 }),
        scope: fc.constantFrom(...FAILURE_DOMAINS),
      }),
      { maxLength: 2 },
    ),
    locality: fc.option(
      fc.record({
        preferredDatacenter: fc.option(fc.constantFrom("d1", "d2")),
        preferredZone: fc.option(fc.constantFrom("z1", "z2")),
        strict: fc.boolean(),
        excludedDatacenters: fc.subarray(["d1"]),
      }),
      { freq: 2 },
    ),
  })
  .map(aRequest);

test("whatever is placed: no worker is over its capacity, and no hard rule was broken", () => {
  let placed = 0;
  fc.assert(
    fc.property(workers, settings, fc.array(request, { maxLength: 40, size: "max" }), (views, fields, requests) => {
      const fleet = new Fleet(
        views.map(({ id, ...view }) => aWorker(id, view)),
        fields,
      );
      fleet.tenantPerWorkerMax = 4;
      const { cpu, memory, disk, reservePercent } = fleet.settings.overcommit;
      for (const one of requests) {
        const workerId = choiceIn(fleet, one);
        if (workerId === null) continue;
        fleet.place(one, workerId);
        placed += 1;
        const { capacity, used, reserved, status, topology, features } = fleet.worker(workerId);
        const share = 1 - reservePercent / 100;
        // A rounding of the share is no room.
        expect(used.vcpus + reserved.vcpus).toBeLessThanOrEqual(capacity.vcpus * cpu * share + 1e-9);
        expect(used.memoryMiB + reserved.memoryMiB).toBeLessThanOrEqual(capacity.memoryMiB * memory * share + 1e-9);
        expect(used.diskGiB + reserved.diskGiB).toBeLessThanOrEqual(capacity.diskGiB * disk * share + 1e-9);
        expect(status).toBe("online");
        expect(features).toEqual(expect.arrayContaining([...one.features]));
        // Counted anew: those on the same worker, and those in the same domain.
        const together = fleet.placed.filter((other) => other.workerId === workerId);
        expect(together.filter((other) => other.request.tenant === one.tenant).length).toBeLessThanOrEqual(4);
        for (const { group, softWeight, maxPerDomain, scope } of one.antiAffinity) {
          if (softWeight !== null) continue;
          const like = fleet.placed.filter((other) => {
            const there = fleet.worker(other.workerId);
            const isNear = {
              node: there.id === workerId,
              rack:
                there.topology.datacenter === topology.datacenter &&
                there.topology.zone === topology.zone &&
                there.topology.rack === topology.rack,
              zone: there.topology.datacenter === topology.datacenter && there.topology.zone === topology.zone,
              datacenter: there.topology.datacenter === topology.datacenter,
            };
            return isNear[scope] && other.request.antiAffinity.some((rule) => rule.group === group);
          });
          expect(like.length).toBeLessThanOrEqual(maxPerDomain);
        }
        const { locality } = one;
        if (locality === null) continue;
        expect(locality.excludedDatacenters).not.toContain(topology.datacenter);
        if (!locality.strict) continue;
        if (locality.preferredDatacenter !== null) expect(topology.datacenter).toBe(locality.preferredDatacenter);
        if (locality.preferredZone !== null) expect(topology.zone).toBe(locality.preferredZone);
      }
    }),
    { numRuns: 500 },
  );
  expect(placed).toBeGreaterThan(1000);
});

test("the same answer whatever the order of the workers", () => {
  const drawn = workers.chain((views) =>
    fc.tuple(fc.constant(views), fc.shuffledSubarray(views, { minLength: views.length })),
  );
  fc.assert(
    fc.property(drawn, settings, fc.array(request, { maxLength: 10 }), ([views, shuffled], fields, requests) => {
      const fleets = [views, shuffled].map(
        (some) =>
          new Fleet(
            some.map(({ id, ...view }) => aWorker(id, view)),
            fields,
          ),
      );
      for (const one of requests) {
        const [first, second] = fleets.map((fleet) => judged(fleet, one));
        expect(second).toEqual(first);
        const workerId = chosen(first ?? []);
        for (const fleet of fleets) if (workerId !== null) fleet.place(one, workerId);
      }
    }),
    { numRuns: 500 },
  );
});
