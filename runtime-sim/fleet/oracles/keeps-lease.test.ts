import { expect, test } from "vitest";
import { keepsLease } from "./keeps-lease.ts";
import { FakeFleet } from "./testing/index.ts";

/** Worker 1 is known to the cluster, can be served, and holds no lease. */
function fleetToServe(): FakeFleet {
  const fleet = new FakeFleet(keepsLease);
  fleet.know(1);
  fleet.servable.add(1);
  return fleet;
}

test("planted: it could be served for long, and holds no lease", () => {
  const fleet = fleetToServe();
  fleet.lookFor(20);
  expect(fleet.violations).toEqual([]);
  fleet.lookFor(0.5);
  expect(fleet.violations[0]).toBe(
    "worker 1 holds no lease, counts as online, and could have been served for 20000 ms",
  );
});

test("one that holds a lease is served", () => {
  const fleet = fleetToServe();
  fleet.worker(1).switchAtMs = 10;
  fleet.lookFor(30);
  expect(fleet.violations).toEqual([]);
  expect(fleet.checks).toBeGreaterThan(0);
});

test.each([
  [
    "it was cut off",
    (fleet: FakeFleet) => {
      fleet.servable.delete(1);
      fleet.lookFor(0.25);
      fleet.servable.add(1);
    },
  ],
  [
    "another leads",
    (fleet: FakeFleet) => {
      fleet.term += 1;
    },
  ],
  [
    "its agent has started anew",
    (fleet: FakeFleet) => {
      fleet.worker(1).process += 1;
    },
  ],
  [
    "its host was down",
    (fleet: FakeFleet) => {
      fleet.worker(1).downs += 1;
    },
  ],
  [
    "nobody has looked",
    (fleet: FakeFleet) => {
      fleet.nowMs += 2000;
    },
  ],
])("when %s meanwhile, time begins anew", (_, interrupt) => {
  const fleet = fleetToServe();
  fleet.lookFor(15);
  interrupt(fleet);
  fleet.lookFor(15);
  expect(fleet.checks).toBe(0);
});

test("one that the cluster does not know is not judged", () => {
  const fleet = fleetToServe();
  fleet.servable.add(2);
  fleet.worker(1).switchAtMs = 10;
  fleet.lookFor(30);
  expect(fleet.violations).toEqual([]);
});
