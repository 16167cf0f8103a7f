import { describe, expect, test } from "vitest";
import { type VmSpec, vmSpec } from "../domain/index.ts";
import type { Command } from "./index.ts";
import { poolWith, StateMachine } from "./testing/index.ts";

function cluster(): StateMachine {
  const machine = new StateMachine();
  for (const id of [1, 2]) machine.register(id);
  return machine;
}

const remove = (name = "web"): Command => ({ kind: "deleteVm", name, expectedGeneration: null });
const desire = (desired: "running" | "stopped"): Command => ({ kind: "setVmDesired", name: "web", desired });
const migrate = (to: number | null): Command => ({ kind: "migrateVm", name: "web", to });

describe("deleting", () => {
  test("one that is nowhere is at once", () => {
    const machine = cluster();
    machine.create();
    machine.do(remove());
    expect(machine.hasVm()).toBe(false);
    expect(machine.lastEvents).toMatchObject([{ kind: "vmDeleted", name: "web", generation: 1 }]);
  });

  test("one that is placed ends when its machine is seen gone, whatever is seen before", () => {
    const machine = cluster();
    machine.running();
    machine.do(remove());
    for (const phase of ["running", "stopped", "failed", "unhealthy"] as const) {
      machine.see(phase);
      expect(machine.vm()).toMatchObject({ state: "Stopping", desired: "deleted", workerId: 1 });
    }
    expect(machine.do(remove())).toEqual({ ok: true, kind: "vmDeleted", generation: 1 });
    machine.see("absent");
    expect(machine.hasVm()).toBe(false);
    expect(machine.worker()).toMatchObject({ vms: [], used: { vcpus: 0, memoryMiB: 0, diskGiB: 0 } });
  });

  test("does not end with the lease of its worker, but with an operator's word, or when the worker is back without it", () => {
    const machine = cluster();
    for (const name of ["web", "other"]) {
      machine.running(name);
      machine.do(remove(name));
    }
    machine.lose();
    expect(machine.vm()).toMatchObject({ state: "Lost", desired: "deleted", workerId: 1 });
    machine.register(1, {}, 2);
    machine.see("absent");
    expect(machine.hasVm()).toBe(false);
    machine.lose();
    expect(machine.hasVm("other")).toBe(true);
    machine.do({ kind: "confirmWorkerDead", workerId: 1 });
    expect(machine.hasVm("other")).toBe(false);
  });

  test("gives up the room that was kept elsewhere", () => {
    const machine = cluster();
    machine.running();
    machine.do(migrate(2));
    machine.do(remove());
    expect(machine.worker(2)).toMatchObject({ nominees: [], reserved: { vcpus: 0 } });
  });

  test("a VM that is being deleted takes no other wish", () => {
    const machine = cluster();
    machine.running();
    machine.do(remove());
    const wishes: Command[] = [
      desire("running"),
      desire("stopped"),
      { kind: "restartVm", name: "web" },
      migrate(2),
      machine.update("web", { vcpus: 3 }),
    ];
    for (const wish of wishes)
      expect([wish.kind, machine.refusal(wish)]).toEqual([wish.kind, { kind: "vmIsBeingDeleted" }]);
    expect(machine.refusal({ kind: "createVm", name: "web", spec: vmSpec() })).toEqual({ kind: "vmExists" });
  });

  test("of another generation than expected is refused", () => {
    const machine = cluster();
    machine.create();
    const refusal = machine.refusal({ kind: "deleteVm", name: "web", expectedGeneration: 2 });
    expect(refusal).toEqual({ kind: "generationMismatch", expected: 2, actual: 1 });
  });
});

describe("starting and stopping", () => {
  test("what is as it is wanted is left alone", () => {
    const machine = cluster();
    machine.running();
    const before = machine.vm();
    machine.do(desire("running"));
    expect(machine.vm()).toBe(before);
  });

  test("one that is nowhere is stopped at once, and waits for a place when it is started", () => {
    const machine = cluster();
    machine.create();
    machine.do(desire("stopped"));
    expect(machine.vm()).toMatchObject({ state: "Stopped", workerId: null });
    expect(machine.refusal({ kind: "placeVm", name: "web", epoch: 0, workerId: 1 })).toEqual({ kind: "vmHasChanged" });
    machine.do(desire("running"));
    expect(machine.vm().state).toBe("Pending");
  });

  test("one that was stopped keeps its place, and starts there as another run", () => {
    const machine = cluster();
    const { epoch } = machine.running();
    machine.do(desire("stopped"));
    machine.see("stopped");
    expect(machine.vm()).toMatchObject({ state: "Stopped", workerId: 1 });
    expect(machine.worker().used.vcpus).toBe(2);
    machine.do(desire("running"));
    expect(machine.vm()).toMatchObject({ state: "Scheduled", workerId: 1 });
    expect(machine.vm().epoch).toBeGreaterThan(epoch);
  });

  test("one that failed for good starts anew when it is wanted again, with all its restarts", () => {
    const machine = cluster();
    machine.running();
    machine.see("failed");
    machine.do({ kind: "recoverVm", name: "web", epoch: machine.vm().epoch });
    machine.see("failed");
    machine.do(desire("running"));
    expect(machine.vm()).toMatchObject({ state: "Scheduled", restarts: 0 });
  });

  test("stopping gives up a move to another worker", () => {
    const machine = cluster();
    machine.running();
    machine.do(migrate(2));
    machine.do(desire("stopped"));
    expect(machine.worker(2).nominees).toEqual([]);
    machine.see("absent");
    expect(machine.vm()).toMatchObject({ state: "Stopped", workerId: null });
  });
});

describe("restarting and moving", () => {
  test("a restart is another run at the same place", () => {
    const machine = cluster();
    const { epoch } = machine.running();
    machine.do({ kind: "restartVm", name: "web" });
    expect(machine.vm()).toMatchObject({ state: "Scheduled", workerId: 1 });
    expect(machine.vm().epoch).toBeGreaterThan(epoch);
    machine.see("running", "web", epoch);
    expect(machine.vm().state).toBe("Scheduled");
  });

  test.each<[string, Command]>([
    ["restart", { kind: "restartVm", name: "web" }],
    ["move", migrate(2)],
  ])("what is nowhere, leaves its worker, or has lost it, cannot %s", (_, command) => {
    const machine = cluster();
    machine.create("web", { onWorkerLost: "wait" });
    expect(machine.refusal(command)).toEqual({ kind: "vmIsNotPlaced" });
    machine.place();
    machine.do({ kind: "evictVm", name: "web", epoch: machine.vm().epoch, cause: "drain", to: null });
    expect(machine.refusal(command)).toEqual({ kind: "vmIsNotPlaced" });
    machine.see("absent");
    machine.place();
    machine.lose();
    expect(machine.refusal(command)).toEqual({ kind: "vmIsNotPlaced" });
  });

  test("a move is to where it fits, and not to where it is", () => {
    const machine = cluster();
    machine.running("web", 1, { vcpus: 60 });
    machine.running("other", 2, { vcpus: 60 });
    expect(machine.refusal(migrate(1))).toMatchObject({ kind: "doesNotFit", workerId: 1 });
    expect(machine.refusal(migrate(2))).toEqual({ kind: "doesNotFit", workerId: 2, why: "insufficient" });
    expect(machine.refusal(migrate(9))).toEqual({ kind: "workerNotFound", workerId: 9 });
    machine.do(migrate(null));
    expect(machine.vm()).toMatchObject({ eviction: "migrate", avoidId: 1, targetId: null });
  });

  test.each<Command>([remove("no"), { kind: "restartVm", name: "no" }, { ...migrate(1), name: "no" } as Command])(
    "$kind of what there is not",
    (command) => {
      expect(cluster().refusal(command)).toEqual({ kind: "vmNotFound" });
    },
  );
});

describe("changing the spec", () => {
  test("needs the generation that it was made from", () => {
    const machine = cluster();
    machine.create();
    const update = machine.update("web", { vcpus: 3 });
    machine.do(update);
    expect(machine.refusal(update)).toEqual({ kind: "generationMismatch", expected: 1, actual: 2 });
  });

  test("of a VM that is placed must fit beside the others that are there, itself not counted twice", () => {
    const machine = cluster();
    machine.running("web", 1, { vcpus: 40 });
    machine.running("other", 1, { vcpus: 30 });
    // A tenth of the host is kept back.
    machine.do(machine.update("web", { vcpus: 60 }));
    expect(machine.worker().used.vcpus).toBe(90);
    const refusal = machine.refusal(machine.update("web", { vcpus: 61 }));
    expect(refusal).toEqual({ kind: "doesNotFit", workerId: 1, why: "insufficient" });
  });

  test("a VM of a group does not stand in its own way", () => {
    const machine = cluster();
    const antiAffinity = [{ group: "db", softWeight: null, maxPerDomain: 1, scope: "node" as const }];
    machine.running("web", 1, { antiAffinity });
    machine.do(machine.update("web", { antiAffinity, vcpus: 3 }));
    machine.running("other", 1);
    expect(machine.refusal(machine.update("other", { antiAffinity }))).toMatchObject({ why: "antiAffinity" });
  });

  test("on a worker that is cordoned, or has shrunk, what is there may stay and shrink", () => {
    const machine = cluster();
    machine.running("web", 1, { vcpus: 40 });
    machine.register(1, { capacity: { vcpus: 10, memoryMiB: 100_000, diskGiB: 1000 } });
    machine.do({ kind: "setAvailability", workerId: 1, availability: "cordoned" });
    machine.do(machine.update("web", { vcpus: 40, priority: 3 }));
    machine.do(machine.update("web", { vcpus: 30 }));
    expect(machine.worker().used.vcpus).toBe(40);
    machine.do({ kind: "restartVm", name: "web" });
    machine.see("running");
    expect(machine.worker().used.vcpus).toBe(30);
  });

  const relaxed: [string, Partial<VmSpec>, Partial<VmSpec>][] = [
    ["any hypervisor in place of one", { hypervisor: "qemu" }, { hypervisor: "any" }],
    ["a feature less", { features: ["gpu", "kvm"] }, { features: ["kvm"] }],
    ["the same features in another order", { features: ["gpu", "kvm"] }, { features: ["kvm", "gpu"] }],
    ["its hypervisor as a feature", { hypervisor: "qemu" }, { hypervisor: "any", features: ["qemu"] }],
  ];
  test.each(relaxed)(
    "%s is no more than it had, on a worker that has shrunk and lost what it offered",
    (_, had, has) => {
      const machine = cluster();
      machine.register(1, { features: ["gpu", "kvm", "qemu"] });
      machine.running("web", 1, { vcpus: 40, ...had });
      machine.register(1, { capacity: { vcpus: 10, memoryMiB: 100_000, diskGiB: 1000 } });
      machine.do(machine.update("web", { vcpus: 40, ...has }));
      // Anything more is judged by what the worker offers now.
      const more = machine.update("web", { vcpus: 40, ...has, features: [...(has.features ?? []), "tpm"] });
      expect(machine.refusal(more)).toMatchObject({ kind: "doesNotFit", why: "missingFeatures" });
    },
  );

  const elsewhere: [string, Partial<VmSpec>, string][] = [
    ["features", { features: ["gpu"] }, "missingFeatures"],
    ["its hypervisor", { hypervisor: "firecracker" }, "missingFeatures"],
    ["the named worker", { workerId: 2 }, "notTheNamedWorker"],
    [
      "the datacenter",
      {
        locality: { preferredDatacenter: "far", preferredZone: null, strict: true, excludedDatacenters: [] },
      },
      "locality",
    ],
  ];
  test.each(elsewhere)("%s that it could not have where it is, are refused while it is there", (_, spec, why) => {
    const machine = cluster();
    machine.running();
    expect(machine.refusal(machine.update("web", spec))).toEqual({ kind: "doesNotFit", workerId: 1, why });
  });

  test("addresses change only while it is nowhere", () => {
    const machine = cluster();
    for (const [at, name] of ["lan", "wan"].entries())
      machine.do({ kind: "createPool", spec: poolWith({ name, subnet: `10.0.${at}.0/24` }) });
    machine.running("web", 1, { networks: [{ pool: "lan" }] });
    const change = { networks: [{ pool: "wan" }] };
    expect(machine.refusal(machine.update("web", change))).toEqual({ kind: "vmIsPlaced", workerId: 1 });
    machine.do({ kind: "evictVm", name: "web", epoch: machine.vm().epoch, cause: "drain", to: null });
    expect(machine.refusal(machine.update("web", change))).toMatchObject({ kind: "vmIsPlaced" });
    machine.see("absent");
    machine.do(machine.update("web", change));
    expect(machine.vm().addresses).toEqual([{ pool: "wan", index: 1 }]);
  });
});
