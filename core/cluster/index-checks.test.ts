/** Each assertion of the state machine, made to fail by a state that cannot come about. */
import { expect, test } from "vitest";
import { AssertionFailed, type Resources, vmSpec, type WorkerRecord } from "../domain/index.ts";
import { hashOfIndex, hashOfText } from "./hash.ts";
import { applyEntries, type ClusterState, type Command, poolOf } from "./index.ts";
import { withChanges } from "./table.ts";
import { entryOf, factsWith, poolWith, StateMachine, taskWith } from "./testing/index.ts";

/** A VM and a task on worker 1. */
function machine(): StateMachine {
  const machine = new StateMachine();
  machine.do({ kind: "announceNode", nodeId: 1, peerId: "peer-1", addresses: ["worker-1:7001"] });
  machine.do({ kind: "registerWorker", workerId: 1, bootId: 1, facts: factsWith() });
  machine.do({ kind: "createPool", spec: poolWith() });
  machine.do({ kind: "createVm", name: "web", spec: vmSpec({ networks: [{ pool: "lan" }] }) });
  machine.do({ kind: "placeVm", name: "web", epoch: 0, workerId: 1 });
  machine.do({ kind: "submitTask", id: "job", spec: taskWith() });
  machine.do({ kind: "placeTask", id: "job", attempt: 0, workerId: 1 });
  return machine;
}

function withWorker(machine: StateMachine, fields: Partial<WorkerRecord>): ClusterState {
  const { state } = machine;
  return { ...state, workers: withChanges(state.workers, hashOfIndex, [[1, { ...machine.worker(1), ...fields }]]) };
}

/** Applies the command at an index whose batch is checked. */
function applied(state: ClusterState, command: Command): () => unknown {
  return () => applyEntries(state, [entryOf(32, command)]);
}

const cordon: Command = { kind: "setAvailability", workerId: 1, availability: "cordoned" };
const confirmDead: Command = { kind: "confirmWorkerDead", workerId: 1 };
const deleteIt: Command = { kind: "deleteVm", name: "web", expectedGeneration: null };
const nothing: Resources = { vcpus: 0, memoryMiB: 0, diskGiB: 0 };

test("what is consistent passes", () => {
  const { state } = machine();
  for (const command of [cordon, confirmDead, deleteIt]) expect(applied(state, command)).not.toThrow();
});

test.each<[string, Partial<WorkerRecord>, Command]>([
  ["what is used is not the sum", { used: { vcpus: 4, memoryMiB: 4096, diskGiB: 100 } }, cordon],
  ["what is reserved is not the sum", { reserved: { vcpus: 1, memoryMiB: 0, diskGiB: 0 } }, cordon],
  ["a VM is listed where it is not placed", { vms: ["other"] }, cordon],
  ["a task is listed where it does not run", { tasks: ["other"] }, cordon],
  ["room is kept for a VM that does not want it", { nominees: ["web"] }, cordon],
  ["worker 1 has less than nothing", { used: nothing }, confirmDead],
  [
    "what is taken off a list is not on it once",
    { vms: [], tasks: [] },
    {
      kind: "observe",
      workerId: 1,
      bootId: 1,
      machines: [],
      jobs: [{ id: "job", attempt: 1, phase: "exited", exitCode: 0, output: "" }],
    },
  ],
])("%s", (message, fields, command) => {
  const state = withWorker(machine(), fields);
  expect(applied(state, command)).toThrow(AssertionFailed);
  expect(applied(state, command)).toThrow(message);
});

test("only one batch in sixteen is summed up", () => {
  const state = withWorker(machine(), { used: { vcpus: 4, memoryMiB: 4096, diskGiB: 100 } });
  expect(() => applyEntries(state, [entryOf(33, cordon)])).not.toThrow();
});

test("fewer than none are counted", () => {
  const { state } = machine();
  const counts = withChanges(state.counts, hashOfText, [["t/default/1", null]]);
  expect(applied({ ...state, counts }, confirmDead)).toThrow("fewer than none are counted (t/default/1)");
});

test("a tenant has fewer VMs than none", () => {
  const { state } = machine();
  const tenants = withChanges(state.tenants, hashOfText, [["default", null]]);
  const placed = applied({ ...state, tenants }, { ...cordon });
  expect(placed).not.toThrow();
  const machineWithout = new StateMachine();
  machineWithout.do({ kind: "createVm", name: "web", spec: vmSpec() });
  const orphaned = { ...machineWithout.state, tenants };
  expect(applied(orphaned, deleteIt)).toThrow("a tenant has fewer VMs than none (default)");
});

test("an address is given back to a pool that has given out none", () => {
  const { state } = machine();
  const pool = poolOf(state, "lan");
  if (pool === null) throw new Error("no pool");
  const pools = withChanges(state.pools, hashOfText, [["lan", { ...pool, usedCount: 0 }]]);
  const gone: Command = {
    kind: "observe",
    workerId: 1,
    bootId: 1,
    machines: [{ name: "web", epoch: 5, phase: "absent", reason: "" }],
    jobs: [],
  };
  const deleting = applyEntries({ ...state, pools }, [entryOf(30, deleteIt)]).state;
  expect(applied(deleting, gone)).toThrow("a pool that has given out none (lan)");
});

test("an illegal move of a VM", () => {
  const { state, vm } = { state: machine().state, vm: machine().vm() };
  const vms = withChanges(state.vms, hashOfText, [["web", { ...vm, state: "Pending" as const }]]);
  expect(applied({ ...state, vms }, deleteIt)).toThrow("VM web was about to go from Pending to Stopping");
});

test("a pool that counts fewer addresses than are taken", () => {
  const machine = new StateMachine();
  machine.do({ kind: "createPool", spec: poolWith({ rangeFirst: "10.0.0.5", rangeLast: "10.0.0.5" }) });
  machine.do({ kind: "createVm", name: "web", spec: vmSpec({ networks: [{ pool: "lan" }] }) });
  const pool = poolOf(machine.state, "lan");
  if (pool === null) throw new Error("no pool");
  const pools = withChanges(machine.state.pools, hashOfText, [["lan", { ...pool, usedCount: 0 }]]);
  const second: Command = { kind: "createVm", name: "two", spec: vmSpec({ networks: [{ pool: "lan" }] }) };
  expect(applied({ ...machine.state, pools }, second)).toThrow("has room by its count and none by its addresses");
});
