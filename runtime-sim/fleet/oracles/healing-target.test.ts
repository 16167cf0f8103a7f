import { expect, test } from "vitest";
import { vmSpec } from "../../../core/index.ts";
import { healingTarget } from "./healing-target.ts";
import { FakeFleet } from "./testing/index.ts";

function fleetWithTwo(): FakeFleet {
  const fleet = new FakeFleet(healingTarget, { faultsAreLocal: true });
  fleet.running("sick", 1);
  fleet.running("well", 2);
  fleet.worker(1).wasDisturbed = true;
  return fleet;
}

test("who is healed may be touched", () => {
  const fleet = fleetWithTwo();
  fleet.move("sick", { state: "Failed" });
  fleet.move("sick", { state: "Stopping", eviction: "recovery" });
  expect(fleet.violations).toEqual([]);
  expect(fleet.checks).toBe(1);
});

test("planted: healing one stops another", () => {
  const fleet = fleetWithTwo();
  fleet.move("well", { state: "Stopping", eviction: "recovery", reason: "leaves worker 2: recovery" });
  expect(fleet.violations).toEqual([
    "VM well went to Stopping on worker 2, which nothing had happened to (leaves worker 2: recovery)",
  ]);
});

test("planted: a healthy VM is started anew", () => {
  const fleet = fleetWithTwo();
  fleet.place("well", 2);
  expect(fleet.violations).toHaveLength(1);
});

test("who was asked for, and what stands on a worker that was, may be touched", () => {
  const fleet = fleetWithTwo();
  fleet.running("other", 3);
  fleet.touched.add("well");
  fleet.disturbed.add(3);
  fleet.move("well", { state: "Stopping" });
  fleet.move("other", { state: "Stopping" });
  expect(fleet.violations).toEqual([]);
});

test("who makes room for a VM of higher priority may be touched", () => {
  const fleet = fleetWithTwo();
  fleet.create("urgent", { spec: vmSpec({ priority: 900 }), targetId: 2 });
  fleet.setWorker(2, { nominees: ["urgent"] });
  fleet.move("well", { state: "Stopping", eviction: "preempted" });
  expect(fleet.violations).toEqual([]);
});

test("planted: a VM is preempted for one that is no more important", () => {
  const fleet = fleetWithTwo();
  fleet.create("equal", { targetId: 2 });
  fleet.setWorker(2, { nominees: ["equal"] });
  fleet.move("well", { state: "Stopping", eviction: "preempted" });
  expect(fleet.violations).toHaveLength(1);
});

test("where faults are not local nothing is said", () => {
  const fleet = new FakeFleet(healingTarget);
  fleet.running("well", 2);
  fleet.move("well", { state: "Lost" });
  expect(fleet.checks).toBe(0);
});
