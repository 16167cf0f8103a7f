import { expect, test } from "vitest";
import { oneAttempt } from "./one-attempt.ts";
import { FakeFleet } from "./testing/index.ts";

test("one attempt after the other", () => {
  const fleet = new FakeFleet(oneAttempt);
  fleet.worker(1).runJob("count", 1);
  fleet.worker(1).endJob("count");
  fleet.worker(2).runJob("count", 2);
  expect(fleet.violations).toEqual([]);
  expect(fleet.checks).toBe(2);
});

test("planted: the next attempt begins before the first has ended", () => {
  const fleet = new FakeFleet(oneAttempt);
  fleet.worker(1).runJob("count", 1);
  fleet.worker(2).runJob("count", 2);
  expect(fleet.violations).toEqual(["task count runs as attempt 1 on worker 1 and attempt 2 on worker 2"]);
});

test("planted: an attempt is begun twice", () => {
  const fleet = new FakeFleet(oneAttempt);
  fleet.worker(1).runJob("count", 1);
  fleet.worker(1).endJob("count");
  fleet.worker(1).runJob("count", 1);
  expect(fleet.violations).toEqual(["attempt 1 of task count begins on worker 1 after attempt 1 had"]);
});
