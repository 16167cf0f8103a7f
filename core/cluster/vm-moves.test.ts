import { describe, expect, test } from "vitest";
import {
  isLegalMove,
  type MachineObservation,
  SEEN_PHASES,
  VM_STATES,
  type VmRecord,
  type VmSpec,
  type VmState,
} from "../domain/index.ts";
import type { Command } from "./index.ts";
import { StateMachine } from "./testing/index.ts";

/** Three workers of 100 vcpus. */
function cluster(): StateMachine {
  const machine = new StateMachine();
  for (const id of [1, 2, 3]) machine.register(id);
  return machine;
}

const placeOn = (machine: StateMachine, workerId: number, name = "web"): Command => ({
  kind: "placeVm",
  name,
  epoch: machine.vm(name).epoch,
  workerId,
});
const evict = (machine: StateMachine, to: number | null = null, name = "web"): Command => ({
  kind: "evictVm",
  name,
  epoch: machine.vm(name).epoch,
  cause: "drain",
  to,
});

describe("the life of a VM", () => {
  test("Pending, Scheduled, Building, Starting, Running, Stopping, Stopped: each step is an event", () => {
    const machine = cluster();
    machine.create();
    machine.place();
    for (const phase of ["building", "starting", "running"] as const) machine.see(phase);
    machine.do({ kind: "setVmDesired", name: "web", desired: "stopped" });
    machine.see("stopped");
    const steps = machine.events.flatMap((event) => (event.kind === "vmState" ? [[event.from, event.state]] : []));
    expect(steps).toEqual([
      ["Pending", "Scheduled"],
      ["Scheduled", "Building"],
      ["Building", "Starting"],
      ["Starting", "Running"],
      ["Running", "Stopping"],
      ["Stopping", "Stopped"],
    ]);
  });

  test("whatever a worker shows in whatever state is legal, and never a throw", () => {
    const ways: readonly ((machine: StateMachine) => void)[] = [
      () => undefined,
      (machine) => machine.do({ kind: "setVmDesired", name: "web", desired: "stopped" }),
      (machine) => machine.do({ kind: "deleteVm", name: "web", expectedGeneration: null }),
      (machine) => machine.do({ kind: "restartVm", name: "web" }),
      (machine) => machine.do(evict(machine)),
      (machine) => machine.lose(),
      (machine) => {
        machine.do({ kind: "setVmDesired", name: "web", desired: "stopped" });
        machine.do({ kind: "setVmDesired", name: "web", desired: "running" });
      },
      (machine) => {
        machine.lose();
        machine.register(1, {}, 2);
      },
    ];
    const reached = new Set<VmState>();
    for (const spec of [{}, { onWorkerLost: "wait" }] satisfies Partial<VmSpec>[]) {
      for (const first of SEEN_PHASES) {
        for (const way of ways) {
          for (const then of SEEN_PHASES) {
            const machine = cluster();
            machine.create("web", spec);
            machine.place();
            machine.see(first);
            if (!machine.hasVm()) continue;
            way(machine);
            if (!machine.hasVm()) continue;
            reached.add(machine.vm().state);
            const { workerId } = machine.vm();
            if (workerId !== null && machine.worker(workerId).isOnline) machine.see(then);
            if (machine.hasVm()) reached.add(machine.vm().state);
          }
        }
      }
    }
    expect([...VM_STATES].filter((state) => !reached.has(state))).toEqual([]);
  });

  test("the table of moves: no way back to Pending but from a place, and to stay is always legal", () => {
    for (const state of VM_STATES) expect(isLegalMove(state, state)).toBe(true);
    const illegal: [VmState, VmState][] = [
      ["Pending", "Running"],
      ["Pending", "Building"],
      ["Pending", "Failed"],
      ["Failed", "Running"],
      ["Stopped", "Running"],
      ["Lost", "Building"],
      ["Running", "Building"],
    ];
    for (const [from, to] of illegal) expect([from, to, isLegalMove(from, to)]).toEqual([from, to, false]);
  });
});

describe("what a worker has seen", () => {
  test("of an earlier run, another worker's VM or an unknown one is passed over", () => {
    const machine = cluster();
    machine.running();
    const before = machine.vm();
    machine.see("failed", "web", before.epoch - 1);
    machine.do({
      kind: "observe",
      workerId: 2,
      bootId: 1,
      machines: [
        { name: "web", epoch: before.epoch, phase: "absent", reason: "" },
        { name: "nobody", epoch: 1, phase: "running", reason: "" },
      ],
      jobs: [],
    });
    expect(machine.vm()).toBe(before);
  });

  test("counts no more once it has registered anew, or is lost", () => {
    const machine = cluster();
    machine.running();
    const seen = (bootId: number): Command => ({ kind: "observe", workerId: 1, bootId, machines: [], jobs: [] });
    machine.register(1, {}, 2);
    expect(machine.refusal(seen(1))).toEqual({ kind: "workerHasChanged", workerId: 1 });
    machine.do(seen(2));
    machine.lose();
    expect(machine.refusal(seen(2))).toEqual({ kind: "workerHasChanged", workerId: 1 });
    expect(machine.refusal({ ...seen(1), workerId: 9 } as Command)).toEqual({ kind: "workerNotFound", workerId: 9 });
  });

  test("twice is seen once", () => {
    const machine = cluster();
    machine.running();
    const before = machine.vm();
    machine.see("running");
    expect(machine.vm()).toBe(before);
    expect(machine.lastEvents).toEqual([]);
  });

  test("a guest that powers off is not one that crashed: it stays off", () => {
    const machine = cluster();
    machine.running();
    machine.see("stopped");
    const reason = "the guest powered off";
    expect(machine.vm()).toMatchObject({ state: "Stopped", desired: "stopped", reason, workerId: 1 });
  });

  test("nor is one that somebody has stopped on its host, and its host says so", () => {
    const machine = cluster();
    const { epoch } = machine.running();
    const reason = "stopped by its unit";
    const machines = [{ name: "web", epoch, phase: "stopped", reason } as const];
    machine.do({ kind: "observe", workerId: 1, bootId: 1, machines, jobs: [] });
    expect(machine.vm()).toMatchObject({ state: "Stopped", desired: "stopped", reason, workerId: 1 });
  });

  test("asked to stop and then to start, it stops once and starts anew, as another run", () => {
    for (const phase of ["stopped", "absent", "failed"] as const) {
      const machine = cluster();
      const { epoch } = machine.running();
      machine.do({ kind: "setVmDesired", name: "web", desired: "stopped" });
      machine.do({ kind: "setVmDesired", name: "web", desired: "running" });
      machine.see(phase);
      expect(machine.vm()).toMatchObject({ state: "Scheduled", workerId: 1, restarts: 0 });
      expect(machine.vm().epoch).toBeGreaterThan(epoch);
    }
  });

  test("a machine that is gone from its host has failed, but for one that was not there yet", () => {
    const machine = cluster();
    machine.create();
    machine.place();
    machine.see("absent");
    expect(machine.vm().state).toBe("Scheduled");
    machine.see("running");
    machine.see("absent");
    expect(machine.vm()).toMatchObject({ state: "Failed", reason: "the machine is gone from its host" });
  });
});

describe("recovery", () => {
  test("restarts where it is, counts, and forgets after an hour's health", () => {
    const machine = cluster();
    machine.running();
    const recover = (): Command => ({ kind: "recoverVm", name: "web", epoch: machine.vm().epoch });
    expect(machine.refusal(recover())).toEqual({ kind: "vmHasChanged" });
    for (let restart = 1; restart <= 2; restart++) {
      machine.see("failed");
      machine.do(recover());
      expect(machine.vm()).toMatchObject({ state: "Scheduled", restarts: restart, workerId: 1 });
      machine.see("running");
    }
    machine.timeMs += machine.vm().spec.recovery.resetAfterMs - 1;
    machine.see("failed");
    expect(machine.vm().restarts).toBe(2);
    machine.do(recover());
    machine.see("running");
    machine.timeMs += machine.vm().spec.recovery.resetAfterMs;
    machine.see("failed");
    expect(machine.vm().restarts).toBe(0);
  });

  test("moves on where restarts did not help, away from there", () => {
    const machine = cluster();
    machine.running();
    machine.see("failed");
    machine.do({ kind: "evictVm", name: "web", epoch: machine.vm().epoch, cause: "recovery", to: null });
    expect(machine.vm()).toMatchObject({ avoidId: 1, relocations: 1, restarts: 0, eviction: "recovery", workerId: 1 });
    machine.see("absent");
    expect(machine.vm()).toMatchObject({ state: "Pending", workerId: null, eviction: null });
  });
});

describe("placement is looked at again when it is applied", () => {
  test("a choice made by what is no longer so is refused", () => {
    const machine = cluster();
    machine.create();
    const stale = placeOn(machine, 1);
    machine.do(stale);
    expect(machine.refusal(stale)).toEqual({ kind: "vmHasChanged" });
    expect(machine.refusal(placeOn(machine, 2))).toEqual({ kind: "vmHasChanged" });
    expect(machine.refusal({ kind: "placeVm", name: "nobody", epoch: 0, workerId: 1 })).toEqual({ kind: "vmNotFound" });
  });

  // In the system before this one VMs took room only once they ran: whoever was created meanwhile was promised the
  // same room.
  test("what is being created has its room from its placement on", () => {
    const machine = cluster();
    for (const name of ["a", "b"]) machine.create(name, { vcpus: 60 });
    machine.place("a");
    expect(machine.worker().used.vcpus).toBe(60);
    expect(machine.refusal(placeOn(machine, 1, "b"))).toEqual({ kind: "doesNotFit", workerId: 1, why: "insufficient" });
  });

  test.each<[string, (machine: StateMachine) => void]>([
    ["offline", (machine) => machine.lose()],
    ["cordoned", (machine) => machine.do({ kind: "setAvailability", workerId: 1, availability: "cordoned" })],
    ["draining", (machine) => machine.do({ kind: "setAvailability", workerId: 1, availability: "draining" })],
    ["missingFeatures", (machine) => machine.do(machine.update("web", { features: ["gpu"] }))],
    ["notTheNamedWorker", (machine) => machine.do(machine.update("web", { workerId: 2 }))],
    ["insufficient", (machine) => machine.register(1, { capacity: { vcpus: 1, memoryMiB: 9999, diskGiB: 9 } })],
  ])("%s", (why, change) => {
    const machine = cluster();
    machine.create();
    change(machine);
    expect(machine.refusal(placeOn(machine, 1))).toEqual({ kind: "doesNotFit", workerId: 1, why });
  });

  test.each([
    ["node", 1, 2],
    ["rack", 2, 3],
    ["zone", 3, 4],
    ["datacenter", 4, 5],
  ] as const)("a hard rule by %s counts who is in the domain", (scope, within, beyond) => {
    const machine = new StateMachine();
    machine.register(1);
    machine.register(2);
    machine.register(3, { topology: { datacenter: "dc", zone: "zone", rack: "other" } });
    machine.register(4, { topology: { datacenter: "dc", zone: "other", rack: "rack" } });
    machine.register(5, { topology: { datacenter: "other", zone: "zone", rack: "rack" } });
    const antiAffinity = [{ group: "db", softWeight: null, maxPerDomain: 1, scope }];
    for (const name of ["a", "b"]) machine.create(name, { antiAffinity });
    machine.place("a", 1);
    expect(machine.refusal(placeOn(machine, within, "b"))).toMatchObject({ why: "antiAffinity" });
    machine.place("b", beyond);
  });
});

describe("leaving a worker", () => {
  test("ends only when the machine is seen gone, and its room is held until then", () => {
    const machine = cluster();
    machine.running();
    machine.do(evict(machine));
    for (const phase of ["running", "stopped", "failed", "unhealthy", "building"] as const) {
      machine.see(phase);
      expect(machine.vm()).toMatchObject({ state: "Stopping", workerId: 1, eviction: "drain" });
      expect(machine.worker().used.vcpus).toBe(2);
    }
    machine.see("absent");
    expect(machine.vm()).toMatchObject({ state: "Pending", workerId: null, placed: null });
    expect(machine.worker().used.vcpus).toBe(0);
  });

  test("keeps room where it goes, and that alone may take it there", () => {
    const machine = cluster();
    machine.running("web", 1, { vcpus: 60 });
    machine.do(evict(machine, 2));
    expect(machine.worker(2)).toMatchObject({ reserved: { vcpus: 60 }, nominees: ["web"] });
    machine.create("other", { vcpus: 60 });
    expect(machine.refusal(placeOn(machine, 2, "other"))).toMatchObject({ why: "insufficient" });
    machine.see("absent");
    machine.place("web", 2);
    expect(machine.worker(2)).toMatchObject({ used: { vcpus: 60 }, reserved: { vcpus: 0 }, nominees: [] });
  });

  test("is not asked for twice, nor of a VM that has changed", () => {
    const machine = cluster();
    machine.running();
    expect(machine.refusal({ ...evict(machine), epoch: 1 } as Command)).toEqual({ kind: "vmHasChanged" });
    machine.do(evict(machine));
    expect(machine.refusal(evict(machine))).toEqual({ kind: "vmHasChanged" });
    expect(machine.refusal(evict(machine, 9))).toEqual({ kind: "vmHasChanged" });
  });

  test("a stopped VM stays stopped where it comes to", () => {
    const machine = cluster();
    machine.running();
    machine.do({ kind: "setVmDesired", name: "web", desired: "stopped" });
    machine.see("stopped");
    machine.do(evict(machine));
    machine.see("absent");
    expect(machine.vm()).toMatchObject({ state: "Stopped", desired: "stopped", workerId: null });
  });
});

describe("preemption", () => {
  function full(): StateMachine {
    const machine = cluster();
    machine.running("low", 1, { vcpus: 50, priority: 100 });
    machine.running("high", 1, { vcpus: 40, priority: 900 });
    machine.create("web", { vcpus: 50, priority: 800 });
    return machine;
  }
  const preempt = (victims: readonly string[], workerId = 1): Command => ({
    kind: "preempt",
    name: "web",
    epoch: 0,
    workerId,
    victims,
  });

  test("has others leave, and places only when they are seen gone", () => {
    const machine = full();
    machine.do(preempt(["low"]));
    expect(machine.vm("low")).toMatchObject({ state: "Stopping", eviction: "preempted", reason: "makes room for web" });
    expect(machine.vm()).toMatchObject({ state: "Pending", workerId: null, targetId: 1 });
    expect(machine.refusal(placeOn(machine, 1))).toMatchObject({ why: "insufficient" });
    machine.see("absent", "low");
    machine.place();
    expect(machine.vm("low").state).toBe("Pending");
  });

  test.each<[string, readonly string[], unknown]>([
    ["of who is more important", ["high"], { kind: "vmHasChanged" }],
    ["of who is not there", ["nobody"], { kind: "vmHasChanged" }],
    ["of too few", [], { kind: "doesNotFit", workerId: 1, why: "insufficient" }],
  ])("%s is refused, and stops nobody", (_, victims, refusal) => {
    expect(full().refusal(preempt(victims))).toEqual(refusal);
  });

  test("on a worker where it could not run all the same is refused", () => {
    const machine = full();
    machine.do({ kind: "setAvailability", workerId: 1, availability: "cordoned" });
    expect(machine.refusal(preempt(["low"]))).toEqual({ kind: "doesNotFit", workerId: 1, why: "cordoned" });
    machine.do(machine.update("low", { vcpus: 50, priority: 100, preemptible: false }));
    expect(machine.refusal(preempt(["low"]))).toEqual({ kind: "vmHasChanged" });
  });

  test("a victim named twice gives its room once", () => {
    const machine = full();
    machine.do(machine.update("web", { vcpus: 80, priority: 800 }));
    expect(machine.refusal(preempt(["low", "low"]))).toMatchObject({ why: "insufficient" });
  });

  test("room that will not do is given up on the leader's word", () => {
    const machine = full();
    machine.do(preempt(["low"]));
    machine.do({ kind: "dropNomination", name: "web", epoch: 0 });
    expect(machine.worker().nominees).toEqual([]);
    expect(machine.refusal({ kind: "dropNomination", name: "web", epoch: 0 })).toEqual({ kind: "vmHasChanged" });
  });
});

describe("a worker that is lost", () => {
  test("its VMs may run elsewhere, with a new epoch", () => {
    const machine = cluster();
    const { epoch } = machine.running();
    machine.lose();
    expect(machine.vm()).toMatchObject({ state: "Lost", workerId: null, placed: null });
    machine.place("web", 2);
    expect(machine.vm().epoch).toBeGreaterThan(epoch);
  });

  test("one that waits for it stays its own, until it is seen again or an operator knows it dead", () => {
    const machine = cluster();
    machine.running("web", 1, { onWorkerLost: "wait" });
    machine.running("other", 1, { onWorkerLost: "wait" });
    machine.lose();
    expect(machine.vm()).toMatchObject({ state: "Lost", workerId: 1 });
    expect(machine.refusal(placeOn(machine, 2))).toEqual({ kind: "vmHasChanged" });
    machine.register(1, {}, 2);
    machine.see("running");
    expect(machine.vm().state).toBe("Running");
    machine.lose();
    machine.do({ kind: "confirmWorkerDead", workerId: 1 });
    machine.place("web", 2);
    machine.place("other", 3);
  });

  test("one that waits and then need not is free at once", () => {
    const machine = cluster();
    machine.running("web", 1, { onWorkerLost: "wait" });
    machine.lose();
    machine.do(machine.update("web", { onWorkerLost: "wait", priority: 1 }));
    expect(machine.vm().workerId).toBe(1);
    machine.do(machine.update("web", { onWorkerLost: "restart" }));
    expect(machine.vm()).toMatchObject({ state: "Lost", workerId: null });
    machine.place("web", 2);
  });

  test("one that was stopped there and is wanted now runs elsewhere", () => {
    const machine = cluster();
    machine.running();
    machine.do({ kind: "setVmDesired", name: "web", desired: "stopped" });
    machine.see("stopped");
    machine.lose();
    expect(machine.vm()).toMatchObject({ state: "Lost", workerId: 1 });
    machine.do({ kind: "setVmDesired", name: "web", desired: "running" });
    expect(machine.vm()).toMatchObject({ state: "Lost", workerId: null });
    machine.place("web", 2);
  });

  test("while it is back, but has not shown the VM yet, the VM stays with it", () => {
    const machine = cluster();
    machine.running("web", 1, { onWorkerLost: "wait" });
    machine.lose();
    machine.register(1, {}, 2);
    machine.do(machine.update("web", { onWorkerLost: "restart" }));
    expect(machine.vm().workerId).toBe(1);
  });

  test("room that was kept there is kept no more", () => {
    const machine = cluster();
    machine.running();
    machine.do(evict(machine, 2));
    machine.lose(2);
    expect(machine.vm()).toMatchObject({ targetId: null, eviction: "drain", workerId: 1 });
    expect(machine.worker(2)).toMatchObject({ reserved: { vcpus: 0 }, nominees: [] });
  });

  test("what its lease said once is not said again", () => {
    const machine = cluster();
    machine.lose();
    const again: Command = { kind: "workerLost", workerId: 1, bootId: 1 };
    expect(machine.refusal(again)).toEqual({ kind: "workerHasChanged", workerId: 1 });
    machine.register(1, {}, 2);
    expect(machine.refusal(again)).toEqual({ kind: "workerHasChanged", workerId: 1 });
    expect(machine.worker().isOnline).toBe(true);
  });
});

describe("a rebalance", () => {
  const moves = (machine: StateMachine, to: number) => [{ name: "web", epoch: machine.vm().epoch, to }];

  test("moves what is as it was planned, and rests for ten minutes", () => {
    const machine = cluster();
    machine.running();
    machine.running("other");
    machine.timeMs = 1000;
    const plan = [...moves(machine, 2), { name: "other", epoch: 1, to: 2 }];
    const counts = { moved: plan.length - 1, refused: 1 };
    expect(machine.do({ kind: "rebalance", moves: plan })).toEqual({ ok: true, kind: "rebalanced", ...counts });
    expect([machine.vm().targetId, machine.vm("other").targetId]).toEqual([2, null]);
    machine.timeMs += 599_999;
    expect(machine.refusal({ kind: "rebalance", moves: [] })).toEqual({ kind: "tooSoon", retryAfterMs: 1 });
    machine.timeMs += 1;
    machine.do({ kind: "rebalance", moves: [] });
  });

  // The system before this one told its clients of success first, and refused a batch within a batch then.
  test("that moved nothing is none, and says so", () => {
    const machine = cluster();
    machine.running();
    expect(machine.refusal({ kind: "rebalance", moves: moves(machine, 9) })).toEqual({ kind: "vmHasChanged" });
    machine.do({ kind: "rebalance", moves: moves(machine, 2) });
    expect(machine.vm().targetId).toBe(2);
  });
});

test("no two runs of any VM have one epoch, also not of one name after the other", () => {
  const machine = cluster();
  const epochs: number[] = [];
  const note = (): void => void epochs.push(machine.vm().epoch);
  for (let round = 0; round < 3; round++) {
    machine.running();
    note();
    machine.do({ kind: "restartVm", name: "web" });
    note();
    machine.lose();
    machine.register(1, {}, 10 + round);
    machine.place();
    note();
    machine.do({ kind: "deleteVm", name: "web", expectedGeneration: null });
    machine.see("absent");
  }
  expect(new Set(epochs).size).toBe(9);
  expect([...epochs].sort((a, b) => a - b)).toEqual(epochs);
});

const seenOf = (vm: VmRecord, phase: MachineObservation["phase"]): MachineObservation => ({
  name: vm.name,
  epoch: vm.epoch,
  phase,
  reason: "",
});

test("what a worker says of its building is the VM's reason, no event, and out of date once the machine starts", () => {
  const machine = cluster();
  machine.create();
  machine.place();
  const observe = (phase: MachineObservation["phase"], reason: string): void => {
    const machines = [{ ...seenOf(machine.vm(), phase), reason }];
    machine.do({ kind: "observe", workerId: 1, bootId: 1, machines, jobs: [] });
  };
  observe("building", "1 of 2");
  const { updatedIndex } = machine.vm();
  observe("building", "1 of 2");
  expect(machine.vm()).toMatchObject({ state: "Building", reason: "1 of 2", updatedIndex });
  observe("building", "2 of 2");
  expect(machine.vm()).toMatchObject({ state: "Building", reason: "2 of 2" });
  expect(machine.lastEvents).toEqual([]);
  observe("starting", "");
  expect(machine.vm()).toMatchObject({ state: "Starting", reason: "" });
});

test("one report may tell of many machines, one after the other", () => {
  const machine = cluster();
  machine.create();
  machine.place();
  const vm = machine.vm();
  const machines = [seenOf(vm, "building"), seenOf(vm, "running"), seenOf(vm, "stopped")];
  machine.do({ kind: "observe", workerId: 1, bootId: 1, machines, jobs: [] });
  expect(machine.lastEvents.map((event) => (event.kind === "vmState" ? event.state : event.kind))).toEqual([
    "Building",
    "Running",
    "Stopped",
  ]);
});
