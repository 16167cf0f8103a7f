import { expect, test } from "vitest";
import { DEFAULT_RECOVERY, vmSpec } from "../../../core/index.ts";
import { recoveryCounts } from "./recovery-counts.ts";
import { FakeFleet } from "./testing/index.ts";

const spec = vmSpec({ recovery: { ...DEFAULT_RECOVERY, restartsMax: 2, resetAfterMs: 10_000 } });

function fleetWithOne(): FakeFleet {
  const fleet = new FakeFleet(recoveryCounts);
  fleet.running("web", 1, { spec });
  return fleet;
}

function fail(fleet: FakeFleet, changes: { restarts?: number; relocations?: number } = {}): void {
  fleet.move("web", { state: "Failed", ...changes });
}

function restart(fleet: FakeFleet, restarts: number): void {
  const { epoch } = fleet.vm("web");
  const command = { kind: "recoverVm", name: "web", epoch } as const;
  fleet.move("web", { state: "Scheduled", epoch: epoch + 100, restarts }, { command });
  fleet.move("web", { state: "Running" });
}

function moveAway(fleet: FakeFleet, relocations: number): void {
  const command = { kind: "evictVm", name: "web", epoch: 1, cause: "recovery", to: null } as const;
  fleet.move("web", { state: "Stopping", eviction: "recovery", restarts: 0, relocations }, { command });
}

test("two restarts, a move, and after a long time all of them again", () => {
  const fleet = fleetWithOne();
  fail(fleet);
  restart(fleet, 1);
  fail(fleet);
  restart(fleet, 2);
  fail(fleet);
  moveAway(fleet, 1);
  fleet.move("web", { state: "Pending", workerId: null, eviction: null });
  fleet.place("web", 2);
  fleet.move("web", { state: "Running" });
  fleet.nowMs += 10_000;
  fail(fleet, { relocations: 0 });
  expect(fleet.violations).toEqual([]);
  expect(fleet.checks).toBe(14);
});

test("planted: a restart is not counted", () => {
  const fleet = fleetWithOne();
  fail(fleet);
  restart(fleet, 0);
  expect(fleet.violations[0]).toBe(
    "VM web has 0 restarts and 0 moves by entry 6, applied at event 7, 0.000000 s, and should have 1 restarts and 0 " +
      "moves; none was counted before, and it last began to run at event 4, 0.000000 s",
  );
});

test("planted: whoever has run for a moment has its restarts back", () => {
  const fleet = fleetWithOne();
  fail(fleet);
  restart(fleet, 1);
  fleet.nowMs += 9000;
  fail(fleet, { restarts: 0 });
  expect(fleet.violations).toHaveLength(1);
});

test("planted: whoever has run for long has not", () => {
  const fleet = fleetWithOne();
  fail(fleet);
  restart(fleet, 1);
  fleet.nowMs += 10_000;
  fail(fleet);
  expect(fleet.violations).toHaveLength(1);
});

test("planted: a third restart of two", () => {
  const fleet = fleetWithOne();
  for (const restarts of [1, 2, 3]) {
    fail(fleet);
    restart(fleet, restarts);
  }
  expect(fleet.violations).toEqual([
    "VM web is restarted by entry 12, applied at event 13, 0.000000 s, as restart 3 of 2; " +
      "the last was counted at event 10, 0.000000 s",
  ]);
});

test("planted: it has to move after one restart of two", () => {
  const fleet = fleetWithOne();
  fail(fleet);
  restart(fleet, 1);
  fail(fleet);
  moveAway(fleet, 1);
  expect(fleet.violations).toEqual([
    "VM web has to move by entry 9, applied at event 10, 0.000000 s, after 1 of 2 restarts; " +
      "the last was counted at event 7, 0.000000 s",
  ]);
});

test("planted: a fourth move", () => {
  const fleet = new FakeFleet(recoveryCounts);
  fleet.running("web", 1, { spec: vmSpec({ recovery: { ...DEFAULT_RECOVERY, restartsMax: 0 } }) });
  for (const relocations of [1, 2, 3, 4]) {
    fail(fleet);
    moveAway(fleet, relocations);
  }
  expect(fleet.violations).toEqual([
    "VM web has to move by entry 12, applied at event 13, 0.000000 s, as move 4 of 3; " +
      "the last was counted at event 11, 0.000000 s",
  ]);
});

test("whoever was asked for may have other counts", () => {
  const fleet = fleetWithOne();
  fleet.touched.add("web");
  fail(fleet, { restarts: 7 });
  expect(fleet.violations).toEqual([]);
});
