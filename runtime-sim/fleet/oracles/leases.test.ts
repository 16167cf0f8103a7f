import { expect, test } from "vitest";
import { type HostAction, vmSpec } from "../../../core/index.ts";
import { leases } from "./leases.ts";
import { FakeFleet } from "./testing/index.ts";

const start: HostAction = { kind: "start", name: "web", epoch: 1 };

function fleetAt(times: { nowMs: number; leasedAtMs: number; switchAtMs: number }): FakeFleet {
  const fleet = new FakeFleet(leases);
  Object.assign(fleet.worker(1), times);
  return fleet;
}

test("a lease from when it was asked for, and what is done under it", () => {
  const fleet = fleetAt({ nowMs: 1100, leasedAtMs: 1000, switchAtMs: 11_000 });
  fleet.audit.acted(fleet.worker(1), { kind: "fenceAt", atMs: 11_000 });
  fleet.audit.acted(fleet.worker(1), start);
  expect(fleet.violations).toEqual([]);
  expect(fleet.checks).toBe(2);
});

test("planted: a lease counts from when its answer came", () => {
  const fleet = fleetAt({ nowMs: 1100, leasedAtMs: 1000, switchAtMs: 0 });
  fleet.audit.acted(fleet.worker(1), { kind: "fenceAt", atMs: 11_100 });
  expect(fleet.violations).toEqual([
    "worker 1 has a lease for 100 ms longer than it can have been given: its clock showed 1000 ms when it sent the newest report that was answered",
  ]);
});

test("planted: a lease counts from a report that nobody has answered", () => {
  // Sent at 2000, and not told: no answer to it has come.
  const fleet = fleetAt({ nowMs: 2100, leasedAtMs: 1000, switchAtMs: 11_000 });
  fleet.audit.acted(fleet.worker(1), { kind: "fenceAt", atMs: 12_000 });
  expect(fleet.violations).toEqual([
    "worker 1 has a lease for 1000 ms longer than it can have been given: its clock showed 1000 ms when it sent the newest report that was answered",
  ]);
});

test.each<HostAction>([
  start,
  { kind: "build", name: "web", epoch: 1, spec: vmSpec(), interfaces: [] },
  { kind: "runJob", id: "count", attempt: 1, command: "work", args: [], timeoutMs: 1 },
])("planted: a $kind on a host whose switch has fallen", (action) => {
  const fleet = fleetAt({ nowMs: 11_000, leasedAtMs: 10_000, switchAtMs: 11_000 });
  fleet.audit.acted(fleet.worker(1), action);
  expect(fleet.violations).toEqual([
    `worker 1 is told to ${action.kind} something at 11000 ms of its clock, and its lease ended at 11000 ms`,
  ]);
});

test("planted: a start on a host whose switch was never set", () => {
  const fleet = fleetAt({ nowMs: 5, leasedAtMs: 0, switchAtMs: Number.NEGATIVE_INFINITY });
  fleet.audit.acted(fleet.worker(1), start);
  expect(fleet.violations).toHaveLength(1);
});

test("to end something takes no lease", () => {
  const fleet = fleetAt({ nowMs: 5, leasedAtMs: 0, switchAtMs: Number.NEGATIVE_INFINITY });
  fleet.audit.acted(fleet.worker(1), { kind: "stop", name: "web", epoch: 1 });
  expect(fleet.checks).toBe(0);
});
