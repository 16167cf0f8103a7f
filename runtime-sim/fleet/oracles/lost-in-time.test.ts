import { expect, test } from "vitest";
import { lostInTime } from "./lost-in-time.ts";
import { FakeFleet, INTERRUPTIONS, type Interruption } from "./testing/index.ts";

/** All three workers are online, and report but for the first. */
function fleetWithSilent(): FakeFleet {
  const fleet = new FakeFleet(lostInTime);
  fleet.lose(2);
  fleet.lose(3);
  return fleet;
}

test("planted: nobody hears a worker for long, and it is not declared lost", () => {
  const fleet = fleetWithSilent();
  fleet.lookFor(20);
  expect(fleet.violations).toEqual([]);
  fleet.lookFor(0.25);
  expect(fleet.violations).toEqual([
    "worker 1 counts as online, and no server has heard of it for 20000 ms, under a leader that could have declared " +
      "it lost",
  ]);
});

test("one that is declared lost in time", () => {
  const fleet = fleetWithSilent();
  fleet.lookFor(14);
  fleet.lose(1);
  fleet.lookFor(30);
  expect(fleet.violations).toEqual([]);
  expect(fleet.checks).toBeGreaterThan(0);
});

const CASES: readonly Interruption[] = [
  ...INTERRUPTIONS,
  ["a report has come", (fleet) => fleet.audit.reported(fleet.worker(1))],
  ["a report was answered", (fleet) => fleet.audit.granted(fleet.worker(1), 0)],
  ["it has been registered", (fleet) => fleet.register(1)],
];

test.each(CASES)("when %s meanwhile, time begins anew", (_, interrupt) => {
  const fleet = fleetWithSilent();
  fleet.lookFor(15);
  interrupt(fleet);
  fleet.lookFor(15);
  expect(fleet.violations).toEqual([]);
});
