/**
 * That an entry reads and copies what it is about and shares the rest, whatever the state holds. Counted, not timed.
 */

import { describe, expect, test } from "vitest";
import { DEFAULT_QUOTA, DEFAULT_SCHEDULER, type VmSpec, vmSpec } from "../domain/index.ts";
import {
  applyEntries,
  type ClusterState,
  type Command,
  type CommandEntry,
  emptyState,
  encodeRequest,
  stampRequest,
} from "./index.ts";
import { leavesOf, type Table } from "./table.ts";
import { entryOf, factsWith, poolWith, StateMachine, taskWith } from "./testing/index.ts";

const spec = vmSpec();

function entry(index: number, command: Command, session: { id: number; sequence: number } | null = null): CommandEntry {
  const named = session === null ? null : { ...session, lowestUnacknowledged: session.sequence };
  return {
    index,
    term: 1,
    data: stampRequest(encodeRequest({ session: named, command }), { wallMs: index, proposer: 1 }),
  };
}

/** 5,000 VMs, 500 sessions. */
function filled(): ClusterState {
  const entries: CommandEntry[] = [];
  for (let i = 1; i <= 5000; i++) entries.push(entry(i, { kind: "createVm", name: `vm-${i}`, spec }));
  for (let i = 5001; i <= 5500; i++) entries.push(entry(i, { kind: "openSession", clientToken: `client-${i}` }));
  return applyEntries(emptyState(), entries).state;
}

/** How many leaves are other objects than before, and the length of the longest. */
function changed<K, V>(before: Table<K, V>, after: Table<K, V>): { leaves: number; leafSizeMax: number } {
  const known = new Set(leavesOf(before));
  let leaves = 0;
  let leafSizeMax = 0;
  for (const leaf of leavesOf(after)) {
    if (!known.has(leaf)) leaves++;
    leafSizeMax = Math.max(leafSizeMax, leaf.keys.length);
  }
  return { leaves, leafSizeMax };
}

describe("what one entry copies", () => {
  const before = filled();

  test("a change of a VM in a session: one leaf of each", () => {
    const command: Command = { kind: "updateVm", name: "vm-77", expectedGeneration: 1, spec };
    const { state } = applyEntries(before, [entry(6000, command, { id: 5001, sequence: 1 })]);
    expect(changed(before.vms, state.vms)).toMatchObject({ leaves: 1 });
    expect(changed(before.sessions, state.sessions)).toMatchObject({ leaves: 1 });
    expect(state.sessionIds).toBe(before.sessionIds);
    expect(state.sessionFloors).toBe(before.sessionFloors);
  });

  test("a refusal: nothing but the counters", () => {
    const { state } = applyEntries(before, [entry(6000, { kind: "createVm", name: "vm-77", spec })]);
    expect(state.vms).toBe(before.vms);
    expect(state.sessions).toBe(before.sessions);
    expect(state.appliedIndex).toBe(6000);
  });

  test("no entries: nothing", () => {
    expect(applyEntries(before, []).state).toBe(before);
  });

  test("a VM that comes and goes within a batch leaves no trace", () => {
    const { state } = applyEntries(before, [
      entry(6000, { kind: "createVm", name: "short-lived", spec }),
      entry(6001, { kind: "deleteVm", name: "short-lived", expectedGeneration: 1 }),
    ]);
    expect(state.vms).toBe(before.vms);
    expect(state.vmCount).toBe(before.vmCount);
  });

  test("names spread: no leaf is long", () => {
    expect(changed(before.vms, before.vms).leafSizeMax).toBeLessThanOrEqual(8);
    expect(changed(before.sessions, before.sessions).leafSizeMax).toBeLessThanOrEqual(2);
  });
});

// ---- What an entry reads

const PER_WORKER = 10;

/** As many VMs that run, and workers and tenants in proportion; one VM that waits, and a task. */
function cluster(size: number): StateMachine {
  const machine = new StateMachine();
  const workers = size / PER_WORKER;
  for (let id = 1; id <= workers; id++)
    machine.register(id, { topology: { datacenter: "dc", zone: "zone", rack: `rack-${id % 10}` } });
  for (let nth = 0; nth < size; nth++) machine.running(`vm-${nth}`, 1 + (nth % workers), specOf(nth));
  machine.create("waits", specOf(0));
  machine.do({ kind: "submitTask", id: "job", spec: taskWith() });
  machine.do({ kind: "createPool", spec: poolWith() });
  return machine;
}

function specOf(nth: number): Partial<VmSpec> {
  const group = `group-${Math.floor(nth / 10)}`;
  return {
    tenant: `tenant-${nth % 50}`,
    preemptible: true,
    antiAffinity: [{ group, softWeight: null, maxPerDomain: 100, scope: "rack" }],
  };
}

/** The same table, which tells of every element that is read. */
function watched(table: object, tell: () => void): object {
  // A copy: what is frozen cannot be stood in for.
  return new Proxy(Array.isArray(table) ? [...table] : { ...table }, {
    get(target, name, receiver) {
      tell();
      const part: unknown = Reflect.get(target, name, receiver);
      const isStructure = Array.isArray(part) || (typeof part === "object" && part !== null && "hashes" in part);
      return isStructure ? watched(part, tell) : part;
    },
  });
}

const TABLES = [
  "vms",
  "sessions",
  "sessionIds",
  "nodes",
  "peerIds",
  "workers",
  "tasks",
  "tenants",
  "pools",
  "addresses",
  "counts",
] as const satisfies readonly (keyof ClusterState)[];

function readsOf({ state }: StateMachine, command: Command): number {
  let reads = 0;
  const tables = TABLES.map((name) => [name, watched(state[name], () => reads++)] as const);
  const { results } = applyEntries({ ...state, ...Object.fromEntries(tables) }, [
    entryOf(state.appliedIndex + 1, command),
  ]);
  expect(results[0]).toMatchObject({ ok: true });
  return reads;
}

describe("what one entry reads", () => {
  const [small, large] = [cluster(200), cluster(6000)];
  const seen = (machine: StateMachine, phase: "failed" | "absent"): Command => {
    const { name, epoch, workerId } = machine.vm("vm-7");
    const machines = [{ name, epoch, phase, reason: "" }];
    return { kind: "observe", workerId: workerId ?? 0, bootId: 1, machines, jobs: [] };
  };

  for (const machine of [small, large]) {
    const settings = { ...DEFAULT_SCHEDULER, strategy: "spread", spreadScope: "rack", minDomains: 2 } as const;
    machine.do({ kind: "configureScheduler", settings, expectedGeneration: null });
  }

  test.each<[string, (machine: StateMachine) => Command]>([
    ["createVm", () => ({ kind: "createVm", name: "new", spec: vmSpec({ networks: [{ pool: "lan" }] }) })],
    ["updateVm", (machine) => machine.update("vm-7", { ...specOf(7), vcpus: 3 })],
    ["setVmDesired", () => ({ kind: "setVmDesired", name: "vm-7", desired: "stopped" })],
    ["restartVm", () => ({ kind: "restartVm", name: "vm-7" })],
    ["migrateVm", () => ({ kind: "migrateVm", name: "vm-7", to: 3 })],
    ["deleteVm", () => ({ kind: "deleteVm", name: "vm-7", expectedGeneration: null })],
    ["placeVm", () => ({ kind: "placeVm", name: "waits", epoch: 0, workerId: 3 })],
    ["preempt", () => ({ kind: "preempt", name: "waits", epoch: 0, workerId: 3, victims: [] })],
    [
      "evictVm",
      (machine) => ({ kind: "evictVm", name: "vm-7", epoch: machine.vm("vm-7").epoch, cause: "drain", to: null }),
    ],
    ["observe", (machine) => seen(machine, "failed")],
    ["observe that it is gone", (machine) => seen(machine, "absent")],
    ["registerWorker", () => ({ kind: "registerWorker", workerId: 3, bootId: 2, facts: factsWith() })],
    ["workerLost", () => ({ kind: "workerLost", workerId: 3, bootId: 1 })],
    ["setAvailability", () => ({ kind: "setAvailability", workerId: 3, availability: "draining" })],
    ["announceNode", () => ({ kind: "announceNode", nodeId: 9999, peerId: "new", addresses: ["new:1"] })],
    ["openSession", () => ({ kind: "openSession", clientToken: "new" })],
    ["setQuota", () => ({ kind: "setQuota", tenant: "tenant-7", quota: DEFAULT_QUOTA })],
    ["submitTask", () => ({ kind: "submitTask", id: "new", spec: taskWith() })],
    ["placeTask", () => ({ kind: "placeTask", id: "job", attempt: 0, workerId: 3 })],
  ])("%s: as much in a large cluster as in a small one", (_, commandFor) => {
    const [few, many] = [readsOf(small, commandFor(small)), readsOf(large, commandFor(large))];
    expect(few).toBeGreaterThan(0);
    // A walk through a table looks at 8,192 leaves, and at what is in them.
    expect(many).toBeLessThan(8192);
    // A little more where leaves are fuller.
    expect(many - few).toBeLessThan(few / 4);
  });
});
