import { describe, expect, test } from "vitest";
import { DEFAULT_SCHEDULER } from "../domain/index.ts";
import { type Command, nodeOf } from "./index.ts";
import { tableValues } from "./table.ts";
import { factsWith, StateMachine, taskWith } from "./testing/index.ts";

const register = (workerId: number, bootId = 1, facts = {}): Command => ({
  kind: "registerWorker",
  workerId,
  bootId,
  facts: factsWith(facts),
});
const availability = (word: "online" | "cordoned" | "draining", workerId = 1): Command => ({
  kind: "setAvailability",
  workerId,
  availability: word,
});

describe("registering", () => {
  test("is for nodes that the cluster knows", () => {
    expect(new StateMachine().refusal(register(1))).toEqual({ kind: "nodeNotFound", nodeId: 1 });
  });

  test("again with the same facts by the same process, costs the state nothing", () => {
    const machine = new StateMachine();
    machine.register(1);
    const before = machine.state.workers;
    machine.do(register(1));
    expect(machine.state.workers).toBe(before);
    expect(machine.lastEvents).toEqual([]);
  });

  test("by another process tells from when on that one answers; what is placed stays placed", () => {
    const machine = new StateMachine();
    machine.register(1);
    machine.running();
    const first = machine.worker();
    machine.do(register(1, 2));
    expect(machine.worker()).toMatchObject({ bootId: 2, vms: ["web"], used: first.used });
    expect(machine.worker().registeredIndex).toBe(machine.state.appliedIndex);
    expect(machine.vm()).toMatchObject({ state: "Running", workerId: 1 });
  });

  test("with other facts by the same process is no new one", () => {
    const machine = new StateMachine();
    machine.register(1);
    const { registeredIndex } = machine.worker();
    machine.do(register(1, 1, { capacity: { vcpus: 7, memoryMiB: 1, diskGiB: 1 } }));
    expect(machine.worker()).toMatchObject({ registeredIndex, capacity: { vcpus: 7 } });
    expect(machine.lastEvents).toMatchObject([{ kind: "workerRegistered", workerId: 1 }]);
  });

  test("after a loss brings it back, and what an operator has said of it still holds", () => {
    const machine = new StateMachine();
    machine.register(1);
    machine.do(availability("cordoned"));
    machine.lose();
    machine.do(register(1));
    expect(machine.worker()).toMatchObject({ isOnline: true, availability: "cordoned" });
  });

  test("from another rack takes along what is counted by racks", () => {
    const machine = new StateMachine();
    machine.register(1);
    machine.register(2, { topology: { datacenter: "dc", zone: "zone", rack: "other" } });
    const antiAffinity = [{ group: "db", softWeight: null, maxPerDomain: 1, scope: "rack" as const }];
    machine.running("web", 1, { antiAffinity });
    machine.do(register(1, 1, { topology: { datacenter: "dc", zone: "zone", rack: "other" } }));
    machine.create("b", { antiAffinity });
    const placed: Command = { kind: "placeVm", name: "b", epoch: 0, workerId: 2 };
    expect(machine.refusal(placed)).toEqual({ kind: "doesNotFit", workerId: 2, why: "antiAffinity" });
  });
});

describe("what an operator says of a worker", () => {
  test("is told once, and takes nothing away from it", () => {
    const machine = new StateMachine();
    machine.register(1);
    machine.running();
    machine.do(availability("draining"));
    expect(machine.lastEvents).toMatchObject([{ kind: "workerStatus", status: "draining" }]);
    machine.do(availability("draining"));
    expect(machine.lastEvents).toEqual([]);
    expect(machine.vm()).toMatchObject({ state: "Running", workerId: 1 });
  });

  test("makes room when it opens again: who waits is tried anew", () => {
    const machine = new StateMachine();
    machine.register(1);
    machine.do(availability("cordoned"));
    machine.create();
    machine.do(availability("online"));
    expect(machine.state.roomIndex).toBe(machine.state.appliedIndex);
  });

  test("that it is dead holds for one that is lost already, and of one that is not known is refused", () => {
    const machine = new StateMachine();
    machine.register(1);
    machine.running("web", 1, { onWorkerLost: "wait" });
    machine.lose();
    expect(machine.lastEvents.at(-1)).toMatchObject({
      kind: "workerStatus",
      status: "offline",
      reason: "lease ran out",
    });
    machine.do({ kind: "confirmWorkerDead", workerId: 1 });
    expect(machine.vm()).toMatchObject({ state: "Lost", workerId: null });
    expect(machine.lastEvents.at(-1)).toMatchObject({ status: "offline", reason: "confirmed dead" });
    for (const kind of ["confirmWorkerDead"] as const)
      expect(machine.refusal({ kind, workerId: 9 })).toEqual({ kind: "workerNotFound", workerId: 9 });
    expect(machine.refusal(availability("online", 9))).toEqual({ kind: "workerNotFound", workerId: 9 });
  });
});

describe("removing a worker", () => {
  const remove = (workerId = 1): Command => ({ kind: "removeWorker", workerId });

  test("that is lost and holds nothing takes it off the list, and its node is heard no more", () => {
    const machine = new StateMachine();
    machine.register(1);
    machine.register(2);
    machine.running("web", 1, { onWorkerLost: "restart" });
    machine.lose();
    machine.do(remove());
    expect(machine.lastEvents).toMatchObject([{ kind: "workerRemoved", workerId: 1 }]);
    expect(tableValues(machine.state.workers).map(({ id }) => id)).toEqual([2]);
    expect(machine.state.workerCount).toBe(1);
    expect(nodeOf(machine.state, 1)).toMatchObject({ peerId: "peer-1", role: "removed" });
    expect(machine.refusal(remove())).toEqual({ kind: "workerNotFound", workerId: 1 });
    expect(machine.refusal(register(1))).toEqual({ kind: "workerRemoved", workerId: 1 });
    expect(machine.vm()).toMatchObject({ state: "Lost", workerId: null });
  });

  test("is refused while it takes what is new; cordoned or drained it may go, though it is heard of", () => {
    const machine = new StateMachine();
    machine.register(1);
    expect(machine.refusal(remove())).toEqual({ kind: "workerIsOnline", workerId: 1 });
    machine.do(availability("draining"));
    machine.do(remove());
    machine.register(2);
    machine.do(availability("cordoned", 2));
    machine.do(remove(2));
    expect(machine.state.workerCount).toBe(0);
  });

  test("is refused while something is placed there, also when that is lost and waits for it", () => {
    const machine = new StateMachine();
    machine.register(1);
    machine.running("web", 1, { onWorkerLost: "wait" });
    machine.do({ kind: "submitTask", id: "job", spec: taskWith() });
    machine.do({ kind: "placeTask", id: "job", attempt: 0, workerId: 1 });
    machine.do(availability("draining"));
    expect(machine.refusal(remove())).toEqual({ kind: "workerInUse", workerId: 1, vms: 1, tasks: 1 });
    machine.lose();
    expect(machine.vm()).toMatchObject({ state: "Lost", workerId: 1 });
    expect(machine.refusal(remove())).toEqual({ kind: "workerInUse", workerId: 1, vms: 1, tasks: 0 });
    machine.do({ kind: "confirmWorkerDead", workerId: 1 });
    machine.do(remove());
  });

  test("gives back the room that it kept for a VM, which goes elsewhere", () => {
    const machine = new StateMachine();
    for (const id of [1, 2, 3]) machine.register(id);
    machine.running("web", 2);
    machine.do({ kind: "migrateVm", name: "web", to: 1 });
    expect(machine.worker().nominees).toEqual(["web"]);
    machine.do(availability("cordoned"));
    machine.do(remove());
    expect(machine.vm()).toMatchObject({ targetId: null, workerId: 2, eviction: "migrate" });
    machine.see("absent");
    machine.place("web", 3);
  });

  test("is no way to remove a member; one that has left goes like any other", () => {
    const machine = new StateMachine();
    machine.register(1);
    machine.do(availability("cordoned"));
    machine.membership([1]);
    expect(machine.refusal(remove())).toEqual({ kind: "workerIsMember", workerId: 1 });
    machine.membership([]);
    machine.do(remove());
    expect(machine.state.workerCount).toBe(0);
  });

  test("outlives every later membership, and neither id nor identity is given again", () => {
    const machine = new StateMachine();
    machine.register(1);
    machine.lose();
    machine.do(remove());
    machine.membership([]);
    machine.membership([1]);
    expect(nodeOf(machine.state, 1)?.role).toBe("removed");
    const announce = { kind: "announceNode", nodeId: 1, peerId: "peer-1", addresses: ["worker-1:7001"] } as const;
    expect(machine.refusal(announce)).toEqual({ kind: "nodeIdTaken", nodeId: 1 });
    expect(machine.refusal({ ...announce, nodeId: 2 })).toEqual({ kind: "peerIdTaken", nodeId: 1 });
    machine.do({
      kind: "createToken",
      id: "token001",
      secretHash: "0".repeat(64),
      purpose: "join",
      ttlMs: 1000,
      nodeId: null,
    });
    const admit = { kind: "admitNode", tokenId: "token001", secretHash: "0".repeat(64), addresses: ["a:1"] } as const;
    expect(machine.refusal({ ...admit, nodeId: 1, peerId: "peer-1" })).toEqual({ kind: "nodeIdTaken", nodeId: 1 });
  });
});

test("a worker hears of every change of what it shall do: the index of the last one rises", () => {
  const machine = new StateMachine();
  machine.register(1);
  machine.register(2);
  const heard = (what: () => void): readonly [boolean, boolean] => {
    const before = [machine.worker(1).assignedIndex, machine.worker(2).assignedIndex];
    what();
    return [machine.worker(1).assignedIndex !== before[0], machine.worker(2).assignedIndex !== before[1]];
  };
  machine.create();
  expect(heard(() => machine.place())).toEqual([true, false]);
  expect(heard(() => machine.see("running"))).toEqual([false, false]);
  expect(heard(() => machine.do(machine.update("web", { priority: 1 })))).toEqual([true, false]);
  expect(heard(() => machine.do({ kind: "restartVm", name: "web" }))).toEqual([true, false]);
  expect(heard(() => machine.do({ kind: "migrateVm", name: "web", to: 2 }))).toEqual([true, false]);
  expect(heard(() => machine.see("absent"))).toEqual([true, false]);
  expect(heard(() => machine.place("web", 2))).toEqual([false, true]);
  machine.do({ kind: "submitTask", id: "job", spec: taskWith() });
  expect(heard(() => machine.do({ kind: "placeTask", id: "job", attempt: 0, workerId: 1 }))).toEqual([true, false]);
  expect(heard(() => machine.do({ kind: "cancelTask", id: "job" }))).toEqual([true, false]);
});

test("a cluster that spreads over two racks places nothing while one of them has nobody who takes it", () => {
  const machine = new StateMachine();
  machine.register(1, { topology: { datacenter: "dc", zone: "zone", rack: "a" } });
  machine.register(2, { topology: { datacenter: "dc", zone: "zone", rack: "b" } });
  machine.register(3, { topology: { datacenter: "dc", zone: "zone", rack: "b" } });
  const settings = { ...DEFAULT_SCHEDULER, strategy: "spread", spreadScope: "rack", minDomains: 2 } as const;
  machine.do({ kind: "configureScheduler", settings, expectedGeneration: null });
  machine.create();
  const refusal = { kind: "doesNotFit", workerId: 2, why: "tooFewDomains" };
  const place: Command = { kind: "placeVm", name: "web", epoch: 0, workerId: 2 };

  machine.do({ kind: "setAvailability", workerId: 1, availability: "cordoned" });
  expect(machine.refusal(place)).toEqual(refusal);
  machine.do({ kind: "setAvailability", workerId: 1, availability: "online" });
  machine.lose(1);
  expect(machine.refusal(place)).toEqual(refusal);
  // One of two is enough.
  machine.register(1, { topology: { datacenter: "dc", zone: "zone", rack: "a" } }, 2);
  machine.lose(3);
  machine.place("web", 2);
  // And it counts where it stands now.
  machine.create("next");
  machine.register(1, { topology: { datacenter: "dc", zone: "zone", rack: "b" } }, 2);
  expect(machine.refusal({ ...place, name: "next" })).toEqual(refusal);
});
