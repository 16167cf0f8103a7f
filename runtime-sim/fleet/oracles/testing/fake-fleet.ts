/**
 * A fleet made by hand: hosts that execute whatever they are told to, and a replicated state in which anything may
 * stand, also what no core would write.
 */
import {
  type Availability,
  type ClusterEvent,
  type Command,
  DEFAULT_QUOTA,
  type Entry,
  type EventDetails,
  emptyState,
  encodeRequest,
  hashOfIndex,
  hashOfText,
  type Interface,
  type IpPoolRecord,
  interfaceOf,
  NEW_TENANT,
  type NodeRecord,
  type Overcommit,
  type Quota,
  stampRequest,
  type TaskRecord,
  type TenantRecord,
  tableOf,
  type VmRecord,
  vmSpec,
  type WorkerRecord,
} from "../../../../core/index.ts";
import { FleetAudit } from "../../audit.ts";
import type { FleetOracleFactory, LeadingOrchestrator } from "../oracle.ts";
import { FakeWorker } from "./fake-worker.ts";
import { NEW_TASK, NEW_VM, workerRecord } from "./records.ts";

export interface FakeFleetOptions {
  readonly faultsAreLocal?: boolean;
  readonly clocksLie?: boolean;
}

/** Three workers, 1 to 3: 10 vcpus, 10,240 MiB and 100 GiB each, none of it reserved; the first two share a rack. */
export class FakeFleet {
  readonly workers: readonly FakeWorker[];
  readonly audit: FleetAudit;
  nowMs = 0;
  /** Its number. */
  event = 0;
  /** Of the entries that come. */
  term = 1;
  /** What the leader knows. */
  orchestrator: LeadingOrchestrator | null = null;
  /** Workers that can be served. */
  readonly servable = new Set<number>();
  /** Whether the leader can commit. */
  canCommit = true;
  /** How much the leader has applied when it decides on what comes. */
  decidedBefore: number | null = null;
  readonly #entries: Entry[] = [];
  /** What the oracle found. */
  readonly violations: string[] = [];
  readonly touched = new Set<string>();
  readonly disturbed = new Set<number>();
  readonly #vms = new Map<string, VmRecord>();
  readonly #workers = new Map<number, WorkerRecord>();
  readonly #nodes = new Map<number, NodeRecord>();
  readonly #tasks = new Map<string, TaskRecord>();
  readonly #tenants = new Map<string, TenantRecord>();
  readonly #pools = new Map<string, IpPoolRecord>();
  #overcommit: Overcommit = { cpu: 1, memory: 1, disk: 1, reservePercent: 0 };
  #index = 0;
  #events: ClusterEvent[] = [];

  constructor(factory: FleetOracleFactory, { faultsAreLocal = false, clocksLie = false }: FakeFleetOptions = {}) {
    this.workers = [1, 2, 3].map((id) => new FakeWorker(id, this));
    this.audit = new FleetAudit(
      {
        workers: this.workers,
        shape: { faultsAreLocal, clocksLie },
        touched: this.touched,
        disturbed: this.disturbed,
        nowMs: () => this.nowMs,
        now: () => ({ event: this.event, atMs: this.nowMs }),
        orchestrator: () => this.orchestrator,
        isServable: ({ id }) => this.servable.has(id),
        leadership: () => this.term,
        canCommit: () => this.canCommit,
        appliedBefore: () => this.decidedBefore,
        commitIndex: () => this.#index,
        entryAt: (index) => this.#entries[index - 1] ?? null,
        violate: (_, message) => void this.violations.push(message()),
      },
      [factory],
    );
    for (const { id } of this.workers) this.#workers.set(id, workerRecord(id));
    this.#apply([]);
  }

  worker(id: number): FakeWorker {
    const worker = this.workers[id - 1];
    if (worker === undefined) throw new RangeError(`no host ${id}`);
    return worker;
  }

  /** What executes on a host has changed: an event. */
  changed(worker: FakeWorker): void {
    this.event += 1;
    this.audit.changed(worker);
  }

  /** Time passes while the oracle looks, four times in a second. */
  lookFor(seconds: number): void {
    for (let at = 0; at < seconds * 4; at++) {
      this.nowMs += 250;
      this.audit.look();
    }
  }

  get checks(): number {
    return Object.values(this.audit.checks)[0] ?? 0;
  }

  get state() {
    return {
      ...emptyState(),
      appliedIndex: this.#index,
      scheduler: {
        ...emptyState().scheduler,
        overcommit: this.#overcommit,
      },
      vms: tableOf(hashOfText, this.#vms),
      vmCount: this.#vms.size,
      nodes: tableOf(hashOfIndex, this.#nodes),
      workers: tableOf(hashOfIndex, this.#workersWithLists()),
      tasks: tableOf(hashOfText, this.#tasks),
      tenants: tableOf(hashOfText, this.#tenants),
      pools: tableOf(hashOfText, this.#pools),
      events: { total: this.#events.length, chunks: [this.#events] },
    };
  }

  /** With what is placed there by the records of VMs and tasks. */
  #workersWithLists(): ReadonlyMap<number, WorkerRecord> {
    return new Map(
      [...this.#workers].map(([id, worker]) => {
        const vms = [...this.#vms.values()].filter((vm) => vm.workerId === id).map(({ name }) => name);
        const tasks = [...this.#tasks.values()].filter((task) => task.workerId === id).map((task) => task.id);
        const kept = [...this.#vms.values()].filter(({ workerId, targetId }) => targetId === id && workerId !== id);
        const nominees = [...worker.nominees, ...kept.map(({ name }) => name)];
        return [id, { ...worker, vms: vms.sort(), tasks: tasks.sort(), nominees }];
      }),
    );
  }

  vm(name: string): VmRecord {
    const vm = this.#vms.get(name);
    if (vm === undefined) throw new RangeError(`no VM ${name}`);
    return vm;
  }

  /** A VM that no event tells of. */
  put(name: string, changes: Partial<VmRecord> = {}): void {
    const spec = changes.spec ?? vmSpec();
    this.#vms.set(name, { ...NEW_VM, ...changes, name, spec, tenant: spec.tenant });
  }

  /** One entry that creates a VM. */
  create(name: string, changes: Partial<VmRecord> = {}): void {
    this.put(name, changes);
    const { spec } = this.vm(name);
    this.#apply([{ kind: "vmCreated", name, tenant: spec.tenant, generation: 1 }]);
  }

  /** One entry that gives a VM another specification. */
  update(name: string, changes: Partial<VmRecord>): void {
    const { tenant, generation, ...before } = this.vm(name);
    this.#vms.set(name, { ...before, tenant, generation: generation + 1, ...changes });
    this.#apply([{ kind: "vmUpdated", name, tenant, generation: generation + 1 }]);
  }

  /** One entry that changes a VM, and says so. */
  move(
    name: string,
    changes: Partial<VmRecord>,
    told: Partial<{ from: VmRecord["state"]; command: Command }> = {},
  ): void {
    const before = this.vm(name);
    const vm = { ...before, ...changes };
    this.#vms.set(name, vm);
    const { state, workerId, epoch, tenant, reason } = vm;
    const from = told.from ?? before.state;
    this.#apply([{ kind: "vmState", name, tenant, from, state, workerId, epoch, reason }], told.command);
  }

  /** A new run on a worker. */
  place(name: string, workerId: number): void {
    const command: Command = { kind: "placeVm", name, epoch: this.vm(name).epoch, workerId };
    this.move(name, { state: "Scheduled", workerId, targetId: null, epoch: this.#index + 1 }, { command });
  }

  /** A VM that runs on a worker, in the state and on the host. */
  running(name: string, workerId: number, changes: Partial<VmRecord> = {}): void {
    this.create(name, changes);
    this.place(name, workerId);
    this.move(name, { state: "Running" });
    this.worker(workerId).run(name);
  }

  /** One entry that removes a VM. */
  remove(name: string): void {
    const { tenant, generation } = this.vm(name);
    this.#vms.delete(name);
    this.#apply([{ kind: "vmDeleted", name, tenant, generation }]);
  }

  setTask(task: Partial<TaskRecord> & Pick<TaskRecord, "id">): void {
    this.#tasks.set(task.id, { ...NEW_TASK, ...task });
    this.#apply([]);
  }

  /** One entry that asks for a task. */
  submitTask(id: string, attemptsMax: number): void {
    const { command, args, resources, features, tenant, timeoutMs } = NEW_TASK;
    const spec = { command, args, resources, features, tenant, timeoutMs, attemptsMax };
    this.taskIs(id, "Pending", 0, { kind: "submitTask", id, spec });
  }

  /** One entry that tells of a task. */
  taskIs(id: string, state: TaskRecord["state"], attempt: number, command?: Command): void {
    this.#tasks.set(id, { ...NEW_TASK, id, state, attempt });
    this.#apply([{ kind: "taskState", id, state, attempt, workerId: null, reason: "" }], command);
  }

  setQuota(tenant: string, quota: Partial<Quota>): void {
    this.#tenants.set(tenant, { ...NEW_TENANT, name: tenant, quota: { ...DEFAULT_QUOTA, ...quota } });
    this.#apply([]);
  }

  /** Of the addresses that the VM holds. */
  interfaces(name: string): readonly Interface[] {
    return this.vm(name).addresses.flatMap(({ pool: poolName, index }) => {
      const pool = this.#pools.get(poolName);
      return pool === undefined ? [] : [interfaceOf(pool, index)];
    });
  }

  /** One entry that changes how much more than it has a worker may be promised. */
  setOvercommit(overcommit: Overcommit): void {
    this.#overcommit = overcommit;
    this.#apply([{ kind: "schedulerConfigured", strategy: this.state.scheduler.strategy }]);
  }

  setPool(name: string, number: number, tags: readonly string[] = []): void {
    const spec = {
      name,
      subnet: "10.0.0.0/24",
      gateway: null,
      dns: [],
      rangeFirst: null,
      rangeLast: null,
      vlan: null,
      reserved: [],
      datacenter: null,
      zone: null,
      tags,
      enabled: true,
    };
    this.#pools.set(name, { spec, number, cursor: -1, usedCount: 0 });
    this.#apply([]);
  }

  /** One entry that says what an operator wants of a worker. */
  setAvailability(workerId: number, availability: Availability): void {
    const worker = { ...workerRecord(workerId), ...this.#workers.get(workerId), availability };
    this.#workers.set(workerId, worker);
    this.#apply([{ kind: "workerStatus", workerId, status: availability, reason: "" }]);
  }

  /** What a worker is, told by nothing. */
  setWorker(workerId: number, changes: Partial<WorkerRecord>): void {
    this.#workers.set(workerId, { ...workerRecord(workerId), ...changes });
    this.#apply([]);
  }

  /** One entry that has others leave a worker, and keeps their room. */
  preempt(name: string, workerId: number, victims: readonly string[]): void {
    const command: Command = { kind: "preempt", name, epoch: 0, workerId, victims };
    this.#vms.set(name, { ...this.vm(name), targetId: workerId });
    const details = victims.map((victim): EventDetails => {
      const { tenant, state: from, epoch } = this.vm(victim);
      this.#vms.set(victim, { ...this.vm(victim), state: "Stopping", eviction: "preempted" });
      return { kind: "vmState", name: victim, tenant, from, state: "Stopping", workerId, epoch, reason: "" };
    });
    this.#apply(details, command);
  }

  /** The cluster knows the host. */
  know(id: number): void {
    this.enlist(id, "none");
  }

  /** A node has that role. */
  enlist(id: number, role: NodeRecord["role"]): void {
    this.#nodes.set(id, { id, peerId: `peer-${id}`, addresses: [], role });
    this.#apply([]);
  }

  /** One entry by which the cluster stops to rely on a worker, and changes nothing else. */
  lose(workerId: number, command: Command = { kind: "workerLost", workerId, bootId: 1 }): void {
    this.#workers.set(workerId, { ...workerRecord(workerId), isOnline: false });
    this.#apply([{ kind: "workerStatus", workerId, status: "offline", reason: "" }], command);
  }

  /** One entry by which a worker comes to be relied on. */
  register(workerId: number): void {
    this.#workers.set(workerId, workerRecord(workerId));
    this.#apply([{ kind: "workerRegistered", workerId, driver: null }]);
  }

  /** One entry that takes a worker off the list, whatever is there. */
  removeWorker(workerId: number): void {
    this.#workers.delete(workerId);
    this.#apply([{ kind: "workerRemoved", workerId }]);
  }

  /** What is still missing; null: nothing. */
  get missing(): string | null {
    return this.audit.missing(this.state)?.what ?? null;
  }

  /** `command`: what the entry asked for, where an oracle looks at it. */
  #apply(details: readonly EventDetails[], command: Command = RESTART_NOTHING): void {
    this.#index += 1;
    this.event += 1;
    const stamp = { index: this.#index, term: this.term, atMs: this.nowMs };
    this.#events = [...this.#events, ...details.map((one): ClusterEvent => ({ ...stamp, ...one }))];
    const entry = entryOf(stamp, command);
    this.#entries.push(entry);
    this.audit.applied(this.state, entry);
  }
}

const RESTART_NOTHING: Command = { kind: "restartVm", name: "nothing" };

function entryOf({ index, term }: Pick<Entry, "index" | "term">, command: Command): Entry {
  const data = stampRequest(encodeRequest({ session: null, command }), { wallMs: 0, proposer: 1 });
  return { index, term, kind: "command", data, chain: "" };
}
