/** What `vm plan` prints. */
import { expect, test } from "vitest";
import { plain } from "../../output/index.ts";
import { fits, type Obstacle, type Plan, renderPlan, whyNowhere } from "./explanation.ts";

const how = { all: false, paint: plain, columns: 100 };
const driven = (): string => "qemu";

const nowhere: Plan = {
  workerId: null,
  preemption: null,
  judgements: [
    { workerId: 1, score: null, refusal: { kind: "insufficient", resource: "memoryMiB", needed: 8192, free: 2048 } },
    { workerId: 2, score: null, refusal: { kind: "cordoned" } },
    { workerId: 3, score: null, refusal: { kind: "insufficient", resource: "memoryMiB", needed: 8192, free: 512 } },
  ],
  refusals: [
    { kind: "insufficient", resource: "memoryMiB", count: 2, needed: 8192, free: 2048 },
    { kind: "cordoned", resource: null, count: 1, needed: null, free: null },
  ],
};

const somewhere: Plan = {
  ...nowhere,
  workerId: 5,
  judgements: [
    { workerId: 5, score: 0.8333, refusal: null },
    { workerId: 4, score: 0.5, refusal: null },
    ...nowhere.judgements,
  ],
};

test("where it would go stands first, then each host with its score or its reason", () => {
  expect(renderPlan("web", somewhere, null, driven, how)).toEqual([
    "web would go to worker 5",
    "",
    "WORKER  SCORE  VERDICT",
    "     5  0.833  chosen",
    "     4  0.500  would take it",
    "     1      -  not enough memory: 8,192 MiB needed, 2,048 free",
    "     2      -  cordoned",
    "     3      -  not enough memory: 8,192 MiB needed, 512 free",
  ]);
  expect(fits(somewhere, null)).toBe(true);
});

test("where room is missing it is said what the host keeps for itself", () => {
  const reserve = (workerId: number): number => (workerId === 1 ? 1024 : 0);
  const lines = renderPlan("web", nowhere, null, driven, { ...how, reserve });
  expect(lines.slice(3)).toEqual([
    "     1      -  not enough memory: 8,192 MiB needed, 2,048 free, 1,024 in reserve",
    "     2      -  cordoned",
    "     3      -  not enough memory: 8,192 MiB needed, 512 free",
  ]);
});

test("a host without a driver is named as one", () => {
  const [headline, , , first] = renderPlan("web", somewhere, null, (id) => (id === 5 ? null : "qemu"), how);
  expect(headline).toBe("web would go to worker 5, and stay Scheduled: that has no VM driver yet");
  expect(first).toBe("     5  0.833  chosen (no VM driver yet)");
});

test("nowhere is said first, and counted for a message of one line", () => {
  expect(renderPlan("web", nowhere, null, driven, how)[0]).toBe("web fits nowhere now");
  expect(whyNowhere(nowhere, null)).toEqual([
    "2 workers: not enough memory: 8,192 MiB needed, at most 2,048 free",
    "1 worker: cordoned",
  ]);
  expect(whyNowhere(nowhere, 2)).toEqual(["it may run on worker 2 only: cordoned"]);
  expect(whyNowhere(nowhere, 9)).toEqual(["it may run on worker 9 only, and there is no such worker"]);
  const empty: Plan = { workerId: null, preemption: null, judgements: [], refusals: [] };
  expect(renderPlan("web", empty, null, driven, how)).toEqual(["web fits nowhere: there are no workers"]);
  expect(fits(nowhere, null)).toBe(false);
});

test("who would be preempted is named, at the top and at the host", () => {
  const plan: Plan = { ...nowhere, preemption: { workerId: 3, victims: ["batch", "lab"] } };
  const lines = renderPlan("web", plan, null, driven, how);
  expect(lines[0]).toBe("web would go to worker 3 once batch, lab had stopped there");
  expect(lines.at(-1)).toBe(
    "     3      -  not enough memory: 8,192 MiB needed, 512 free; would stop batch, lab first",
  );
  expect(fits(plan, null)).toBe(true);
});

test("what refuses the request itself goes before what hosts say", () => {
  const obstacle: Obstacle = {
    code: "quotaExceeded",
    message: "the tenant would have 3 vms, its quota is 2",
    hint: "",
  };
  expect(renderPlan("web", somewhere, obstacle, driven, how)[0]).toBe(
    "web would be refused: the tenant would have 3 vms, its quota is 2",
  );
  expect(fits(somewhere, obstacle)).toBe(false);
});

test("of hundreds of hosts the best are shown, and the refusals counted; --all shows each", () => {
  const judgements = Array.from({ length: 300 }, (_, at): Plan["judgements"][number] =>
    at < 100
      ? { workerId: at + 1, score: 1 - at / 1000, refusal: null }
      : { workerId: at + 1, score: null, refusal: { kind: "offline" } },
  );
  const plan: Plan = {
    workerId: 1,
    preemption: null,
    judgements,
    refusals: [{ kind: "offline", resource: null, count: 200, needed: null, free: null }],
  };
  const lines = renderPlan("web", plan, null, driven, how);
  expect(lines).toHaveLength(3 + 20 + 2);
  expect(lines.slice(-2)).toEqual([
    "and 280 workers more: --all shows each. Those that refuse:",
    "  200 workers: offline",
  ]);
  expect(renderPlan("web", plan, null, driven, { ...how, all: true })).toHaveLength(3 + 300);
});

test("each kind of refusal has words of its own", () => {
  const refusals: NonNullable<Plan["judgements"][number]["refusal"]>[] = [
    { kind: "offline" },
    { kind: "notTheNamedWorker" },
    { kind: "missingFeatures", features: ["gpu", "ssd"] },
    { kind: "insufficient", resource: "vcpus", needed: 4, free: 1 },
    { kind: "insufficient", resource: "diskGiB", needed: 50, free: 0 },
    { kind: "tenantQuota", used: 25, limit: 25 },
    { kind: "antiAffinity", group: "web", scope: "rack", domain: "dc/a/r1", count: 1, limit: 1 },
    { kind: "excludedDatacenter", datacenter: "dc1" },
    { kind: "locality", wanted: "dc2", actual: "dc1" },
    { kind: "tooFewDomains", count: 1, limit: 3 },
    { kind: "tooExpensive", costPerHour: 2000, limit: 1500 },
  ];
  const judgements = refusals.map((refusal, at) => ({ workerId: at + 1, score: null, refusal }));
  const lines = renderPlan("web", { ...nowhere, judgements }, null, driven, how).slice(3);
  expect(lines.map((line) => line.slice("     1      -  ".length))).toEqual([
    "offline",
    "is not the worker that was named",
    "lacks gpu, ssd",
    "not enough vCPUs: 4 needed, 1 free",
    "not enough disk: 50 GiB needed, 0 free",
    "the tenant has 25 VMs there, its quota allows 25",
    "1 of group web in rack dc/a/r1, at most 1 may be",
    "datacenter dc1 is excluded",
    "is in dc1, and it must be dc2",
    "spread over 1 domains, at least 3 are asked for",
    "costs 2.000 an hour, the limit is 1.500",
  ]);
});
