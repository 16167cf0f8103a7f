/**
 * The procedures about workers and what runs there, over a cluster of one node whose disk is done at once.
 */
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Command, DEFAULT_RAFT_OPTIONS, type Node, type WorkerFacts } from "../../core/index.ts";
import { CoreLoop } from "../core-loop/index.ts";
import { ApiError } from "../errors/index.ts";
import type { Caller } from "./call-context.ts";
import { dispatch, type Handlers } from "./dispatch.ts";
import { handlersFor } from "./handlers.ts";
import { type AnswerOf, type ProcedureName, procedures, type RequestOf } from "./procedures.ts";
import { callOf, onlyMember, served } from "./testing/index.ts";

const facts: WorkerFacts = {
  capacity: { vcpus: 10, memoryMiB: 10_240, diskGiB: 100 },
  features: [],
  topology: { datacenter: "dc", zone: "z", rack: "r" },
  costPerHour: 0,
  driver: null,
  guestsVia: [],
};

let loop: CoreLoop;
let node: Node;
let handlers: Handlers;

beforeEach(async () => {
  const nowMs = (): number => performance.now();
  const options = { ...DEFAULT_RAFT_OPTIONS, electionTimeoutMs: 20, heartbeatMs: 5 };
  node = onlyMember(options, { nowMs: nowMs(), wallMs: Date.now() });
  loop = new CoreLoop(node, {
    send: () => undefined,
    write: ({ id }) => queueMicrotask(() => loop.written(id)),
    nowMs,
    wallMs: Date.now,
    evidence: () => undefined,
    halted: (reason) => {
      throw new Error(reason);
    },
    stepped: () => undefined,
  });
  handlers = handlersFor({ ...served(node, (request) => loop.request(request)), nowMs });
  loop.start();
  await until(() => node.role === "leader" && node.appliedIndex > 0);
});
afterEach(() => loop.stop());

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}

/** The answer that a client gets. It must have exactly the fields of its schema. */
async function ask<Name extends ProcedureName>(name: Name, request: RequestOf<Name>): Promise<AnswerOf<Name>> {
  const answer = await dispatch(handlers, name, request, callOf());
  const told = JSON.parse(JSON.stringify(answer));
  expect(procedures[name].answer.parse(told)).toEqual(told);
  return told;
}

/** The code of the error that a client gets. */
async function refused<Name extends ProcedureName>(name: Name, request: RequestOf<Name>): Promise<ApiError> {
  const failed = await ask(name, request).catch((error: unknown) => error);
  if (!(failed instanceof ApiError)) throw failed;
  expect([failed.message, failed.hint]).not.toContain("");
  return failed;
}

async function refusal<Name extends ProcedureName>(name: Name, request: RequestOf<Name>): Promise<string> {
  return (await refused(name, request)).code;
}

async function command(command: Command): Promise<void> {
  const answer = await loop.request({ kind: "propose", request: { session: null, command } });
  expect(answer).toMatchObject({ kind: "applied", result: { ok: true } });
}

/** Registers workers. Nobody reports for them, so what is placed there stays Scheduled. */
async function withWorkers(count: number, own: Partial<WorkerFacts> = {}): Promise<void> {
  for (let id = 1; id <= count; id++) {
    await command({ kind: "announceNode", nodeId: id, peerId: `peer-${id}`, addresses: ["192.0.2.1:7001"] });
    await command({ kind: "registerWorker", workerId: id, bootId: id, facts: { ...facts, ...own } });
  }
}

const placed = async (name: string): Promise<number> => {
  for (;;) {
    const { vm } = await ask("vm.show", { name });
    if (vm.workerId !== null) return vm.workerId;
  }
};

test("workers are listed and shown with what they have, may promise and hold", async () => {
  expect((await ask("worker.list", {})).workers).toEqual([]);
  await withWorkers(2);
  await ask("vm.create", { name: "web", spec: { workerId: 2 } });
  expect(await placed("web")).toBe(2);
  const { workers } = await ask("worker.list", {});
  expect(workers).toMatchObject([
    { id: 1, status: "online", driver: null, used: { vcpus: 0 }, vmCount: 0 },
    {
      id: 2,
      capacity: facts.capacity,
      promisable: { vcpus: 9, memoryMiB: 9216, diskGiB: 90 },
      used: { vcpus: 2, memoryMiB: 1024, diskGiB: 5 },
      vmCount: 1,
    },
  ]);
  const shown = await ask("worker.show", { id: 2 });
  expect(shown.vms.map(({ name, state, epoch }) => [name, state, epoch > 0])).toEqual([["web", "Scheduled", true]]);
  expect(await refusal("worker.show", { id: 9 })).toBe("workerNotFound");
});

test("a worker is cordoned, drained, given back and declared dead", async () => {
  await withWorkers(1);
  const status = async (): Promise<string> => (await ask("worker.show", { id: 1 })).worker.status;
  await ask("worker.cordon", { id: 1 });
  expect(await status()).toBe("cordoned");
  await ask("worker.drain", { id: 1 });
  expect(await status()).toBe("draining");
  await ask("worker.uncordon", { id: 1 });
  expect(await status()).toBe("online");
  await ask("worker.confirmDead", { id: 1 });
  expect(await status()).toBe("offline");
  expect(await refusal("worker.drain", { id: 9 })).toBe("workerNotFound");
});

test("a worker is removed when nothing is there and it takes nothing new; what is in the way is said", async () => {
  await withWorkers(2);
  expect(await refusal("worker.remove", { id: 1 })).toBe("workerIsMember");
  const { code, message, hint } = await refused("worker.remove", { id: 2 });
  expect(code).toBe("workerIsOnline");
  expect(`${message}; ${hint}`).toContain("worker drain 2");
  await ask("vm.create", { name: "web", spec: { workerId: 2 } });
  await placed("web");
  await ask("worker.cordon", { id: 2 });
  expect(await refused("worker.remove", { id: 2 })).toMatchObject({
    code: "workerInUse",
    message: "1 VM is still placed on worker 2",
    details: { workerId: 2, vms: 1, tasks: 0 },
  });
  await ask("worker.confirmDead", { id: 2 });
  const { index } = await ask("worker.remove", { id: 2 });
  expect(await refusal("worker.show", { id: 2 })).toBe("workerNotFound");
  const { events } = await ask("events.list", { afterIndex: index - 1 });
  expect(events).toContainEqual(expect.objectContaining({ kind: "workerRemoved", workerId: 2 }));
  expect(events).toContainEqual(expect.objectContaining({ kind: "requested", command: "removeWorker", target: "2" }));
});

test("a plan says where a VM would go, what each host says, and who would have to leave", async () => {
  await withWorkers(2);
  expect(await ask("vm.plan", { name: "web", spec: { vcpus: 4 } })).toMatchObject({
    workerId: 1,
    preemption: null,
    judgements: [{ workerId: 1, refusal: null }, { workerId: 2 }],
  });
  await ask("vm.create", { name: "low", spec: { vcpus: 8, priority: 100, workerId: 1 } });
  await ask("vm.create", { name: "safe", spec: { vcpus: 8, preemptible: false, workerId: 2 } });
  await placed("low");
  await placed("safe");
  const plan = await ask("vm.plan", { name: "web", spec: { vcpus: 4 } });
  expect(plan).toMatchObject({
    workerId: null,
    preemption: { workerId: 1, victims: ["low"] },
    refusals: [{ kind: "insufficient", resource: "vcpus", count: 2, needed: 4, free: 1 }],
  });
  expect((await ask("vm.list", {})).vms.map(({ name }) => name)).toEqual(["low", "safe"]);
  expect(await ask("vm.explain", { name: "low" })).toMatchObject({ workerId: null });
  expect(await refusal("vm.explain", { name: "web" })).toBe("vmNotFound");
});

test("a plan says what else is in the way of a request, and takes nothing", async () => {
  await withWorkers(1);
  const code = async (name: string, spec: RequestOf<"vm.plan">["spec"]): Promise<string | null> =>
    (await ask("vm.plan", { name, spec })).obstacle?.code ?? null;
  await ask("quota.set", { tenant: "acme", quota: { vms: 1, createsPerMinute: 1 } });
  await ask("ipPool.create", { name: "one", subnet: "10.1.0.1/32" });
  const spec = { tenant: "acme", networks: [{ pool: "one" }] };
  expect(await code("web", spec)).toBe(null);
  expect(await code("web", spec)).toBe(null);
  await ask("vm.create", { name: "web", spec });
  expect(await code("web", spec)).toBe("vmExists");
  expect(await code("db", spec)).toBe("quotaExceeded");
  expect(await code("db", { networks: [{ pool: "one" }] })).toBe("poolExhausted");
  expect(await code("db", { networks: [{ pool: "two" }] })).toBe("poolNotFound");
  expect(await code("db", {})).toBe(null);
});

test("a VM is stopped, started, restarted and moved", async () => {
  await withWorkers(2);
  await ask("vm.create", { name: "web" });
  const before = await placed("web");
  const { vm } = await ask("vm.show", { name: "web" });
  await ask("vm.restart", { name: "web" });
  expect((await ask("vm.show", { name: "web" })).vm.epoch).toBeGreaterThan(vm.epoch);
  await ask("vm.stop", { name: "web" });
  expect((await ask("vm.show", { name: "web" })).vm.desired).toBe("stopped");
  await ask("vm.start", { name: "web" });
  expect((await ask("vm.show", { name: "web" })).vm.desired).toBe("running");
  expect(await refusal("vm.migrate", { name: "web", to: before })).toBe("doesNotFit");
  const to = before === 1 ? 2 : 1;
  await ask("vm.migrate", { name: "web", to });
  expect((await ask("vm.show", { name: "web" })).vm).toMatchObject({ eviction: "migrate", targetId: to });
  expect(await refusal("vm.stop", { name: "db" })).toBe("vmNotFound");
});

test("a task is submitted with defaults, shown, listed a page at a time and cancelled", async () => {
  await ask("task.submit", { id: "b", command: "/bin/true", features: ["ssd", "gpu", "ssd"] });
  await ask("task.submit", { id: "a", command: "backup", args: ["--all"], attemptsMax: 3 });
  expect((await ask("task.show", { id: "b" })).task).toMatchObject({
    state: "Pending",
    features: ["gpu", "ssd"],
    resources: { vcpus: 1, memoryMiB: 256, diskGiB: 0 },
    timeoutMs: 3_600_000,
  });
  const first = await ask("task.list", { limit: 1 });
  expect([first.tasks.map(({ id }) => id), first.nextAfterId]).toEqual([["a"], "a"]);
  expect((await ask("task.list", { afterId: "a" })).tasks.map(({ id }) => id)).toEqual(["b"]);
  await ask("task.cancel", { id: "a" });
  expect((await ask("task.show", { id: "a" })).task.state).toBe("Cancelled");
  await ask("task.cancel", { id: "a" });
  expect(await refusal("task.show", { id: "a" })).toBe("taskNotFound");
  expect(await refusal("task.submit", { id: "b", command: "again" })).toBe("taskExists");
  expect(await refusal("task.submit", { id: "c", command: "" })).toBe("invalidRequest");
});

test("a tenant's quota is set, counted against, and taken away", async () => {
  expect(await ask("quota.get", { tenant: "acme" })).toMatchObject({ quota: null, usage: { vms: 0 } });
  await ask("quota.set", { tenant: "acme", quota: { vms: 1 } });
  await ask("vm.create", { name: "web", spec: { tenant: "acme" } });
  expect(await refusal("vm.create", { name: "db", spec: { tenant: "acme" } })).toBe("quotaExceeded");
  const { tenants } = await ask("quota.list", {});
  expect(tenants).toMatchObject([
    { tenant: "acme", quota: { vms: 1, vcpus: 200 }, usage: { vms: 1, vcpus: 2, memoryMiB: 1024, diskGiB: 5 } },
  ]);
  await ask("quota.set", { tenant: "acme", quota: null });
  await ask("vm.create", { name: "db", spec: { tenant: "acme" } });
});

test("an address pool gives a VM address, MAC and tap device, and goes when nobody has any", async () => {
  await ask("ipPool.create", { name: "front", subnet: "10.1.0.0/29", gateway: "10.1.0.1" });
  await ask("vm.create", { name: "web", spec: { networks: [{ pool: "front" }] } });
  const { vm } = await ask("vm.show", { name: "web" });
  expect(vm.addresses).toEqual([
    {
      pool: "front",
      address: "10.1.0.2",
      prefixLength: 29,
      gateway: "10.1.0.1",
      mac: "02:b1:00:01:00:02",
      tap: "bx-1-2",
    },
  ]);
  expect((await ask("vm.list", {})).vms[0]?.addresses).toEqual(vm.addresses);
  expect((await ask("ipPool.show", { name: "front" })).pool).toMatchObject({ size: 5, usedCount: 1, enabled: true });
  expect(await refusal("ipPool.delete", { name: "front" })).toBe("poolInUse");
  await ask("ipPool.disable", { name: "front" });
  expect(await refusal("vm.create", { name: "db", spec: { networks: [{ pool: "front" }] } })).toBe("poolDisabled");
  await ask("ipPool.enable", { name: "front" });
  await ask("vm.delete", { name: "web" });
  await ask("ipPool.delete", { name: "front" });
  expect((await ask("ipPool.list", {})).pools).toEqual([]);
  expect(await refusal("ipPool.show", { name: "front" })).toBe("poolNotFound");
  expect(await refusal("ipPool.create", { name: "x", subnet: "10.1.0.0/33" })).toBe("invalidRequest");
});

test("a VM that names no pool has its address of one that the cluster chooses", async () => {
  await ask("ipPool.create", { name: "front", subnet: "10.1.0.0/30", tags: ["dmz", "fast"] });
  await ask("ipPool.create", { name: "back", subnet: "10.2.0.0/24", tags: ["dmz"] });
  await ask("ipPool.create", { name: "spare", subnet: "10.3.0.0/24", tags: ["spare"], enabled: false });
  const poolsOf = async (name: string): Promise<string[]> =>
    (await ask("vm.show", { name })).vm.addresses.map(({ pool }) => pool);
  await ask("vm.create", { name: "web", spec: { networks: [{ tags: ["dmz", "fast"] }, {}] } });
  expect(await poolsOf("web")).toEqual(["front", "back"]);
  expect((await ask("vm.show", { name: "web" })).vm.spec.networks).toEqual([
    { pool: null, tags: ["dmz", "fast"] },
    { pool: null, tags: [] },
  ]);
  expect((await ask("ipPool.list", {})).strategy).toBe("least-used");
  await ask("ipPool.setStrategy", { strategy: "most-used" });
  expect((await ask("ipPool.list", {})).strategy).toBe("most-used");
  await ask("vm.create", { name: "db", spec: { networks: [{ pool: null }] } });
  expect(await poolsOf("db")).toEqual(["front"]);
  expect((await ask("events.list", {})).events).toContainEqual(
    expect.objectContaining({ kind: "poolStrategySet", strategy: "most-used" }),
  );

  const obstacle = async (...tags: string[]) =>
    (await ask("vm.plan", { name: "x", spec: { networks: [{ tags }] } })).obstacle;
  expect(await obstacle("dmz", "slow")).toMatchObject({
    code: "noPoolWithTags",
    message: "no address pool carries all of the tags dmz, slow",
  });
  expect(await obstacle("spare")).toMatchObject({
    code: "poolsDisabled",
    message: "no address pool with the tag spare gives anything out: 1 is disabled",
  });
  expect(await obstacle("fast")).toMatchObject({
    code: "poolsExhausted",
    message: "all 2 addresses of the pools with the tag fast are in use",
  });
  const both = { networks: [{ pool: "front", tags: ["dmz"] }] };
  expect(await refusal("vm.create", { name: "x", spec: both })).toBe("invalidRequest");
});

test("placement is configured as a whole, with defaults for what is left out", async () => {
  const { scheduler } = await ask("scheduler.get", {});
  expect(scheduler).toMatchObject({ strategy: "most-available", overcommit: { cpu: 1, reservePercent: 10 } });
  await ask("scheduler.configure", { scheduler: { strategy: "spread", overcommit: { memory: 1.15 } } });
  expect((await ask("scheduler.get", {})).scheduler).toMatchObject({
    strategy: "spread",
    overcommit: { cpu: 1, memory: 1.15 },
    preemption: true,
  });
  expect(await refusal("scheduler.configure", { scheduler: { overcommit: { cpu: 1.005 } } })).toBe("invalidRequest");
});

test("settings that somebody else has changed since they were read are not reset", async () => {
  const { scheduler, generation: expectedGeneration } = await ask("scheduler.get", {});
  await ask("scheduler.configure", { scheduler: { ...scheduler, preemption: false }, expectedGeneration });
  const stale = { scheduler: { ...scheduler, minDomains: 2 }, expectedGeneration };
  expect(await refusal("scheduler.configure", stale)).toBe("generationMismatch");
  const now = await ask("scheduler.get", {});
  expect(now).toMatchObject({ generation: expectedGeneration + 1, scheduler: { preemption: false, minDomains: 1 } });
});

test("what was asked is told in events, with who asked and what came of it", async () => {
  const asked = async (caller: Caller): Promise<void> => {
    await dispatch(handlers, "worker.drain", { id: 9 }, callOf(caller)).catch(() => undefined);
  };
  await ask("vm.create", { name: "web" });
  await asked({ kind: "token", tokenId: "4f3c2b1a" });
  await asked({ kind: "member", peerId: "peer-1" });
  const { events } = await ask("events.list", {});
  const told = events.flatMap((event) =>
    event.kind === "requested" ? [[event.by, event.command, event.target, event.refusal]] : [],
  );
  expect(told).toEqual([
    ["local", "createVm", "web", null],
    ["token:4f3c2b1a", "setAvailability", "9", "workerNotFound"],
    ["node:1", "setAvailability", "9", "workerNotFound"],
  ]);
});

test("a rebalance is planned, then applied move by move, and not again at once", async () => {
  await withWorkers(2);
  for (const name of ["a", "b", "c", "d"]) {
    await ask("vm.create", { name, spec: { workerId: 1 } });
    await placed(name);
  }
  for (const name of ["a", "b", "c", "d"]) {
    const { vm } = await ask("vm.show", { name });
    await command({
      kind: "observe",
      workerId: 1,
      bootId: 1,
      machines: [{ name, epoch: vm.epoch, phase: "running", reason: "" }],
      jobs: [],
    });
    const spec = { ...JSON.parse(JSON.stringify(vm.spec)), workerId: null };
    await ask("vm.update", { name, expectedGeneration: 1, spec });
  }
  const plan = await ask("rebalance.plan", { movesMax: 1 });
  expect(plan.moves).toMatchObject([{ from: 1, to: 2 }]);
  expect(plan.after).toBeLessThan(plan.before);
  const moves = plan.moves.map(({ name, epoch, to }) => ({ name, epoch, to }));
  const stale = moves.map((move) => ({ ...move, epoch: 1 }));
  expect(await ask("rebalance.apply", { moves: [...moves, ...stale] })).toMatchObject({ moved: 1, refused: 1 });
  expect((await ask("vm.show", { name: moves[0]?.name ?? "" })).vm).toMatchObject({
    eviction: "rebalance",
    targetId: 2,
  });
  expect(await refusal("rebalance.apply", { moves })).toBe("tooSoon");
});

test("what is out of bounds is said plainly, with the field and the limit", async () => {
  const messages = [
    await refused("vm.create", { name: "web", spec: { vcpus: 0 } }),
    await refused("rebalance.plan", { movesMax: 100_000 }),
    await refused("rebalance.apply", { moves: [] }),
  ].map(({ message }) => message);
  expect(messages).toEqual([
    "spec.vcpus: must be at least 1",
    "movesMax: must be at most 1000",
    "moves: must have at least 1 entry",
  ]);
});
