import { expect, test } from "vitest";
import { removedWorkers } from "./removed-workers.ts";
import { FakeFleet } from "./testing/index.ts";

function fleetWithout(workerId: number): FakeFleet {
  const fleet = new FakeFleet(removedWorkers);
  fleet.running("web", 1);
  fleet.removeWorker(workerId);
  return fleet;
}

test("an empty worker goes, and the others go on", () => {
  const fleet = fleetWithout(2);
  fleet.move("web", { state: "Failed" });
  fleet.place("web", 3);
  fleet.audit.acted(fleet.worker(3), { kind: "start", name: "web", epoch: 9 });
  fleet.audit.acted(fleet.worker(2), { kind: "delete", name: "stranger", epoch: 1 });
  expect(fleet.violations).toEqual([]);
  expect(fleet.checks).toBe(3);
});

test("planted: a VM is still placed there", () => {
  expect(fleetWithout(1).violations[0]).toBe("worker 1 is removed by entry 5, and web is there");
});

test("planted: room is still kept there for a VM", () => {
  const fleet = new FakeFleet(removedWorkers);
  fleet.create("web", { targetId: 2 });
  fleet.removeWorker(2);
  expect(fleet.violations).toEqual(["worker 2 is removed by entry 3, and web is there"]);
});

test("planted: a task is still there", () => {
  const fleet = new FakeFleet(removedWorkers);
  fleet.setTask({ id: "count", state: "Running", workerId: 2, attempt: 1 });
  fleet.removeWorker(2);
  expect(fleet.violations).toEqual(["worker 2 is removed by entry 3, and count is there"]);
});

test("planted: the VM has been given up, and executes there all the same; a stranger may", () => {
  const fleet = new FakeFleet(removedWorkers);
  fleet.running("web", 1);
  fleet.worker(2).runOrphan("stranger", 1);
  fleet.move("web", { state: "Lost", workerId: null });
  fleet.removeWorker(1);
  fleet.removeWorker(2);
  expect(fleet.violations).toEqual(["worker 1 is removed by entry 6, and web/3 executes there"]);
});

test("planted: something is placed there later", () => {
  const fleet = fleetWithout(2);
  fleet.move("web", { state: "Lost", workerId: null });
  fleet.place("web", 2);
  expect(fleet.violations).toEqual(["worker 2 was removed at event 6, 0.000000 s, and has vmState by entry 7"]);
});

test("planted: its agent goes on to begin things", () => {
  const fleet = fleetWithout(2);
  fleet.audit.acted(fleet.worker(2), { kind: "start", name: "web", epoch: 9 });
  expect(fleet.violations).toEqual(["worker 2 was removed at event 6, 0.000000 s, and is told to start something"]);
});
