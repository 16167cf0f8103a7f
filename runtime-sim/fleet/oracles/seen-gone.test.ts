import { expect, test } from "vitest";
import { seenGone } from "./seen-gone.ts";
import { FakeFleet } from "./testing/index.ts";

function fleetWithOne(): FakeFleet {
  const fleet = new FakeFleet(seenGone);
  fleet.running("web", 1);
  return fleet;
}

test("it leaves when its machine has gone, and runs elsewhere", () => {
  const fleet = fleetWithOne();
  fleet.move("web", { state: "Stopping", eviction: "drain" });
  fleet.worker(1).end("web");
  fleet.move("web", { state: "Pending", workerId: null, eviction: null });
  fleet.place("web", 2);
  const { epoch } = fleet.vm("web");
  fleet.audit.acted(fleet.worker(2), { kind: "start", name: "web", epoch });
  expect(fleet.violations).toEqual([]);
  expect(fleet.checks).toBe(2);
});

test("planted: a drain is finished by the book while the machine runs", () => {
  const fleet = fleetWithOne();
  fleet.move("web", { state: "Pending", workerId: null });
  expect(fleet.violations).toEqual([
    "VM web gave up worker 1 by entry 5, applied at event 6, 0.000000 s, where its machine of " + "run 3 is running",
  ]);
});

test("planted: a VM is deleted while its disk is still there", () => {
  const fleet = fleetWithOne();
  const { epoch } = fleet.vm("web");
  fleet.worker(1).end("web");
  fleet.worker(1).stopped.push({ name: "web", epoch, phase: "stopped", reason: "" });
  fleet.remove("web");
  expect(fleet.violations).toEqual([
    "VM web gave up worker 1 by entry 5, applied at event 7, 0.000000 s, where its machine of " + "run 3 is stopped",
  ]);
});

test("planted: an agent that has not heard builds what is believed gone", () => {
  const fleet = new FakeFleet(seenGone);
  fleet.create("web");
  fleet.place("web", 1);
  const { epoch, spec } = fleet.vm("web");
  fleet.remove("web");
  fleet.audit.acted(fleet.worker(1), { kind: "build", name: "web", epoch, spec, interfaces: [] });
  expect(fleet.violations).toEqual([
    `worker 1 is told to build run ${epoch} of VM web at event 4, 0.000000 s; run ${epoch} was given up by entry 4, ` +
      "applied at event 4, 0.000000 s",
  ]);
});

test("on a worker that is lost nobody can look", () => {
  const fleet = fleetWithOne();
  fleet.setWorker(1, { isOnline: false });
  fleet.move("web", { state: "Lost", workerId: null });
  expect(fleet.violations).toEqual([]);
});
