import { expect, test } from "vitest";
import { vmSpec } from "../../../core/index.ts";
import { hardRules } from "./hard-rules.ts";
import { FakeFleet } from "./testing/index.ts";

const locality = { preferredDatacenter: null, preferredZone: null, strict: false, excludedDatacenters: [] };
/** Any of these is more than worker 1 has, or not where it is. */
const UNMET = [
  ["a feature", { features: ["gpu"] }, "it lacks gpu"],
  ["another worker", { workerId: 2 }, "worker 2 is required"],
  ["another datacenter", { locality: { ...locality, strict: true, preferredDatacenter: "far" } }, "has to be in far"],
  ["another zone", { locality: { ...locality, strict: true, preferredZone: "far" } }, "has to be in far"],
  ["any but this datacenter", { locality: { ...locality, excludedDatacenters: ["dc"] } }, "which is excluded"],
  ["more than there is", { vcpus: 11 }, "11 vcpus"],
] as const;

test.each(UNMET)("planted: placed on a worker although it requires %s", (_, spec, why) => {
  const fleet = new FakeFleet(hardRules);
  fleet.create("web", { spec: vmSpec(spec) });
  fleet.place("web", 1);
  expect(fleet.violations).toHaveLength(1);
  expect(fleet.violations[0]).toContain(why);
});

test.each(UNMET)("planted: changed where it is to require %s", (_, spec, why) => {
  const fleet = new FakeFleet(hardRules);
  fleet.running("web", 1);
  fleet.update("web", { spec: vmSpec(spec) });
  expect(fleet.violations).toHaveLength(1);
  expect(fleet.violations[0]).toContain(why);
});

test("what it required already does not count again, and where it is not placed it may require anything", () => {
  const fleet = new FakeFleet(hardRules);
  const spec = vmSpec({ features: ["gpu"], workerId: 2, locality: { ...locality, excludedDatacenters: ["dc"] } });
  fleet.create("odd", { spec, workerId: 1, placed: { vcpus: 2, memoryMiB: 1024, diskGiB: 5 } });
  fleet.update("odd", { spec: { ...spec, priority: 7 } });
  fleet.create("free");
  fleet.update("free", { spec });
  expect(fleet.violations.filter((one) => one.includes("free"))).toEqual([]);
  expect(fleet.violations).toEqual([]);
});

test("planted: placed on a worker that takes nothing new", () => {
  const fleet = new FakeFleet(hardRules);
  fleet.create("web");
  fleet.setAvailability(1, "cordoned");
  fleet.place("web", 1);
  expect(fleet.violations[0]).toContain("it is cordoned");
});

test("planted: room that is kept for another is taken", () => {
  const fleet = new FakeFleet(hardRules);
  fleet.create("first", { spec: vmSpec({ vcpus: 6 }), targetId: 1 });
  fleet.create("second", { spec: vmSpec({ vcpus: 6 }) });
  fleet.place("second", 1);
  expect(fleet.violations[0]).toContain("12 vcpus");
});
