import { expect, test } from "vitest";
import { lostInTime } from "./lost-in-time.ts";
import { FakeFleet } from "./testing/index.ts";

function lookFor(fleet: FakeFleet, seconds: number): void {
  for (let at = 0; at < seconds * 4; at++) {
    fleet.nowMs += 250;
    fleet.audit.look();
  }
}

/** All three workers are online, and report but for the first. */
function fleetWithSilent(): FakeFleet {
  const fleet = new FakeFleet(lostInTime);
  fleet.lose(2);
  fleet.lose(3);
  return fleet;
}

test("planted: nobody hears a worker for long, and it is not declared lost", () => {
  const fleet = fleetWithSilent();
  lookFor(fleet, 20);
  expect(fleet.violations).toEqual([]);
  lookFor(fleet, 0.25);
  expect(fleet.violations).toEqual([
    "worker 1 counts as online, and no server has heard of it for 20000 ms, under a leader that could have declared " +
      "it lost",
  ]);
});

test("one that is declared lost in time", () => {
  const fleet = fleetWithSilent();
  lookFor(fleet, 14);
  fleet.lose(1);
  lookFor(fleet, 30);
  expect(fleet.violations).toEqual([]);
  expect(fleet.checks).toBeGreaterThan(0);
});

test.each([
  ["a report has come", (fleet: FakeFleet) => fleet.audit.reported(fleet.worker(1))],
  ["a report was answered", (fleet: FakeFleet) => fleet.audit.granted(fleet.worker(1), 0)],
  ["it has been registered", (fleet: FakeFleet) => fleet.register(1)],
  [
    "another leads",
    (fleet: FakeFleet) => {
      fleet.term += 1;
    },
  ],
  [
    "nobody could commit",
    (fleet: FakeFleet) => {
      fleet.canCommit = false;
      lookFor(fleet, 0.25);
      fleet.canCommit = true;
    },
  ],
  [
    "nobody has looked",
    (fleet: FakeFleet) => {
      fleet.nowMs += 2000;
    },
  ],
])("when %s meanwhile, time begins anew", (_, interrupt) => {
  const fleet = fleetWithSilent();
  lookFor(fleet, 15);
  interrupt(fleet);
  lookFor(fleet, 15);
  expect(fleet.violations).toEqual([]);
});
