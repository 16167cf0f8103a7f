import { expect, test } from "vitest";
import { vmSpec } from "../../../core/index.ts";
import { recoveryPace } from "./recovery-pace.ts";
import { FakeFleet } from "./testing/index.ts";

const recovery = { restartsMax: 2, backoffMs: 1000, backoffFactor: 2, backoffMaxMs: 1500, resetAfterMs: 1 };

function fleetWithFailed(): FakeFleet {
  const fleet = new FakeFleet(recoveryPace);
  fleet.running("web", 1, { spec: vmSpec({ recovery }) });
  fleet.move("web", { state: "Failed" });
  return fleet;
}

function restart(fleet: FakeFleet, restarts: number): void {
  fleet.move("web", { state: "Scheduled", epoch: 100 + restarts, restarts });
}

test("each restart after its back-off", () => {
  const fleet = fleetWithFailed();
  fleet.nowMs += 1000;
  restart(fleet, 1);
  fleet.move("web", { state: "Failed" });
  fleet.nowMs += 1500;
  restart(fleet, 2);
  expect(fleet.violations).toEqual([]);
  expect(fleet.checks).toBe(2);
});

test("planted: a restart at once", () => {
  const fleet = fleetWithFailed();
  fleet.nowMs += 100;
  restart(fleet, 1);
  expect(fleet.violations).toEqual([
    "VM web is started again (1) 100 ms after it failed at event 6, 0.000000 s, and should be after 1000 ms",
  ]);
});

test("planted: the second restart waits no longer than the first", () => {
  const fleet = fleetWithFailed();
  fleet.nowMs += 1000;
  restart(fleet, 2);
  expect(fleet.violations).toHaveLength(1);
});

test("planted: one restart too many", () => {
  const fleet = fleetWithFailed();
  fleet.nowMs += 5000;
  restart(fleet, 3);
  expect(fleet.violations).toEqual([
    "VM web, which failed at event 6, 0.000000 s, is started again 3 times, and may be 2 times",
  ]);
});

test("whoever asked for it may have it started at once", () => {
  const fleet = fleetWithFailed();
  fleet.touched.add("web");
  restart(fleet, 1);
  expect(fleet.checks).toBe(0);
});
