/** Whom nobody takes is not asked about again in vain, and is never forgotten. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { explainer, needsPlace, tableValues } from "../cluster/index.ts";
import { DEFAULT_QUOTA, type Quota, type VmSpec } from "../domain/index.ts";
import { FACTS, OrchestratorHarness } from "../testing/index.ts";

const HOSTS = [1, 2, 3, 4, 5, 6];

const spec = fc.record({
  vcpus: fc.constantFrom(1, 2, 4, 7),
  priority: fc.constantFrom(500, 500, 500, 900),
  antiAffinity: fc.array(
    fc.record({
      group: fc.constantFrom("a", "b"),
      softWeight: fc.constantFrom(null, null, 5),
      maxPerDomain: fc.integer({ min: 1, max: 2 }),
      scope: fc.constantFrom("node" as const, "rack" as const, "zone" as const),
    }),
    { maxLength: 1 },
  ),
});

const deed = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("create" as const), spec }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("delete" as const), nth: fc.nat({ max: 30 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("availability" as const),
      workerId: fc.constantFrom(...HOSTS),
      availability: fc.constantFrom("online" as const, "cordoned" as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("report" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("quota" as const), vmsPerWorker: fc.constantFrom(1, 2, null) }),
  },
  // Refused while something is placed there: only a few ever go.
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("remove" as const), workerId: fc.constantFrom(5, 6) }) },
);

/** Null: none at all. */
function quotaOf({ vmsPerWorker }: { readonly vmsPerWorker: number | null }): Quota | null {
  return vmsPerWorker === null ? null : { ...DEFAULT_QUOTA, vmsPerWorker };
}

test("whoever waits would be refused by everybody, were everybody asked again", () => {
  let waited = 0;
  fc.assert(
    fc.property(fc.array(deed, { minLength: 30, maxLength: 80 }), (deeds) => {
      const harness = new OrchestratorHarness();
      for (const id of HOSTS) {
        const topology = { datacenter: "dc", zone: `zone-${id % 2}`, rack: `rack-${id % 3}` };
        harness.join(id, { ...FACTS, topology, capacity: { vcpus: 8, memoryMiB: 100_000, diskGiB: 10_000 } });
      }
      let created = 0;
      for (const one of deeds) {
        if (one.kind === "create") harness.create(`vm-${created++}`, one.spec satisfies Partial<VmSpec>);
        else if (one.kind === "delete")
          harness.commit({ kind: "deleteVm", name: `vm-${one.nth}`, expectedGeneration: null });
        else if (one.kind === "availability")
          harness.commit({ kind: "setAvailability", workerId: one.workerId, availability: one.availability });
        else if (one.kind === "quota") harness.commit({ kind: "setQuota", tenant: "default", quota: quotaOf(one) });
        else if (one.kind === "remove") harness.commit({ kind: "removeWorker", workerId: one.workerId });
        else harness.run(...HOSTS);
        for (const vm of tableValues(harness.state.vms)) {
          if (!needsPlace(vm) || vm.targetId !== null) continue;
          waited += 1;
          const plan = explainer(harness.state)(vm.name);
          expect(plan?.workerId, vm.name).toBeNull();
          expect(plan?.preemption?.victims ?? [], vm.name).toEqual([]);
        }
      }
    }),
    { numRuns: 80, seed: 1 },
  );
  expect(waited).toBeGreaterThan(1000);
});
