import { expect, test } from "vitest";
import { tasksEnd } from "./tasks-end.ts";
import { FakeFleet } from "./testing/index.ts";

function fleetWithTask(): FakeFleet {
  const fleet = new FakeFleet(tasksEnd);
  fleet.setTask({ id: "count", state: "Succeeded", workerId: 2, attempt: 2 });
  fleet.worker(2).runJob("count", 2);
  return fleet;
}

test("the last attempt of a task that is over may show where it ran", () => {
  const fleet = fleetWithTask();
  expect(fleet.missing).toBeNull();
  expect(fleet.checks).toBe(1);
});

test("planted: a job of an attempt that has been replaced", () => {
  const fleet = fleetWithTask();
  fleet.setTask({ id: "count", state: "Succeeded", workerId: 2, attempt: 3 });
  expect(fleet.missing).toBe("worker 2 has attempt 2 of task count, which nobody wants there");
});

test("planted: a task that nobody runs counts as running", () => {
  const fleet = fleetWithTask();
  fleet.setTask({ id: "sum", state: "Running", workerId: 3, attempt: 1 });
  expect(fleet.missing).toBe("task sum still counts as running on worker 3, in attempt 1");
});

test("planted: a task waits though there is room", () => {
  const fleet = fleetWithTask();
  fleet.setTask({ id: "sum", state: "Pending", workerId: null, attempt: 0 });
  expect(fleet.missing).toMatch(/^task sum waits, though worker \d would take it$/);
});

test("progress is an attempt that begins, and a task that is over", () => {
  const fleet = fleetWithTask();
  const progress = () => fleet.audit.missing(fleet.state)?.progress;
  fleet.setTask({ id: "sum", state: "Running", workerId: 3, attempt: 1 });
  const before = progress() ?? 0;
  fleet.setTask({ id: "sum", state: "Running", workerId: 3, attempt: 2 });
  expect(progress()).toBe(before + 1);
  fleet.setTask({ id: "sum", state: "Failed", workerId: 3, attempt: 2 });
  fleet.setTask({ id: "next", state: "Running", workerId: 3, attempt: 1 });
  expect(progress()).toBe(before + 3);
});
