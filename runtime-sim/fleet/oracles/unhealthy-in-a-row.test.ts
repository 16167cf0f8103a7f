import { expect, test } from "vitest";
import { vmSpec } from "../../../core/index.ts";
import { FakeFleet } from "./testing/index.ts";
import { unhealthyInARow } from "./unhealthy-in-a-row.ts";

const check = {
  name: "alive",
  probe: { kind: "tcp", port: 80 },
  intervalMs: 1000,
  timeoutMs: 500,
  initialDelayMs: 0,
  failures: 3,
  successes: 2,
  weight: 1,
  critical: true,
} as const;

function fleetProbed(results: readonly boolean[], epoch?: number): FakeFleet {
  const fleet = new FakeFleet(unhealthyInARow);
  fleet.running("web", 1, { spec: vmSpec({ healthChecks: [check] }) });
  for (const healthy of results)
    fleet.audit.probed(fleet.worker(1), {
      name: "web",
      epoch: epoch ?? fleet.vm("web").epoch,
      check: "alive",
      healthy,
    });
  return fleet;
}

function countUnhealthy(fleet: FakeFleet): void {
  const { epoch } = fleet.vm("web");
  const machines = [{ name: "web", epoch, phase: "unhealthy", reason: "" }] as const;
  fleet.move("web", { state: "Failed" }, { command: { kind: "observe", workerId: 1, bootId: 1, machines, jobs: [] } });
}

test("three failures in a row", () => {
  const fleet = fleetProbed([false, true, false, false, false]);
  countUnhealthy(fleet);
  expect(fleet.violations).toEqual([]);
  expect(fleet.checks).toBe(1);
});

test("planted: three failures that are not in a row", () => {
  const fleet = fleetProbed([false, false, true, false]);
  countUnhealthy(fleet);
  expect(fleet.violations).toEqual([
    "VM web counts as unhealthy by entry 5, applied at event 6, 0.000000 s, and its checks have failed in a row: " +
      "alive 2 of 3, until event 5, 0.000000 s",
  ]);
});

test("planted: failures of an earlier run count", () => {
  const fleet = fleetProbed([false, false, false], 2);
  countUnhealthy(fleet);
  expect(fleet.violations).toHaveLength(1);
});

test("on a host whose agent has stood still results may have come too late", () => {
  const fleet = fleetProbed([]);
  fleet.worker(1).wasPaused = true;
  countUnhealthy(fleet);
  expect(fleet.checks).toBe(0);
});
