/** VMs that their group blocks, and what opens a place for them. */
import { describe, expect, test } from "vitest";
import { FACTS, OrchestratorHarness } from "../testing/index.ts";

test("when one leaves a domain, others may come to any worker there", () => {
  const harness = new OrchestratorHarness();
  for (const id of [1, 2]) harness.join(id);
  // Another domain is open to the group, and too small.
  const small = { vcpus: 100, memoryMiB: 10, diskGiB: 10_000 };
  harness.join(3, { capacity: small, topology: { ...FACTS.topology, zone: "other" } });
  const antiAffinity = [{ group: "g", softWeight: null, maxPerDomain: 1, scope: "zone" as const }];
  harness.create("first", { antiAffinity, workerId: 1 });
  harness.create("second", { antiAffinity });
  harness.run(1, 2, 3);
  expect(harness.vm("second").workerId).toBeNull();
  harness.commit({ kind: "setAvailability", workerId: 1, availability: "cordoned" });
  harness.commit({ kind: "deleteVm", name: "first", expectedGeneration: null });
  harness.run(1);
  expect(harness.vm("second").workerId).toBe(2);
});

describe("one that is blocked by its group", () => {
  const antiAffinity = [{ group: "g", softWeight: null, maxPerDomain: 1, scope: "zone" as const }];

  function full(): OrchestratorHarness {
    const harness = new OrchestratorHarness();
    harness.join(1);
    harness.create("first", { antiAffinity });
    harness.create("second", { antiAffinity });
    harness.run(1);
    expect(harness.vm("first").workerId).toBe(1);
    expect(harness.vm("second").workerId).toBeNull();
    return harness;
  }

  test("gets its place when there is another domain", () => {
    const harness = full();
    harness.join(2, { topology: { ...FACTS.topology, zone: "other" } });
    harness.run(1, 2);
    expect(harness.vm("second").workerId).toBe(2);
  });

  test("gets its place when a member is of another group", () => {
    const harness = full();
    const { spec, generation } = harness.vm("first");
    const others = antiAffinity.map((rule) => ({ ...rule, group: "other" }));
    harness.commit({
      kind: "updateVm",
      name: "first",
      expectedGeneration: generation,
      spec: { ...spec, antiAffinity: others },
    });
    harness.run(1);
    expect(harness.vm("second").workerId).toBe(1);
  });
});
