import { describe, expect, test } from "vitest";
import { DEFAULT_QUOTA, type Quota, vmSpec } from "../domain/index.ts";
import type { Command } from "./index.ts";
import { StateMachine, taskWith } from "./testing/index.ts";

const HOUR_MS = 3_600_000;

function limited(quota: Partial<Quota> = {}): StateMachine {
  const machine = new StateMachine();
  machine.timeMs = 1_700_000_000_000;
  machine.do({ kind: "setQuota", tenant: "default", quota: { ...DEFAULT_QUOTA, ...quota } });
  return machine;
}

const create = (name: string, spec = {}): Command => ({ kind: "createVm", name, spec: vmSpec(spec) });
const remove = (name: string): Command => ({ kind: "deleteVm", name, expectedGeneration: null });

describe("what a tenant may have", () => {
  test.each([
    ["vms", { vms: 1 }, {}, 2, 1],
    ["vcpus", { vcpus: 5 }, { vcpus: 3 }, 6, 5],
    ["memoryMiB", { memoryMiB: 2047 }, { memoryMiB: 1024 }, 2048, 2047],
    ["diskGiB", { diskGiB: 9 }, { diskGiB: 5 }, 10, 9],
    ["diskGiB", { diskGiB: 39 }, { diskGiB: 5, volumes: [{ name: "data", sizeGiB: 15 }] }, 40, 39],
  ] as const)("%s are counted from creation on, whether placed or not", (resource, quota, spec, wanted, limit) => {
    const machine = limited(quota);
    machine.create("a", spec);
    expect(machine.refusal(create("b", spec))).toEqual({ kind: "quotaExceeded", resource, wanted, limit });
    machine.do(remove("a"));
    machine.create("b", spec);
  });

  test("is counted until the machine of a VM that is deleted is seen gone", () => {
    const machine = limited({ vms: 1 });
    machine.register(1);
    machine.running("a");
    machine.do(remove("a"));
    expect(machine.refusal(create("b"))).toMatchObject({ kind: "quotaExceeded", resource: "vms" });
    machine.see("absent", "a");
    machine.create("b");
  });

  test("a VM that grows asks for its growth, one that shrinks is never refused", () => {
    const machine = limited({ vcpus: 10 });
    machine.create("a", { vcpus: 8 });
    expect(machine.refusal(machine.update("a", { vcpus: 11 }))).toEqual({
      kind: "quotaExceeded",
      resource: "vcpus",
      wanted: 11,
      limit: 10,
    });
    machine.do(machine.update("a", { vcpus: 10 }));
    machine.do({ kind: "setQuota", tenant: "default", quota: { ...DEFAULT_QUOTA, vcpus: 1, memoryMiB: 1 } });
    machine.do(machine.update("a", { vcpus: 9 }));
    machine.do(machine.update("a", { vcpus: 9, priority: 1 }));
    expect(machine.refusal(machine.update("a", { vcpus: 10 }))).toMatchObject({ kind: "quotaExceeded" });
  });

  test("a VM that changes hands counts with whom it comes to", () => {
    const machine = limited();
    machine.do({ kind: "setQuota", tenant: "small", quota: { ...DEFAULT_QUOTA, vms: 0 } });
    machine.create("a");
    expect(machine.refusal(machine.update("a", { tenant: "small" }))).toMatchObject({ resource: "vms", wanted: 1 });
    machine.do({ kind: "setQuota", tenant: "small", quota: { ...DEFAULT_QUOTA, vms: 1 } });
    machine.do(machine.update("a", { tenant: "small" }));
    expect(machine.tenant()?.vms).toBe(0);
    expect(machine.tenant("small")).toMatchObject({ vms: 1, usage: { vcpus: 2, memoryMiB: 1024, diskGiB: 5 } });
  });

  test("nobody is given a second worker's share: VMs per worker are counted where they are placed", () => {
    const machine = limited({ vmsPerWorker: 1 });
    machine.register(1);
    machine.register(2);
    for (const name of ["a", "b"]) machine.create(name);
    machine.place("a", 1);
    expect(machine.refusal({ kind: "placeVm", name: "b", epoch: 0, workerId: 1 })).toEqual({
      kind: "doesNotFit",
      workerId: 1,
      why: "tenantQuota",
    });
    machine.place("b", 2);
  });

  test("who has no quota is not limited, and forgotten with the last VM", () => {
    const machine = new StateMachine();
    for (let at = 0; at < 60; at++) machine.create(`vm-${at}`);
    expect(machine.tenant()?.vms).toBe(60);
    for (let at = 0; at < 60; at++) machine.do(remove(`vm-${at}`));
    expect(machine.tenant()).toBeNull();
    expect(machine.state.tenantCount).toBe(0);
  });
});

describe("how fast a tenant may ask", () => {
  test("creates: a minute's worth at once, then as they drip in", () => {
    const machine = limited({ createsPerMinute: 2 });
    machine.create("a");
    machine.create("b");
    const refusal = { kind: "tooManyRequests", what: "creates", perMinute: 2, retryAfterMs: 30_000 };
    expect(machine.refusal(create("c"))).toEqual(refusal);
    machine.timeMs += 29_970;
    expect(machine.refusal(create("c"))).toEqual({ ...refusal, retryAfterMs: 30 });
    machine.timeMs += 29;
    expect(machine.refusal(create("c"))).toEqual({ ...refusal, retryAfterMs: 30 });
    machine.timeMs += 1;
    machine.create("c");
    expect(machine.refusal(create("d"))).toEqual(refusal);
    machine.timeMs += HOUR_MS;
    machine.create("d");
    machine.create("e");
    expect(machine.refusal(create("f"))).toEqual(refusal);
  });

  test("deletes have a bucket of their own, and deleting what is being deleted takes nothing from it", () => {
    const machine = limited({ deletesPerMinute: 1 });
    machine.register(1);
    machine.running("a");
    machine.create("b");
    machine.do(remove("a"));
    machine.do(remove("a"));
    expect(machine.refusal(remove("b"))).toMatchObject({ what: "deletes", retryAfterMs: 60_000 });
    machine.timeMs += 60_000;
    machine.do(remove("b"));
  });

  // The system before this one divided limits by the hour into whole tokens a minute: fewer than 60 an hour became
  // none at all.
  test("a slow limit is slow, and not nought: one a minute, asked for all the time, is had every minute", () => {
    const machine = limited({ createsPerMinute: 1, requestsPerSecond: 1_000_000, requestsBurst: 1_000_000 });
    let created = 0;
    const since = machine.timeMs;
    for (let name = 0; name < 12_000; name++) {
      machine.timeMs = since + name * 15;
      if (machine.ask(create(`vm-${name}`)).ok) created++;
    }
    expect(created).toBe(3);
  });

  test("a limit of nought refuses everything, and says to come back in a minute", () => {
    const machine = limited({ createsPerMinute: 0 });
    expect(machine.refusal(create("a"))).toMatchObject({ perMinute: 0, retryAfterMs: 60_000 });
    machine.timeMs += HOUR_MS;
    expect(machine.refusal(create("a"))).toMatchObject({ perMinute: 0 });
  });

  test("every write about what is a tenant's is a request: 200 at once, and 100 a second", () => {
    const machine = limited();
    machine.register(1);
    machine.running("a");
    machine.do({ kind: "submitTask", id: "job", spec: taskWith() });
    const asked: Command[] = [
      { kind: "setVmDesired", name: "a", desired: "running" },
      { kind: "restartVm", name: "a" },
      { kind: "migrateVm", name: "a", to: 1 },
      { kind: "updateVm", name: "a", expectedGeneration: 99, spec: vmSpec() },
      { kind: "deleteVm", name: "a", expectedGeneration: 99 },
      { kind: "createVm", name: "a", spec: vmSpec() },
      { kind: "submitTask", id: "job", spec: taskWith() },
      { kind: "cancelTask", id: "job" },
    ];
    const tokens = () => (machine.tenant()?.requests.milliTokens ?? 0) / 1000;
    expect(tokens()).toBe(198);
    for (const [at, command] of asked.entries()) {
      machine.ask(command);
      expect([command.kind, tokens()]).toEqual([command.kind, 198 - at - 1]);
    }
    while (tokens() > 0) machine.ask({ kind: "restartVm", name: "a" });
    for (const command of asked) {
      const refusal = machine.refusal(command);
      expect(refusal).toEqual({ kind: "tooManyRequests", what: "requests", perMinute: 6000, retryAfterMs: 10 });
    }
    machine.timeMs += 10;
    machine.do({ kind: "restartVm", name: "a" });
    expect(machine.refusal({ kind: "restartVm", name: "a" })).toMatchObject({ what: "requests" });
    machine.timeMs += 1500;
    machine.do({ kind: "restartVm", name: "a" });
    expect(tokens()).toBe(149);
    machine.timeMs += HOUR_MS;
    machine.do({ kind: "restartVm", name: "a" });
    expect(tokens()).toBe(199);
  });

  test("what the cluster itself does is no request of a tenant's", () => {
    const machine = limited({ requestsBurst: 1 });
    machine.create("a");
    machine.register(1);
    machine.place("a");
    machine.see("running", "a");
    machine.do({ kind: "evictVm", name: "a", epoch: machine.vm("a").epoch, cause: "drain", to: null });
  });

  test("a clock that falls back gives nothing, and takes nothing", () => {
    const machine = limited({ createsPerMinute: 2 });
    machine.create("a");
    machine.timeMs -= HOUR_MS;
    machine.create("b");
    expect(machine.refusal(create("c"))).toMatchObject({ retryAfterMs: 30_000 });
  });

  test("others are not held up", () => {
    const machine = limited({ createsPerMinute: 0, requestsBurst: 0 });
    machine.create("a", { tenant: "other" });
    expect(machine.refusal(create("b"))).toMatchObject({ what: "requests" });
  });
});
