import { expect, test } from "vitest";
import { type Quota, vmSpec } from "../../../core/index.ts";
import { quotas } from "./quotas.ts";
import { FakeFleet } from "./testing/index.ts";

function fleetWith(quota: Partial<Quota>): FakeFleet {
  const fleet = new FakeFleet(quotas);
  fleet.setQuota("default", quota);
  fleet.create("one");
  return fleet;
}

test("up to the quota", () => {
  const fleet = fleetWith({ vms: 2 });
  fleet.create("two");
  expect(fleet.violations).toEqual([]);
  expect(fleet.checks).toBe(2);
});

test.each([
  ["vms", { vms: 1 }, "from 1 to 2 vms of 1 by VM two, entry 4"],
  ["vcpus", { vcpus: 3 }, "from 2 to 4 vcpus of 3"],
  ["memory", { memoryMiB: 1500 }, "from 1024 to 2048 memoryMiB of 1500"],
  ["disk", { diskGiB: 9 }, "from 5 to 10 diskGiB of 9"],
])("planted: a VM beyond the quota of %s", (_, quota, message) => {
  const fleet = fleetWith(quota);
  fleet.create("two");
  expect(fleet.violations).toEqual([expect.stringContaining(message)]);
});

test("planted: a VM grows beyond the quota", () => {
  const fleet = fleetWith({ vcpus: 2 });
  fleet.move("one", { spec: vmSpec({ vcpus: 3 }) });
  expect(fleet.violations).toEqual(["tenant default comes from 2 to 3 vcpus of 2 by VM one, entry 4"]);
});

test("planted: one VM too many on a worker", () => {
  const fleet = fleetWith({ vmsPerWorker: 1 });
  fleet.create("two");
  fleet.place("one", 1);
  fleet.place("two", 1);
  expect(fleet.violations).toEqual(["tenant default comes from 1 to 2 vmsPerWorker of 1 by VM two, entry 6"]);
});

test("a quota that is lowered leaves what is there", () => {
  const fleet = fleetWith({ vms: 3 });
  fleet.create("two");
  fleet.setQuota("default", { vms: 1 });
  expect(fleet.violations).toEqual([]);
  fleet.create("three");
  expect(fleet.violations).toEqual(["tenant default comes from 2 to 3 vms of 1 by VM three, entry 6"]);
});

test("planted: a VM comes from another tenant, and its new one has no VM left", () => {
  const fleet = fleetWith({ vms: 1 });
  fleet.create("two", { spec: vmSpec({ tenant: "other" }) });
  expect(fleet.violations).toEqual([]);
  fleet.update("two", { tenant: "default", spec: vmSpec({ tenant: "default" }) });
  expect(fleet.violations).toEqual(["tenant default comes from 1 to 2 vms of 1 by VM two, entry 5"]);
});

test("planted: two entries between two audits, of which the second makes good what the first did", () => {
  const fleet = fleetWith({ vms: 1 });
  fleet.create("two");
  fleet.remove("two");
  expect(fleet.violations).toHaveLength(1);
});

test("what a tenant has given away leaves room", () => {
  const fleet = fleetWith({ vms: 1 });
  fleet.update("one", { tenant: "other", spec: vmSpec({ tenant: "other" }) });
  fleet.create("two");
  expect(fleet.violations).toEqual([]);
});
