import fc, { type Arbitrary } from "fast-check";
import { expect, test } from "vitest";
import { FAILURE_DOMAINS, OVERCOMMIT, type SchedulerSettings, STRATEGIES, WORKER_STATUSES } from "../domain/index.ts";
import { chosen, explain, PlacementIndex } from "./index.ts";
import { all, aRequest, aWorker, Fleet } from "./testing/index.ts";
import type { PlacementRequest, WorkerView } from "./types.ts";

const resources = (max: number) => fc.record({ vcpus: fc.nat(max), memoryMiB: fc.nat(max), diskGiB: fc.nat(max) });
// Of few sets of features the index makes kinds of workers, of more it does not; and it has bits for 31 features.
const MANY = Array.from({ length: 40 }, (_, at) => `f${at}`);
const features = fc.oneof(
  { weight: 30, arbitrary: fc.subarray(["a", "b"]) },
  { weight: 1, arbitrary: fc.subarray(MANY, { maxLength: 35 }) },
);
const topology = fc.record({
  datacenter: fc.constantFrom("d1", "d2"),
  zone: fc.constantFrom("z1", "z2", "z3"),
  rack: fc.constantFrom("r1", "r2"),
});
// Close to each other, far apart, and the largest that there are.
const id = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 30 }) },
  { weight: 1, arbitrary: fc.integer({ min: 2 ** 31 - 9, max: 2 ** 31 - 1 }) },
);

const aView: Arbitrary<WorkerView> = fc.record({
  id,
  status: fc.oneof({ weight: 5, arbitrary: fc.constant("online" as const) }, fc.constantFrom(...WORKER_STATUSES)),
  // Few different ones, so that there are equals.
  capacity: fc.oneof(resources(60), fc.constant(all(40))),
  used: fc.constant(all(0)),
  reserved: fc.oneof({ weight: 4, arbitrary: fc.constant(all(0)) }, resources(20)),
  features,
  topology,
  costPerHour: fc.constantFrom(0, 1, 10, 11, 12, 100),
});

const request: Arbitrary<PlacementRequest> = fc.record({
  name: fc.constant("vm"),
  tenant: fc.constantFrom("t1", "t2"),
  resources: fc.oneof({ weight: 9, arbitrary: resources(6) }, resources(60)),
  features: fc.oneof({ weight: 8, arbitrary: fc.constant([]) }, features, fc.constant(["unknown"])),
  antiAffinity: fc.oneof(
    { weight: 2, arbitrary: fc.constant([]) },
    fc.array(
      fc.record({
        group: fc.constantFrom("g1", "g2"),
        softWeight: fc.oneof(fc.constant(null), fc.integer({ min: 0, max: 1000 })),
        maxPerDomain: fc.integer({ min: 1, max: 3 }),
        scope: fc.constantFrom(...FAILURE_DOMAINS),
      }),
      { maxLength: 3 },
    ),
  ),
  locality: fc.option(
    fc.record({
      preferredDatacenter: fc.option(fc.constantFrom("d1", "d2", "d3")),
      preferredZone: fc.option(fc.constantFrom("z1", "z2", "z4")),
      strict: fc.boolean(),
      excludedDatacenters: fc.subarray(["d1", "d2"]),
    }),
    { freq: 2 },
  ),
  priority: fc.constant(500),
  pinnedTo: fc.oneof({ weight: 19, arbitrary: fc.constant(null) }, id),
  avoid: fc.option(id),
  nominatedTo: fc.option(id),
});

const settings: Arbitrary<SchedulerSettings> = fc.record({
  strategy: fc.constantFrom(...STRATEGIES),
  overcommit: fc.constantFrom(...Object.values(OVERCOMMIT)),
  preemption: fc.boolean(),
  spreadScope: fc.constantFrom(...FAILURE_DOMAINS),
  minDomains: fc.integer({ min: 1, max: 3 }),
  costIncreasePercentMax: fc.constantFrom(0, 10, 25, 1000),
});

const step = fc.oneof(
  // Twice as often as all else: each is asked for, and placed where the index says.
  { weight: 12, arbitrary: fc.record({ kind: fc.constant("place" as const), request }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("remove" as const), nth: fc.nat(20) }) },
  // A worker that is new, or another state, place or size of one that is known.
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("put" as const), view: aView }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("delete" as const), nth: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("settings" as const), settings }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("quota" as const), max: fc.constantFrom(1, 3, Number.POSITIVE_INFINITY) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("cursor" as const), id }) },
);

/** Whatever happens to a fleet: the index answers as if it had asked everybody. Returns how many were placed. */
function follow(
  workers: readonly WorkerView[],
  first: SchedulerSettings,
  steps: readonly (typeof step extends Arbitrary<infer S> ? S : never)[],
): number {
  const fleet = new Fleet(workers, first);
  const index = new PlacementIndex();
  for (const worker of fleet.workers.values()) index.put(worker);
  let count = 0;
  for (const one of steps) {
    switch (one.kind) {
      case "place": {
        const { context } = fleet;
        const workerId = index.choose(context, one.request);
        expect(workerId).toBe(chosen(explain(context, fleet.workers.values(), one.request)));
        if (workerId === null) break;
        fleet.place(one.request, workerId);
        index.put(fleet.worker(workerId));
        count += 1;
        break;
      }
      case "remove": {
        const workerId = fleet.remove(one.nth);
        if (workerId !== null) index.put(fleet.worker(workerId));
        break;
      }
      case "put": {
        const used = fleet.workers.get(one.view.id)?.used ?? one.view.used;
        fleet.workers.set(one.view.id, { ...one.view, used });
        index.put(fleet.worker(one.view.id));
        break;
      }
      case "delete": {
        const gone = fleet.delete(one.nth);
        if (gone !== null) index.delete(gone);
        break;
      }
      case "settings":
        fleet.settings = one.settings;
        break;
      case "quota":
        fleet.tenantPerWorkerMax = one.max;
        break;
      case "cursor":
        fleet.cursor = one.id;
        break;
    }
  }
  return count;
}

test("the index chooses whom everybody would choose, whatever happens to a fleet", () => {
  let placed = 0;
  fc.assert(
    fc.property(
      fc.uniqueArray(aView, { selector: (view) => view.id, minLength: 1, maxLength: 25, size: "max" }),
      settings,
      fc.array(step, { minLength: 20, maxLength: 60, size: "max" }),
      (workers, first, steps) => {
        placed += follow(workers, first, steps);
      },
    ),
    { numRuns: 3000 },
  );
  expect(placed).toBeGreaterThan(10_000);
});

test("so it does while a large fleet grows, and moves from rack to rack", () => {
  const manyIds = fc.integer({ min: 1, max: 400 });
  const put = fc.record({ kind: fc.constant("put" as const), view: aView, id: manyIds }).map(({ kind, view, id }) => ({
    kind,
    view: { ...view, id },
  }));
  const place = fc.record({ kind: fc.constant("place" as const), request });
  fc.assert(
    fc.property(
      fc.uniqueArray(
        aView.chain((view) => manyIds.map((id) => ({ ...view, id }))),
        {
          selector: (view) => view.id,
          minLength: 60,
          maxLength: 120,
        },
      ),
      settings,
      fc.array(fc.oneof({ weight: 3, arbitrary: put }, { weight: 1, arbitrary: place }), {
        minLength: 150,
        maxLength: 300,
      }),
      (workers, first, steps) => {
        follow(workers, first, steps);
      },
    ),
    { numRuns: 60 },
  );
});

test("an empty index chooses nobody, and so does one that was cleared", () => {
  const fleet = new Fleet();
  const index = new PlacementIndex();
  expect(index.choose(fleet.context, aRequest())).toBeNull();
  index.put(aWorker(1));
  expect(index.choose(new Fleet([aWorker(1)]).context, aRequest())).toBe(1);
  index.clear();
  expect(index.choose(fleet.context, aRequest())).toBeNull();
});

test("planted: what the search has found refuses when it is asked once more", () => {
  const fleet = new Fleet([aWorker(1)]);
  let asked = 0;
  const context = {
    ...fleet.context,
    tenantPerWorkerMax: () => 1,
    tenantCount: () => asked++,
  };
  const index = new PlacementIndex();
  index.put(aWorker(1));
  expect(() => index.choose(context, aRequest())).toThrow(
    "assertion failed: the chosen worker takes what is placed there: vm on worker (1)",
  );
});
