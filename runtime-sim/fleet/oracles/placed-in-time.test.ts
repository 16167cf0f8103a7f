import { expect, test } from "vitest";
import { vmSpec } from "../../../core/index.ts";
import { placedInTime } from "./placed-in-time.ts";
import { FakeFleet } from "./testing/index.ts";

function lookFor(fleet: FakeFleet, seconds: number): void {
  for (let at = 0; at < seconds * 4; at++) {
    fleet.nowMs += 250;
    fleet.audit.look();
  }
}

/** One VM that nobody can take, and one that all could. */
function fleetWithWaiting(): FakeFleet {
  const fleet = new FakeFleet(placedInTime);
  fleet.create("huge", { spec: vmSpec({ vcpus: 11 }) });
  fleet.create("one");
  return fleet;
}

test("planted: a VM is not placed, though there is room for it", () => {
  const fleet = fleetWithWaiting();
  lookFor(fleet, 16);
  expect(fleet.violations).toEqual([]);
  lookFor(fleet, 3);
  expect(fleet.violations[0]).toMatch(/^VM one waits, and worker [123] would have taken it for 15000 ms$/);
});

test("one that is placed in time, and one that nobody would take", () => {
  const fleet = fleetWithWaiting();
  lookFor(fleet, 10);
  fleet.place("one", 1);
  lookFor(fleet, 30);
  expect(fleet.violations).toEqual([]);
  expect(fleet.checks).toBeGreaterThan(0);
});

test.each([
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
      fleet.nowMs += 4000;
    },
  ],
  ["something has changed about it", (fleet: FakeFleet) => fleet.move("one", {})],
])("when %s meanwhile, time begins anew", (_, interrupt) => {
  const fleet = fleetWithWaiting();
  lookFor(fleet, 12);
  interrupt(fleet);
  lookFor(fleet, 12);
  expect(fleet.violations).toEqual([]);
});
