import { expect, test } from "vitest";
import { DEFAULT_COUNT_LIMITS, hashOfIndex, type NodeRecord, tableOf, type WorkerRecord } from "../../../core/index.ts";
import { noOrphans } from "./no-orphans.ts";
import { FakeFleet } from "./testing/index.ts";

function fleetWithAll(): FakeFleet {
  const fleet = new FakeFleet(noOrphans);
  fleet.running("web", 1);
  return fleet;
}

test("everything is wanted", () => {
  const fleet = fleetWithAll();
  expect(fleet.missing).toBeNull();
  expect(fleet.checks).toBe(3);
});

test("planted: a machine of a VM that is no more", () => {
  const fleet = fleetWithAll();
  fleet.remove("web");
  expect(fleet.missing).toBe("worker 1 has web/3 (running), which nobody wants there");
});

test("planted: the disk of an earlier run is left where the VM was", () => {
  const fleet = fleetWithAll();
  fleet.worker(3).stopped.push({ name: "web", epoch: 2, phase: "stopped", reason: "" });
  expect(fleet.missing).toBe("worker 3 has web/2 (stopped), which nobody wants there");
});

test("the disk of a stopped VM is left by whichever run was the last that was made", () => {
  const fleet = fleetWithAll();
  fleet.worker(1).end("web");
  fleet.worker(1).stopped.push({ name: "web", epoch: 2, phase: "failed", reason: "fenced" });
  fleet.move("web", { state: "Stopped" });
  expect(fleet.missing).toBeNull();
  fleet.move("web", { state: "Scheduled" });
  expect(fleet.missing).toBe("worker 1 has web/2 (failed), which nobody wants there");
});

test("planted: a stopped VM goes on in an earlier run", () => {
  const fleet = fleetWithAll();
  fleet.move("web", { state: "Stopped", epoch: 9 });
  expect(fleet.missing).toBe("worker 1 has web/3 (running), which nobody wants there");
});

test("a host that there is no room for is told nothing; one that was removed is told", () => {
  const fleet = fleetWithAll();
  fleet.remove("web");
  const { state } = fleet;
  const limits = { ...DEFAULT_COUNT_LIMITS, nodes: 0, workers: 0 };
  expect(fleet.audit.missing({ ...state, limits })).toBeNull();
  const workers = tableOf<number, WorkerRecord>(hashOfIndex, []);
  const nodeOfRole = (role: NodeRecord["role"]) =>
    tableOf(hashOfIndex, [[1, { id: 1, peerId: "peer-1", addresses: [], role }]]);
  expect(fleet.audit.missing({ ...state, limits, workers, nodes: nodeOfRole("none") })).toBeNull();
  const removed = fleet.audit.missing({ ...state, limits, workers, nodes: nodeOfRole("removed") });
  fleet.worker(1).servers = [1];
  expect(fleet.audit.missing({ ...state, limits, workers, nodes: nodeOfRole("removed") })).toBeNull();
  // Planted: a server that has left, and runs, did not send it on.
  fleet.worker(1).asksRunningServer = true;
  expect(fleet.audit.missing({ ...state, limits, workers, nodes: nodeOfRole("removed") })?.what).toBe(removed?.what);
  fleet.worker(1).asksRunningServer = false;
  fleet.worker(1).mayHaveBeenMisled = true;
  expect(fleet.audit.missing({ ...state, limits, workers, nodes: nodeOfRole("removed") })?.what).toBe(removed?.what);
  expect(removed?.what).toBe("worker 1 has web/3 (running), which nobody wants there");
});
