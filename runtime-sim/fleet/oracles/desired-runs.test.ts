import { expect, test } from "vitest";
import { type VmRecord, vmSpec } from "../../../core/index.ts";
import { desiredRuns } from "./desired-runs.ts";
import { FakeFleet } from "./testing/index.ts";

function missingOf(changes: Partial<VmRecord>): string | null {
  const fleet = new FakeFleet(desiredRuns);
  fleet.create("web");
  fleet.move("web", changes);
  return fleet.missing;
}

test("what is desired to run does, and what is desired to stop has", () => {
  const fleet = new FakeFleet(desiredRuns);
  fleet.running("web", 1);
  fleet.create("off", { state: "Stopped", desired: "stopped" });
  expect(fleet.missing).toBeNull();
  expect(fleet.checks).toBe(2);
});

test("planted: it runs by the book and not on its host", () => {
  const fleet = new FakeFleet(desiredRuns);
  fleet.running("web", 1);
  fleet.worker(1).end("web");
  expect(fleet.missing).toContain("and does not run there");
  fleet.worker(1).run("web", 1);
  expect(fleet.missing).toContain("and does not run there");
});

test("planted: it waits though somebody would take it", () => {
  expect(missingOf({})).toBe(
    "VM web is Pending on worker null, epoch 0, desired running, though worker 1 would take it",
  );
});

test("it may wait for room that there is not", () => {
  expect(missingOf({ spec: vmSpec({ vcpus: 11 }) })).toBeNull();
});

test("one that moves when a task has left room has its whole time from then on", () => {
  const fleet = new FakeFleet(desiredRuns);
  const progress = () => fleet.audit.missing(fleet.state)?.progress;
  fleet.create("web");
  fleet.place("web", 1);
  expect(progress()).toBe(0);
  fleet.setTask({ id: "sum", state: "Running", workerId: 1, attempt: 1 });
  expect(progress()).toBe(1);
  fleet.setTask({ id: "sum", state: "Failed", workerId: 1, attempt: 1 });
  expect(progress()).toBe(2);
  fleet.move("web", { state: "Building" });
  expect(progress()).toBe(2);
});

test("it may have failed for good, if it says why", () => {
  const failed = { state: "Failed", workerId: 1, relocations: 3, restarts: 3 } as const;
  expect(missingOf({ ...failed, reason: "crashed" })).toBeNull();
  expect(missingOf(failed)).toContain("nobody says why");
  expect(missingOf({ ...failed, reason: "crashed", relocations: 2 })).not.toBeNull();
  const pinned = { ...failed, reason: "crashed", relocations: 0, spec: vmSpec({ workerId: 1 }) };
  expect(missingOf(pinned)).toBeNull();
  expect(missingOf({ ...pinned, restarts: 2 })).not.toBeNull();
});

test("planted: it never gets further", () => {
  for (const state of ["Scheduled", "Building", "Starting", "Stopping"] as const)
    expect(missingOf({ state, workerId: 1 })).toContain(`VM web is ${state} on worker 1`);
});

test("planted: what is to be deleted stays, and what is to stop runs on", () => {
  expect(missingOf({ desired: "deleted", state: "Stopping", workerId: 1 })).toContain("desired deleted");
  expect(missingOf({ desired: "stopped", state: "Running", workerId: 1 })).toContain("desired stopped");
});

test("planted: an eviction never ends", () => {
  expect(missingOf({ state: "Running", workerId: 1, eviction: "drain" })).toContain("evicted: drain");
});

test("it may wait for a lost worker that asks only servers that were removed", () => {
  const fleet = new FakeFleet(desiredRuns);
  const spec = vmSpec({ onWorkerLost: "wait" });
  fleet.create("web", { spec, desired: "deleted", state: "Lost", workerId: 1 });
  fleet.lose(1);
  fleet.enlist(7, "voter");
  fleet.enlist(8, "removed");
  fleet.worker(1).servers = [8];
  expect(fleet.missing).toBeNull();
  fleet.move("web", { desired: "running" });
  expect(fleet.missing).toBeNull();
  // Planted: a server that has left did not send the worker on; or it was lied to, knows a server, or does not run; or
  // the VM need not wait; or the worker is back.
  fleet.worker(1).asksRunningServer = true;
  expect(fleet.missing).toContain("VM web is Lost on worker 1");
  fleet.worker(1).asksRunningServer = false;
  fleet.worker(1).mayHaveBeenMisled = true;
  expect(fleet.missing).toContain("VM web is Lost on worker 1");
  fleet.worker(1).mayHaveBeenMisled = false;
  fleet.worker(1).servers = [8, 7];
  expect(fleet.missing).toContain("VM web is Lost on worker 1");
  fleet.worker(1).servers = null;
  expect(fleet.missing).toContain("VM web is Lost on worker 1");
  fleet.worker(1).servers = [8];
  fleet.move("web", { spec: vmSpec({ onWorkerLost: "restart" }) });
  expect(fleet.missing).toContain("VM web is Lost on worker 1");
  fleet.move("web", { desired: "stopped" });
  expect(fleet.missing).toBeNull();
  fleet.register(1);
  expect(fleet.missing).toContain("VM web is Lost on worker 1");
});
