import { expect, test } from "vitest";
import { vmSpec } from "../../../core/index.ts";
import { placedInTime } from "./placed-in-time.ts";
import { FakeFleet, INTERRUPTIONS, type Interruption } from "./testing/index.ts";

/** One VM that nobody can take, and one that all could. */
function fleetWithWaiting(): FakeFleet {
  const fleet = new FakeFleet(placedInTime);
  fleet.create("huge", { spec: vmSpec({ vcpus: 11 }) });
  fleet.create("one");
  return fleet;
}

test("planted: a VM is not placed, though there is room for it", () => {
  const fleet = fleetWithWaiting();
  fleet.lookFor(16);
  expect(fleet.violations).toEqual([]);
  fleet.lookFor(3);
  expect(fleet.violations[0]).toMatch(/^VM one waits, and worker [123] would have taken it for 15000 ms$/);
});

test("one that is placed in time, and one that nobody would take", () => {
  const fleet = fleetWithWaiting();
  fleet.lookFor(10);
  fleet.place("one", 1);
  fleet.lookFor(30);
  expect(fleet.violations).toEqual([]);
  expect(fleet.checks).toBeGreaterThan(0);
});

const CASES: readonly Interruption[] = [
  ...INTERRUPTIONS,
  ["something has changed about it", (fleet) => fleet.move("one", {})],
];

test.each(CASES)("when %s meanwhile, time begins anew", (_, interrupt) => {
  const fleet = fleetWithWaiting();
  fleet.lookFor(12);
  interrupt(fleet);
  fleet.lookFor(12);
  expect(fleet.violations).toEqual([]);
});
