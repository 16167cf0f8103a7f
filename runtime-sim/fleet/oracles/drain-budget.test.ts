import { expect, test } from "vitest";
import { drainBudget } from "./drain-budget.ts";
import { FakeFleet } from "./testing/index.ts";

/** As many VMs run on worker 1, and it is to be drained. */
function fleetWith(count: number): FakeFleet {
  const fleet = new FakeFleet(drainBudget);
  for (let at = 1; at <= count; at++) fleet.running(`vm-${at}`, 1, { runningSinceMs: 1 });
  fleet.setAvailability(1, "draining");
  return fleet;
}

function evict(fleet: FakeFleet, name: string): void {
  fleet.move(name, { state: "Stopping", eviction: "drain" });
}

function leave(fleet: FakeFleet, name: string): void {
  fleet.move(name, { state: "Pending", workerId: null, eviction: null });
}

function runElsewhere(fleet: FakeFleet, name: string): void {
  fleet.place(name, 2);
  fleet.move(name, { state: "Running" });
}

test("one after the other, each when the one before runs elsewhere", () => {
  const fleet = fleetWith(3);
  for (const name of ["vm-1", "vm-2"]) {
    evict(fleet, name);
    leave(fleet, name);
    runElsewhere(fleet, name);
  }
  expect(fleet.violations).toEqual([]);
  expect(fleet.checks).toBe(2);
});

test("a tenth at a time", () => {
  const fleet = fleetWith(20);
  evict(fleet, "vm-1");
  evict(fleet, "vm-2");
  expect(fleet.violations).toEqual([]);
  evict(fleet, "vm-3");
  expect(fleet.violations).toEqual([
    "worker 1 is drained of vm-1 (since event 83, 0.000000 s), vm-2 (since event 84, 0.000000 s), vm-3 (since event 85, 0.000000 s) at once: of its 20 VMs 2 may move at a time",
  ]);
});

test("planted: the next one goes when the one before has left, and does not run elsewhere", () => {
  const fleet = fleetWith(3);
  evict(fleet, "vm-1");
  leave(fleet, "vm-1");
  fleet.place("vm-1", 2);
  evict(fleet, "vm-2");
  expect(fleet.violations).toHaveLength(1);
});

test("planted: a new leader forgets those that are about to leave", () => {
  const fleet = fleetWith(3);
  evict(fleet, "vm-1");
  fleet.term = 2;
  evict(fleet, "vm-2");
  expect(fleet.violations).toHaveLength(1);
});

test("a new leader knows nothing of those that had left before", () => {
  const fleet = fleetWith(3);
  evict(fleet, "vm-1");
  leave(fleet, "vm-1");
  fleet.term = 2;
  evict(fleet, "vm-2");
  expect(fleet.violations).toEqual([]);
});

test("what takes too long is not waited for, what never ran counts for nothing, and who was asked for is not judged", () => {
  const fleet = fleetWith(3);
  fleet.running("idle", 1);
  fleet.touched.add("vm-2");
  evict(fleet, "idle");
  evict(fleet, "vm-1");
  evict(fleet, "vm-2");
  fleet.nowMs += 120_000;
  evict(fleet, "vm-3");
  expect(fleet.violations).toEqual([]);
  expect(fleet.checks).toBe(2);
});

test("a drain that ends and begins anew knows who is still leaving", () => {
  const fleet = fleetWith(3);
  evict(fleet, "vm-1");
  fleet.setAvailability(1, "online");
  fleet.setAvailability(1, "draining");
  evict(fleet, "vm-2");
  expect(fleet.violations).toHaveLength(1);
});
