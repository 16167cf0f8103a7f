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
  expect(fleet.violations).toEqual([
    "task count runs twice at once: attempt 1 on worker 1 since event 2, 0.000000 s, and attempt " +
      "2 on worker 2 since event 3, 0.000000 s",
  ]);
});

test("planted: an attempt is begun twice", () => {
  const fleet = new FakeFleet(oneAttempt);
  fleet.worker(1).runJob("count", 1);
  fleet.worker(1).endJob("count");
  fleet.worker(1).runJob("count", 1);
  expect(fleet.violations).toEqual([
    "task count: attempt 1 on worker 1 since event 4, 0.000000 s begins after attempt 1 on " +
      "worker 1 since event 2, 0.000000 s had",
  ]);
});
