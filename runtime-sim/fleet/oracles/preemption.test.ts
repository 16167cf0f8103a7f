import { expect, test } from "vitest";
import { vmSpec } from "../../../core/index.ts";
import { preemption } from "./preemption.ts";
import { FakeFleet } from "./testing/index.ts";

/** On worker 1, which has 10 vcpus, run VMs of 3 vcpus each, of the given priorities: a, b, c. */
function fleetWith(...priorities: readonly number[]): FakeFleet {
  const fleet = new FakeFleet(preemption);
  priorities.forEach((priority, at) => {
    fleet.running("abc"[at] ?? "?", 1, { spec: vmSpec({ vcpus: 3, priority }) });
  });
  fleet.create("big", { spec: vmSpec({ vcpus: 4, priority: 900 }) });
  fleet.decidedBefore = fleet.state.appliedIndex;
  return fleet;
}

test("the least important one makes room, and no more than are needed", () => {
  const fleet = fleetWith(100, 200, 300);
  fleet.preempt("big", 1, ["a"]);
  expect(fleet.violations).toEqual([]);
  expect(fleet.checks).toBe(1);
});

test("planted: one more than needed", () => {
  const fleet = fleetWith(100, 200, 300);
  fleet.preempt("big", 1, ["a", "b"]);
  expect(fleet.violations).toEqual(["a, b make room for big by entry 12: a could have stayed"]);
});

test("planted: a more important one than needed", () => {
  const fleet = fleetWith(100, 200, 300);
  fleet.preempt("big", 1, ["c"]);
  expect(fleet.violations).toEqual([
    "c make room for big by entry 12: without one of priority 300, a, b would have been enough",
  ]);
});

test("planted: one that is as important, and one that is not preemptible", () => {
  const fleet = fleetWith(900, 200, 300);
  fleet.preempt("big", 1, ["a"]);
  expect(fleet.violations[0]).toBe(
    "VM a is preempted by entry 12, and may not be: its priority is 900, that of big 900",
  );
  const firm = new FakeFleet(preemption);
  firm.running("a", 1, { spec: vmSpec({ preemptible: false, priority: 1 }) });
  firm.create("big", { spec: vmSpec({ priority: 900 }) });
  firm.preempt("big", 1, ["a"]);
  expect(firm.violations[0]).toContain("it is not preemptible");
});

test("planted: one on another worker, one that is stopped, and one that nobody asked for", () => {
  const fleet = fleetWith(100, 200, 300);
  fleet.running("away", 2, { spec: vmSpec({ priority: 1 }) });
  fleet.running("off", 1, { spec: vmSpec({ priority: 1 }), desired: "stopped" });
  fleet.running("alone", 1);
  fleet.decidedBefore = null;
  fleet.preempt("big", 1, ["off"]);
  fleet.move("alone", { state: "Stopping", eviction: "preempted" });
  expect(fleet.violations.map((one) => one.split(": ")[1])).toEqual(["it does not run", "nobody asked for its room"]);
});

test("whoever decided may not have known of the room that there is by now", () => {
  const fleet = fleetWith(100, 200, 300);
  fleet.move("c", { state: "Pending", workerId: null });
  fleet.preempt("big", 1, ["a"]);
  expect(fleet.violations).toEqual([]);
});

test("planted: nobody had to go, and whoever decided knew it", () => {
  const fleet = fleetWith(100, 200, 300);
  fleet.move("c", { state: "Pending", workerId: null });
  fleet.decidedBefore = fleet.state.appliedIndex;
  fleet.preempt("big", 1, ["a"]);
  expect(fleet.violations).toEqual(["a make room for big by entry 13: a could have stayed"]);
});
