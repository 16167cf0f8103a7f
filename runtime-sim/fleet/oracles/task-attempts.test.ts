import { expect, test } from "vitest";
import { taskAttempts } from "./task-attempts.ts";
import { FakeFleet } from "./testing/index.ts";

/** One task, which may be begun twice. */
function fleetWithTask(): FakeFleet {
  const fleet = new FakeFleet(taskAttempts);
  fleet.submitTask("count", 2);
  return fleet;
}

test("as often as it may be, and again for another task of the same name", () => {
  const fleet = fleetWithTask();
  fleet.taskIs("count", "Running", 1);
  fleet.taskIs("count", "Pending", 1);
  fleet.taskIs("count", "Running", 2);
  fleet.taskIs("count", "Failed", 2);
  fleet.submitTask("count", 1);
  fleet.taskIs("count", "Running", 1);
  expect(fleet.violations).toEqual([]);
  expect(fleet.checks).toBe(3);
});

test("planted: one attempt too many", () => {
  const fleet = fleetWithTask();
  for (const attempt of [1, 2, 3]) fleet.taskIs("count", "Running", attempt);
  expect(fleet.violations).toEqual(["task count is begun by entry 5 as attempt 3 of 2"]);
});

test("planted: the attempt before is not counted", () => {
  const fleet = fleetWithTask();
  fleet.taskIs("count", "Running", 1);
  fleet.taskIs("count", "Running", 1);
  expect(fleet.violations).toEqual(["task count is begun by entry 4 as attempt 1, and it is attempt 2"]);
});

test("planted: a task that somebody has cancelled is begun again", () => {
  const fleet = fleetWithTask();
  fleet.taskIs("count", "Running", 1);
  fleet.taskIs("count", "Running", 1, { kind: "cancelTask", id: "count" });
  expect(fleet.violations).toEqual([]);
  fleet.taskIs("count", "Running", 2);
  expect(fleet.violations).toEqual(["task count is begun by entry 5, and is over: Cancelled"]);
});

test("planted: a task that has succeeded is begun again", () => {
  const fleet = fleetWithTask();
  fleet.taskIs("count", "Running", 1);
  fleet.taskIs("count", "Succeeded", 1);
  fleet.taskIs("count", "Running", 2);
  expect(fleet.violations).toEqual(["task count is begun by entry 5, and is over: Succeeded"]);
});
