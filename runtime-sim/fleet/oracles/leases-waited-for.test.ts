import { expect, test } from "vitest";
import { leasesWaitedFor } from "./leases-waited-for.ts";
import { FakeFleet } from "./testing/index.ts";

/** Worker 1 has sent a report at 1000 of its clock, and a server has answered it by a lease. */
function fleetWithLease(): FakeFleet {
  const fleet = new FakeFleet(leasesWaitedFor);
  fleet.audit.granted(fleet.worker(1), 1000);
  return fleet;
}

function loseAt(fleet: FakeFleet, nowMs: number): void {
  fleet.worker(1).nowMs = nowMs;
  fleet.lose(1);
}

test("a lease and the grace of the host after the report was sent", () => {
  const fleet = fleetWithLease();
  loseAt(fleet, 13_000);
  expect(fleet.violations).toEqual([]);
  expect(fleet.checks).toBe(1);
});

test("planted: the grace of the host is not waited for", () => {
  const fleet = fleetWithLease();
  loseAt(fleet, 12_500);
  expect(fleet.violations).toEqual([
    "worker 1 is declared lost by entry 2, applied at event 2, 0.000000 s, 500 ms before " +
      "everything on it has ended: a lease was given at event 1, 0.000000 s",
  ]);
});

test("planted: an older answer comes later, and the newest lease is forgotten", () => {
  const fleet = fleetWithLease();
  fleet.audit.granted(fleet.worker(1), 400);
  loseAt(fleet, 12_500);
  expect(fleet.violations).toHaveLength(1);
});

test("planted: a report of before is answered by a lease once its worker is lost", () => {
  const fleet = fleetWithLease();
  loseAt(fleet, 14_000);
  fleet.audit.granted(fleet.worker(1), 1900);
  expect(fleet.violations).toEqual([]);
  fleet.audit.granted(fleet.worker(1), 2500);
  expect(fleet.violations).toEqual([
    "worker 1, declared lost at event 2, 0.000000 s, is given a lease at event 2, 0.000000 s " +
      "that ends 500 ms after that",
  ]);
});

test("one that has registered again may have another", () => {
  const fleet = fleetWithLease();
  loseAt(fleet, 14_000);
  fleet.register(1);
  fleet.audit.granted(fleet.worker(1), 14_500);
  expect(fleet.violations).toEqual([]);
});

test("a host that has lost its power holds nothing, and an operator may say so", () => {
  const off = fleetWithLease();
  off.worker(1).reboot();
  loseAt(off, 50);
  const confirmed = fleetWithLease();
  confirmed.lose(1, { kind: "confirmWorkerDead", workerId: 1 });
  expect([...off.violations, ...confirmed.violations]).toEqual([]);
  expect(off.checks + confirmed.checks).toBe(0);
});
