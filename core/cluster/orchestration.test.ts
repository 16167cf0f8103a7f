/**
 * The state machine against a model, and what must hold of it after every entry whatever was asked. Histories are
 * drawn so that names, workers and addresses are few and meet, most commands are possible, and some are late.
 */

import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import {
  type ApplyResult,
  type ClusterEvent,
  DEFAULT_QUOTA,
  domainOf,
  FAILURE_DOMAINS,
  isLegalMove,
  POOL_STRATEGIES,
  SEEN_PHASES,
  type VmRecord,
  type VmSpec,
  vmSpec,
  type WorkerRecord,
} from "../domain/index.ts";
import { promisable } from "../scheduler/index.ts";
import { Batch } from "./batch.ts";
import { countKey } from "./derived-indexes.ts";
import { decodeEntryData } from "./entry-data.ts";
import { eventsOf } from "./events.ts";
import {
  AppliedOutOfOrder,
  applyEntries,
  type ClusterState,
  type Command,
  type CommandEntry,
  decodeSnapshot,
  emptyState,
  encodeRequest,
  encodeSnapshot,
  placementContext,
  poolOf,
  STAMP_BYTES,
  stampRequest,
  workerView,
} from "./index.ts";
import { rebuildIndexes } from "./rebuild-indexes.ts";
import { leavesOf, type Table, tableValues } from "./table.ts";
import {
  demandKnownRefusal,
  entryOf,
  factsWith,
  type ModelCommand,
  OrchestrationModel,
  poolWith,
  taskWith,
} from "./testing/index.ts";

// ---- Histories

const WORKERS = [1, 2, 3, 4];
const NAMES = ["a", "b", "c", "d", "e", "f", "g", "h"];
const TENANTS = ["red", "blue"];
const POOLS = ["lan", "wan", "den"];
const TASKS = ["job-1", "job-2"];

const KINDS = {
  createVm: 14,
  placeVm: 18,
  observe: 20,
  observeLate: 2,
  deleteVm: 4,
  updateVm: 8,
  setVmDesired: 5,
  restartVm: 2,
  migrateVm: 3,
  evictVm: 4,
  preempt: 3,
  dropNomination: 1,
  recoverVm: 3,
  registerWorker: 7,
  workerLost: 1,
  confirmWorkerDead: 1,
  setAvailability: 3,
  removeWorker: 2,
  setQuota: 4,
  setPoolEnabled: 1,
  submitTask: 2,
  placeTask: 3,
  observeJob: 2,
  cancelTask: 1,
  rebalance: 3,
  configureScheduler: 1,
  setPoolStrategy: 2,
} as const;
type StepKind = keyof typeof KINDS;

interface Step {
  readonly kind: StepKind;
  /** What the kind makes of them. */
  readonly draws: readonly [number, number, number, number];
  /** Meant for something that was so earlier. */
  readonly isLate: boolean;
  readonly passedMs: number;
  readonly actor: string | null;
  /** Asked in the client's session, and whether asked again: then it is answered as before, and nothing happens. */
  readonly session: "none" | "once" | "retried";
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.oneof(
    ...Object.entries(KINDS).map(([kind, weight]) => ({ weight, arbitrary: fc.constant(kind as StepKind) })),
  ),
  draws: fc.tuple(fc.nat(999), fc.nat(999), fc.nat(999), fc.nat(999)),
  isLate: fc.nat(11).map((n) => n === 0),
  passedMs: fc.oneof(
    { weight: 6, arbitrary: fc.constant(0) },
    { weight: 6, arbitrary: fc.integer({ min: 0, max: 20 }).map((seconds) => seconds * 1000) },
    { weight: 1, arbitrary: fc.constantFrom(600_000, 3_600_000) },
  ),
  actor: fc.constantFrom(null, "local", "token:api00001"),
  session: fc.constantFrom("none", "none", "once", "retried"),
});
// Small values, which fast-check likes best, would be the same few names over and over.
const history = fc.array(fc.noBias(step), { minLength: 100, maxLength: 160 });

function pick<T>(from: readonly T[], draws: number): T {
  const found = from[draws % from.length];
  if (found === undefined) throw new Error("nothing to pick from");
  return found;
}

const LAX = { preferredZone: null, strict: false, excludedDatacenters: [] };

const NETWORKS: readonly VmSpec["networks"][] = [
  [],
  [],
  [{ pool: "lan" }],
  [{ pool: "wan" }, { pool: "lan" }],
  [{ pool: null, tags: [] }],
  [{ pool: null, tags: ["v4"] }],
  [{ pool: null, tags: ["v4", "outside"] }],
  [{ pool: null, tags: [] }, { pool: "wan" }],
  // The pickier one comes second, and may have to go first.
  [
    { pool: null, tags: [] },
    { pool: null, tags: ["outside"] },
  ],
  [{ pool: null, tags: ["inside", "outside"] }],
];

function specOf(a: number, b: number): VmSpec {
  const scope = pick(FAILURE_DOMAINS, a);
  return vmSpec({
    vcpus: 1 + (a % 12),
    memoryMiB: 100 * (1 + (b % 9)),
    diskGiB: b % 5,
    hypervisor: a % 7 === 0 ? "qemu" : "any",
    tenant: pick(TENANTS, b >> 1),
    priority: pick([100, 500, 900], a >> 2),
    preemptible: b % 5 > 0,
    features: a % 11 === 0 ? ["gpu"] : [],
    antiAffinity: a % 5 > 1 ? [{ group: "g", softWeight: null, maxPerDomain: b % 4 === 0 ? 2 : 1, scope }] : [],
    locality: b % 3 === 0 ? { ...LAX, preferredDatacenter: pick(["near", "far", null], a >> 3) } : null,
    networks: pick(NETWORKS, a >> 1),
    volumes: b % 4 === 0 ? [{ name: "data", sizeGiB: 1 + (a % 9) }] : [],
    onWorkerLost: b % 3 === 0 ? "wait" : "restart",
    workerId: a % 13 === 0 ? pick(WORKERS, b) : null,
    recovery: { restartsMax: 3, backoffMs: 1, backoffFactor: 2, backoffMaxMs: 9, resetAfterMs: 3_600_000 },
  });
}

const factsOf = (worker: number, draws: number) =>
  factsWith({
    capacity: { vcpus: pick([20, 30, 30, 12], draws), memoryMiB: 3000, diskGiB: 40 },
    // What a worker offers may be less when it registers anew.
    features: [...(worker % 2 === 0 ? ["gpu"] : []), ...(draws % 3 > 0 ? ["qemu"] : [])],
    topology: {
      datacenter: worker === 4 ? "far" : "near",
      zone: "z",
      rack: draws % 7 === 0 ? "other" : `r${worker >> 1}`,
    },
  });

function setup(): ModelCommand[] {
  return [
    ...WORKERS.flatMap((id): ModelCommand[] => [
      { kind: "announceNode", nodeId: id, peerId: `peer-${id}`, addresses: [`worker-${id}:1`] },
      { kind: "registerWorker", workerId: id, bootId: 1, facts: factsOf(id, 1) },
    ]),
    ...POOLS.map((name, at): ModelCommand => {
      const net = `10.0.${at}`;
      const spec = poolWith({
        name,
        subnet: `${net}.0/24`,
        rangeFirst: `${net}.10`,
        rangeLast: `${net}.${12 - (at % 2)}`,
        tags: ["v4", ...(name === "wan" ? ["outside"] : ["inside"])],
        datacenter: pick(["near", "far", null], at),
      });
      return { kind: "createPool", spec };
    }),
  ];
}

/** What the step asks, of the cluster as the model knows it. */
function commandOf({ kind, draws: [a, b, c, d], isLate }: Step, model: OrchestrationModel): ModelCommand {
  const name = pick(NAMES, a);
  const vm = model.vms.get(name);
  const epoch = (vm?.epoch ?? 0) - (isLate ? 1 : 0);
  const workerId = isLate && b % 2 === 0 ? 9 : pick(WORKERS, b);
  const bootOf = (id: number): number => (model.workers.get(id)?.bootId ?? 1) - (isLate ? 1 : 0);
  const id = pick(TASKS, a);
  const task = model.tasks.get(id);
  const attempt = Math.max(0, (task?.attempt ?? 0) - (isLate ? 1 : 0));
  const at = Math.max(0, epoch);
  switch (kind) {
    case "createVm":
      return { kind, name, spec: specOf(b, c) };
    case "updateVm":
      return {
        kind,
        name,
        expectedGeneration: Math.max(1, (vm?.generation ?? 1) - (isLate ? 1 : 0)),
        spec: specOf(b, c),
      };
    case "deleteVm":
      return { kind, name, expectedGeneration: isLate ? 1 : null };
    case "setVmDesired":
      return { kind, name, desired: b % 2 === 0 ? "running" : "stopped" };
    case "restartVm":
      return { kind, name };
    case "migrateVm":
      return { kind, name, to: c % 3 === 0 ? null : workerId };
    case "placeVm":
      return {
        kind,
        name,
        epoch: at,
        workerId: vm?.targetId !== null && c % 2 === 0 ? (vm?.targetId ?? workerId) : workerId,
      };
    case "preempt":
      return {
        kind,
        name,
        epoch: at,
        workerId,
        victims: model.vmsOn(workerId).flatMap(([n], i) => ((c >> i) % 2 ? [n] : [])),
      };
    case "evictVm":
      return {
        kind,
        name,
        epoch: at,
        cause: pick(["drain", "recovery", "rebalance"], c),
        to: d % 2 === 0 ? null : workerId,
      };
    case "recoverVm":
    case "dropNomination":
      return { kind, name, epoch: at };
    case "observe":
    case "observeLate": {
      // Mostly of where something is.
      const placed = [...model.vms.values()].flatMap((one) => one.workerId ?? []);
      const where = kind === "observe" && placed.length > 0 ? pick(placed, b) : workerId;
      const machines = (kind === "observe" ? model.vmsOn(where) : [...model.vms])
        .slice(0, 1 + (d % 3))
        .map(([n, one], i) => ({
          name: n,
          epoch: Math.max(0, one.epoch - (isLate ? 1 : 0)),
          phase: pick([...SEEN_PHASES, "running", "running", "absent", "absent"] as const, c + i * 3),
          reason: "",
        }));
      return { kind: "observe", workerId: where, bootId: bootOf(where), machines, jobs: [] };
    }
    case "observeJob": {
      const phase = pick(["exited", "exited", "failed", "absent"] as const, c);
      const job = { id, attempt, phase, exitCode: d % 2, output: d % 3 === 0 ? "timed out" : "" };
      const where = task?.workerId ?? workerId;
      return { kind: "observe", workerId: where, bootId: bootOf(where), machines: [], jobs: [job] };
    }
    case "registerWorker":
      return {
        kind,
        workerId,
        bootId: bootOf(workerId) + (c % 3 === 0 ? 1 : 0) + (isLate ? 1 : 0),
        facts: factsOf(workerId, d),
      };
    case "workerLost":
      return { kind, workerId, bootId: Math.max(0, bootOf(workerId)) };
    case "confirmWorkerDead":
      return { kind, workerId };
    case "removeWorker":
      // One that was removed would like to come back.
      return model.removed.has(workerId)
        ? { kind: "announceNode", nodeId: workerId, peerId: `peer-${workerId}`, addresses: [`worker-${workerId}:1`] }
        : { kind, workerId };
    case "setAvailability":
      return { kind, workerId, availability: pick(["online", "online", "cordoned", "draining"], c) };
    case "setQuota": {
      const quota = {
        ...DEFAULT_QUOTA,
        vms: 2 + (b % 6),
        vcpus: 10 + (c % 40),
        diskGiB: 5 + (d % 40),
        vmsPerWorker: c % 3,
        createsPerMinute: 1 + (c % 3),
        deletesPerMinute: 2,
        requestsPerSecond: d % 4 === 0 ? 0 : 1,
        requestsBurst: 3,
      };
      return { kind, tenant: pick(TENANTS, a), quota: b % 3 === 0 ? null : quota };
    }
    case "setPoolEnabled":
      return { kind, name: pick(POOLS, a), enabled: b % 3 > 0 };
    case "submitTask":
      return {
        kind,
        id,
        spec: taskWith({
          tenant: pick(TENANTS, b),
          attemptsMax: 1 + (c % 3),
          resources: { vcpus: 1 + (d % 9), memoryMiB: 9, diskGiB: 1 },
        }),
      };
    case "placeTask":
      return { kind, id, attempt, workerId };
    case "cancelTask":
      return { kind, id };
    case "rebalance":
      return {
        kind,
        moves: [...model.vms]
          .slice(0, 3)
          .map(([n, one], i) => ({ name: n, epoch: one.epoch, to: pick(WORKERS, b + i) })),
      };
    case "configureScheduler": {
      const overcommit = { cpu: pick([1, 2], a), memory: 1, disk: pick([1, 1.1], b), reservePercent: pick([0, 10], c) };
      const settings = { strategy: "most-available", preemption: true, spreadScope: "rack", minDomains: 1 } as const;
      const expectedGeneration = pick([null, model.schedulerGeneration, model.schedulerGeneration + 1], a + b + c);
      return { kind, settings: { ...settings, overcommit, costIncreasePercentMax: 0 }, expectedGeneration };
    }
    case "setPoolStrategy":
      return { kind, strategy: pick(POOL_STRATEGIES, a) };
  }
}

/** What the model knows nothing of, and a snapshot carries all the same. */
const UNMODELLED: readonly Command[] = [
  { kind: "openSession", clientToken: "client" },
  { kind: "createToken", id: "api00001", secretHash: "0".repeat(64), purpose: "api", ttlMs: 3_600_000, nodeId: null },
];
const SESSION_ID = 1;
/** Answers that the client keeps unacknowledged. */
const UNACKNOWLEDGED = 40;

/** Says what the model says of each command as it goes. */
function* told(steps: readonly Step[]): Generator<{ entry: CommandEntry; outcome: string; model: OrchestrationModel }> {
  const model = new OrchestrationModel();
  let index = 0;
  let wallMs = 1_000_000;
  for (const command of UNMODELLED) yield { entry: entryOf(++index, command, wallMs), outcome: "ok", model };
  for (const command of setup()) {
    index++;
    yield { entry: entryOf(index, command, wallMs), outcome: model.apply(command, index, wallMs), model };
  }
  let sequence = 0;
  for (const one of steps) {
    // Most indexes follow each other; between some there was something else.
    index += one.draws[3] % 9 === 0 ? 2 : 1;
    wallMs += one.passedMs;
    const command = commandOf(one, model);
    if (one.session !== "none") sequence++;
    const lowestUnacknowledged = Math.max(1, sequence - UNACKNOWLEDGED);
    const session = one.session === "none" ? null : { id: SESSION_ID, sequence, lowestUnacknowledged };
    const data = stampRequest(encodeRequest({ session, actor: one.actor, command }), { wallMs, proposer: 1 });
    const outcome = model.apply(command, index, wallMs);
    yield { entry: { index, term: 1, data }, outcome, model };
    if (one.session === "retried") yield { entry: { index: ++index, term: 2, data }, outcome, model };
  }
}

function entriesOf(steps: readonly Step[]): CommandEntry[] {
  return [...told(steps)].map(({ entry }) => entry);
}

/** What `act` comes to in a process whose clocks and random numbers throw. */
function withoutWorld<T>(act: () => T): T {
  const refuse = (): never => {
    throw new Error("the state machine asked the world");
  };
  const spies = [
    vi.spyOn(Math, "random").mockImplementation(refuse),
    vi.spyOn(Date, "now").mockImplementation(refuse),
    vi.spyOn(performance, "now").mockImplementation(refuse),
    vi.spyOn(crypto, "randomUUID").mockImplementation(refuse),
    vi.spyOn(crypto, "getRandomValues").mockImplementation(refuse),
    vi.spyOn(globalThis, "Date").mockImplementation(refuse),
  ];
  try {
    return act();
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

// ---- What is compared

/** The whole table as one object, whatever its leaves have been through. */
function pairsOf<K extends string | number, V>(table: Table<K, V>): Record<string, V> {
  const pairs: Record<string, V> = {};
  for (const { keys, values } of leavesOf(table)) {
    for (const [at, key] of keys.entries()) {
      const value = values[at];
      if (value !== undefined) pairs[`${key}`] = value;
    }
  }
  return pairs;
}

/** Everything that is in a state, and follows from it. */
function plain(state: ClusterState): unknown {
  const {
    vms,
    workers,
    tasks,
    tenants,
    pools,
    addresses,
    counts,
    sessions,
    sessionIds,
    nodes,
    peerIds,
    sessionFloors,
    ...rest
  } = state;
  const tables = { vms, workers, tasks, tenants, pools, addresses, counts, sessions, sessionIds, nodes, peerIds };
  const pairs = Object.entries(tables).map(([name, table]) => [name, pairsOf<string | number, unknown>(table)]);
  return {
    ...rest,
    events: [...eventsOf(rest.events)],
    sessionFloors: sessionFloors.length,
    ...Object.fromEntries(pairs),
  };
}

function shown(result: ApplyResult | undefined): string {
  if (result === undefined) return "nothing";
  if (result.ok) return "ok";
  const { refusal } = result;
  return refusal.kind === "doesNotFit" ? `doesNotFit ${refusal.why}` : refusal.kind;
}

function ofMachine(state: ClusterState): unknown {
  const vms = tableValues(state.vms).map((vm) => [
    vm.name,
    {
      spec: vm.spec,
      state: vm.state,
      desired: vm.desired,
      generation: vm.generation,
      epoch: vm.epoch,
      workerId: vm.workerId,
      placed: vm.placed,
      eviction: vm.eviction,
      targetId: vm.targetId,
      avoidId: vm.avoidId,
      restarts: vm.restarts,
      relocations: vm.relocations,
      runningSinceMs: vm.runningSinceMs,
      addresses: vm.addresses,
      updatedIndex: vm.updatedIndex,
    },
  ]);
  const workers = tableValues(state.workers).map((worker) => [
    worker.id,
    {
      bootId: worker.bootId,
      availability: worker.availability,
      isOnline: worker.isOnline,
      used: worker.used,
      reserved: worker.reserved,
      vms: worker.vms,
      nominees: worker.nominees,
      tasks: worker.tasks,
    },
  ]);
  const tasks = tableValues(state.tasks).map((task) => [
    task.id,
    { state: task.state, attempt: task.attempt, workerId: task.workerId, isCancelled: task.isCancelled },
  ]);
  const tenants = tableValues(state.tenants).map(({ name, vms: count, usage, quota }) => [
    name,
    { vms: count, usage, isLimited: quota !== null },
  ]);
  return {
    vms: Object.fromEntries(vms),
    workers: Object.fromEntries(workers),
    tasks: Object.fromEntries(tasks),
    tenants: Object.fromEntries(tenants),
  };
}

function ofModel(model: OrchestrationModel): unknown {
  const workers = [...model.workers].map(([id, { bootId, availability, isOnline }]) => [
    id,
    {
      bootId,
      availability,
      isOnline,
      used: model.used(id),
      reserved: model.reserved(id),
      vms: model.vmsOn(id).map(([name]) => name),
      nominees: model.nominees(id).map(([name]) => name),
      tasks: model.tasksOn(id),
    },
  ]);
  const tasks = [...model.tasks].map(([id, { state, attempt, workerId, isCancelled }]) => [
    id,
    { state, attempt, workerId, isCancelled },
  ]);
  const tenants = TENANTS.flatMap((name) => {
    const isLimited = model.quotas.has(name);
    const usage = model.usage(name);
    return isLimited || usage.vms > 0 ? [[name, { ...usage, isLimited }]] : [];
  });
  return {
    vms: Object.fromEntries(model.vms),
    workers: Object.fromEntries(workers),
    tasks: Object.fromEntries(tasks),
    tenants: Object.fromEntries(tenants),
  };
}

/**
 * A comparison that costs little as long as there is no difference to show: there are a dozen after each of some
 * 30,000 entries.
 */
function demandEqual(actual: unknown, expected: unknown, what: string): void {
  if (!isDeepStrictEqual(actual, expected)) expect(actual, what).toEqual(expected);
}

function demandAtMost(actual: number, most: number, what: string): void {
  if (actual > most) expect(actual, what).toBeLessThanOrEqual(most);
}

// ---- What must hold after every entry, whatever it was

const RESOURCES = ["vcpus", "memoryMiB", "diskGiB"] as const;

/**
 * No worker takes more than may be promised: one that has shrunk, or of which less may be promised, only gives back.
 */
function demandCapacity(before: ClusterState, after: ClusterState): void {
  const context = placementContext(new Batch(after));
  const earlier = pairsOf(before.workers);
  for (const worker of tableValues(after.workers)) {
    const most = promisable(context, workerView(worker));
    for (const resource of RESOURCES) {
      const had = earlier[worker.id]?.used[resource] ?? 0;
      demandAtMost(worker.used[resource], Math.max(most[resource], had), `${resource} of worker ${worker.id}`);
    }
  }
}

function demandAddresses(state: ClusterState): void {
  const owners = new Map<string, string>();
  for (const { name, addresses, spec } of tableValues(state.vms)) {
    demandEqual(addresses.length, spec.networks.length, `addresses of ${name}`);
    for (const [at, network] of spec.networks.entries()) {
      const pool = addresses[at]?.pool ?? "";
      if (network.pool !== null) demandEqual(pool, network.pool, `pool of ${name}`);
      else {
        const lacks = network.tags.filter((tag) => !poolOf(state, pool)?.spec.tags.includes(tag));
        demandEqual(lacks, [], `tags that the pool of ${name} lacks`);
      }
    }
    for (const { pool, index } of addresses) {
      demandEqual(owners.get(`${pool}/${index}`), undefined, `owner of ${pool}/${index}`);
      owners.set(`${pool}/${index}`, name);
    }
  }
  demandEqual(pairsOf(state.addresses), Object.fromEntries(owners), "owners of addresses");
}

function demandQuotas(before: ClusterState, after: ClusterState): void {
  const earlier = pairsOf(before.tenants);
  for (const { name, quota, vms, usage } of tableValues(after.tenants)) {
    if (quota === null) continue;
    const had = earlier[name];
    demandAtMost(vms, Math.max(quota.vms, had?.vms ?? 0), `VMs of ${name}`);
    for (const resource of RESOURCES)
      demandAtMost(usage[resource], Math.max(quota[resource], had?.usage[resource] ?? 0), `${resource} of ${name}`);
  }
}

/** Of those that came to a place with this entry. */
function demandHardRules(before: ClusterState, after: ClusterState): void {
  const vms = tableValues(after.vms);
  const workers = pairsOf(after.workers);
  const earlier = pairsOf(before.vms);
  const domain = (scope: (typeof FAILURE_DOMAINS)[number], { workerId }: VmRecord): string | null => {
    const worker = workers[workerId ?? 0];
    return worker === undefined ? null : domainOf(scope, worker);
  };
  for (const vm of vms) {
    if (vm.workerId === null || earlier[vm.name]?.workerId === vm.workerId) continue;
    for (const { group, scope, maxPerDomain } of vm.spec.antiAffinity) {
      const together = vms.filter(
        (other) =>
          other.spec.antiAffinity.some((rule) => rule.group === group) && domain(scope, other) === domain(scope, vm),
      );
      expect(together.length, `${group} by ${scope}`).toBeLessThanOrEqual(maxPerDomain);
    }
  }
}

/** Each move is legal, begins where the last one ended, and is told. */
function demandMoves(before: ClusterState, after: ClusterState, news: readonly ClusterEvent[]): void {
  const known = pairsOf(before.vms);
  const states = new Map(Object.values(known).map((vm) => [vm.name, vm.state]));
  for (const event of news) {
    if (event.kind === "vmCreated") states.set(event.name, "Pending");
    if (event.kind === "vmDeleted") states.delete(event.name);
    if (event.kind !== "vmState") continue;
    expect(states.get(event.name), `where ${event.name} came from`).toBe(event.from);
    expect(isLegalMove(event.from, event.state), `${event.from} to ${event.state}`).toBe(true);
    states.set(event.name, event.state);
  }
  expect(Object.fromEntries(states)).toEqual(
    Object.fromEntries(tableValues(after.vms).map((vm) => [vm.name, vm.state])),
  );
}

/** The derived indexes, rebuilt. */
function demandBooks(state: ClusterState): void {
  const rebuilt = rebuildIndexes({
    vms: tableValues(state.vms),
    tasks: tableValues(state.tasks),
    workers: tableValues(state.workers).map(
      ({ used, reserved, vms, tasks, nominees, ...stored }: WorkerRecord) => stored,
    ),
    tenants: tableValues(state.tenants).filter(({ quota }) => quota !== null),
    pools: tableValues(state.pools),
  });
  for (const name of ["workers", "tenants", "pools", "addresses", "counts"] as const)
    demandEqual(pairsOf<string | number, unknown>(state[name]), pairsOf<string | number, unknown>(rebuilt[name]), name);
  for (const name of ["workerCount", "tenantCount", "poolCount"] as const)
    demandEqual(state[name], rebuilt[name], name);
  demandEqual(state.vmCount, tableValues(state.vms).length, "vmCount");
  demandEqual(state.taskCount, tableValues(state.tasks).length, "taskCount");
}

// ---- The tests

describe("workers, VMs, tasks, tenants and addresses", () => {
  // Some 30,000 states are looked through: on a machine that has much else to do that takes a while.
  test("are as the model has them, entry for entry, and what must hold holds", { timeout: 600_000 }, () => {
    const outcomes = new Map<string, number>();
    fc.assert(
      fc.property(history, (steps) => {
        let state = emptyState();
        for (const { entry, outcome, model } of told(steps)) {
          const before = state;
          const { state: after, results } = applyEntries(before, [entry]);
          state = after;
          outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
          demandEqual(shown(results[0]), outcome, "outcome");
          const { request } = decodeEntryData(entry.data);
          if (request !== undefined && results[0] !== undefined) demandKnownRefusal(request.command, results[0]);
          demandEqual(ofMachine(after), ofModel(model), "state");
          const news = [...eventsOf(after.events)].filter(({ index }) => index === entry.index);
          demandCapacity(before, after);
          demandAddresses(after);
          demandQuotas(before, after);
          demandHardRules(before, after);
          demandMoves(before, after, news);
          demandBooks(after);
        }
      }),
      { numRuns: 150 },
    );
    // The histories go where the rules are.
    const reached = [
      "ok",
      "vmExists",
      "vmNotFound",
      "vmHasChanged",
      "vmIsBeingDeleted",
      "vmIsNotPlaced",
      "vmIsPlaced",
      "generationMismatch",
      "workerNotFound",
      "workerHasChanged",
      "workerInUse",
      "workerIsOnline",
      "workerRemoved",
      "nodeIdTaken",
      "quotaExceeded",
      "tooManyRequests",
      "poolDisabled",
      "poolExhausted",
      "noPoolWithTags",
      "poolsDisabled",
      "poolsExhausted",
      "taskExists",
      "taskNotFound",
      "taskHasChanged",
      "tooSoon",
      "doesNotFit offline",
      "doesNotFit cordoned",
      "doesNotFit draining",
      "doesNotFit insufficient",
      "doesNotFit missingFeatures",
      "doesNotFit notTheNamedWorker",
      "doesNotFit antiAffinity",
      "doesNotFit tenantQuota",
    ];
    expect(reached.filter((outcome) => !outcomes.has(outcome))).toEqual([]);
  });

  test("come out the same however the log is cut into batches", () => {
    fc.assert(
      fc.property(history, fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), (steps, sizes) => {
        const entries = entriesOf(steps);
        let one = emptyState();
        const results: ApplyResult[] = [];
        for (const entry of entries) {
          const outcome = applyEntries(one, [entry]);
          one = outcome.state;
          results.push(...outcome.results);
        }
        let cut = emptyState();
        const cutResults: ApplyResult[] = [];
        for (let at = 0, turn = 0; at < entries.length; turn++) {
          const size = sizes[turn % sizes.length] ?? 1;
          const outcome = applyEntries(cut, entries.slice(at, at + size));
          cut = outcome.state;
          cutResults.push(...outcome.results);
          at += size;
        }
        expect(cutResults).toEqual(results);
        expect(plain(cut)).toEqual(plain(one));
      }),
      { numRuns: 60 },
    );
  });

  // In the system before this one apply looked at the wall clock, drew ids, walked through hash maps, and started
  // processes: replicas differed, and a log that
  // was replayed did everything again.
  test("come out the same where there is neither clock nor chance, as values and nothing that acts", () => {
    fc.assert(
      fc.property(history, (steps) => {
        const entries = entriesOf(steps);
        const there = applyEntries(emptyState(), entries);
        // Bytes of its own: nothing that this process knows of them is known there.
        const copies = entries.map((entry) => ({ ...entry, data: new Uint8Array(entry.data) }));
        const here = withoutWorld(() => applyEntries(emptyState(), copies));
        expect(here.results).toEqual(there.results);
        expect(plain(here.state)).toEqual(plain(there.state));
        // What can be cloned can do nothing.
        demandEqual(structuredClone(here), here, "a clone");
      }),
      { numRuns: 20 },
    );
  });

  // A throw within apply took a node of the system before this one down, and again at every restart: the entry stays
  // in the log.
  test("bear entries that are damaged: each has a result, the same on every replica, and the indexes are right", () => {
    const damage = fc.array(fc.tuple(fc.nat(999), fc.nat(999), fc.integer({ min: 1, max: 255 })), { maxLength: 60 });
    let understood = 0;
    let refused = 0;
    fc.assert(
      fc.property(history, damage, (steps, hits) => {
        const entries = entriesOf(steps).map((entry) => ({ ...entry, data: new Uint8Array(entry.data) }));
        for (const [which, where, flip] of hits) {
          const { data } = pick(entries, which);
          // Past the stamp: a wall clock that is far in the future is another matter.
          const at = STAMP_BYTES + (where % (data.length - STAMP_BYTES));
          data[at] = (data[at] ?? 0) ^ flip;
        }
        const { state, results } = applyEntries(emptyState(), entries);
        expect(results).toHaveLength(entries.length);
        for (const result of results) {
          if (result.ok) understood++;
          else if (result.refusal.kind === "invalidCommand") refused++;
        }
        demandBooks(state);
        const copies = entries.map((entry) => ({ ...entry, data: new Uint8Array(entry.data) }));
        expect(applyEntries(emptyState(), copies).results).toEqual(results);
      }),
      { numRuns: 60 },
    );
    expect(Math.min(understood, refused)).toBeGreaterThan(100);
  });

  // The system before this one left quotas and topology out of its snapshots, and had tokens, pools and quotas in
  // memory only: lost at a restart, and by
  // whoever was caught up by one. Nor did it keep how far it had applied: after a restart effects came twice.
  test("come back from a snapshot, cut anywhere, with all that follows from them; and go on as if there had been none", () => {
    const chunkBytes = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.constant(1 << 20));
    fc.assert(
      fc.property(history, fc.noBias(fc.nat(999)), chunkBytes, (steps, cut, size) => {
        const entries = entriesOf(steps);
        const at = cut % entries.length;
        const before = applyEntries(emptyState(), entries.slice(0, at)).state;
        const restored = decodeSnapshot(encodeSnapshot(before, size));
        expect(plain(restored)).toEqual(plain(before));
        if (at > 0) expect(() => applyEntries(restored, entries.slice(at - 1))).toThrow(AppliedOutOfOrder);
        const rest = entries.slice(at);
        const [there, here] = [applyEntries(before, rest), applyEntries(restored, rest)];
        expect(here.results).toEqual(there.results);
        expect(plain(here.state)).toEqual(plain(there.state));
      }),
      { numRuns: 100 },
    );
  });
});

test("the count of a group in a domain is known by name", () => {
  const spec = vmSpec({ antiAffinity: [{ group: "g", softWeight: null, maxPerDomain: 1, scope: "rack" }] });
  const commands: ModelCommand[] = [
    ...setup(),
    { kind: "createVm", name: "a", spec },
    { kind: "placeVm", name: "a", epoch: 0, workerId: 1 },
  ];
  const { state } = applyEntries(
    emptyState(),
    commands.map((command, at) => entryOf(at + 1, command)),
  );
  expect(pairsOf(state.counts)[countKey.group("g", "rack", "near/z/r0")]).toBe(1);
});
