/**
 * A batch of entries that is being applied. Reads see the base state with the changes so far. The changes are kept in
 * small maps; `finish` writes all of them at once and copies only the leaves that they fall into. So an entry that
 * changes nothing copies nothing.
 *
 * Derived indexes (used room, which VM is where, how many VMs of a group are in a rack) change only here, together
 * with the record that they follow from.
 */
import { freeze } from "immer";
import type {
  ClusterEvent,
  CountLimits,
  EventDetails,
  IpPoolRecord,
  NodeRecord,
  PoolStrategy,
  SchedulerSettings,
  Session,
  TaskRecord,
  TenantRecord,
  TokenRecord,
  VmRecord,
  WorkerRecord,
} from "../domain/index.ts";
import { DerivedIndexes } from "./derived-indexes.ts";
import { withEvents } from "./events.ts";
import { hashOfIndex, hashOfText } from "./hash.ts";
import { Overlay } from "./overlay.ts";
import type { ClusterState } from "./state.ts";
import type { Table } from "./table.ts";

/** What a batch touched: what was there before and what is there now, for whoever acts on changes. */
export interface Touched {
  readonly vms: readonly string[];
  readonly workers: readonly number[];
  readonly tasks: readonly string[];
}

export class Batch {
  readonly limits: CountLimits;
  readonly #base: ClusterState;
  readonly #sessions: Overlay<number, Session>;
  readonly #sessionIds: Overlay<string, number>;
  readonly #vms: Overlay<string, VmRecord>;
  readonly #tasks: Overlay<string, TaskRecord>;
  readonly #nodes: Overlay<number, NodeRecord>;
  readonly #peerIds: Overlay<string, number>;
  readonly #indexes: DerivedIndexes;
  readonly workers: Overlay<number, WorkerRecord>;
  readonly tenants: Overlay<string, TenantRecord>;
  readonly pools: Overlay<string, IpPoolRecord>;
  readonly addresses: Overlay<string, string>;
  readonly counts: Overlay<string, number>;
  #sessionFloors: number[] | null = null;
  #tokens: Map<string, TokenRecord> | null = null;
  readonly #events: ClusterEvent[] = [];
  /** Of the entry that is being applied. */
  term = 0;
  timeMs: number;
  appliedIndex: number;
  scheduler: SchedulerSettings;
  schedulerGeneration: number;
  schedulerCursor: number;
  nextPoolNumber: number;
  poolStrategy: PoolStrategy;
  poolCursor: number;
  rebalancedAtMs: number;
  roomIndex: number;

  constructor(base: ClusterState) {
    this.limits = base.limits;
    this.#base = base;
    this.#sessions = new Overlay(base.sessions, base.sessionCount, hashOfIndex);
    this.#sessionIds = new Overlay(base.sessionIds, base.sessionCount, hashOfText);
    this.#vms = new Overlay(base.vms, base.vmCount, hashOfText);
    this.#tasks = new Overlay(base.tasks, base.taskCount, hashOfText);
    this.#nodes = new Overlay(base.nodes, base.nodeCount, hashOfIndex);
    this.#peerIds = new Overlay(base.peerIds, base.nodeCount, hashOfText);
    this.workers = new Overlay(base.workers, base.workerCount, hashOfIndex);
    this.tenants = new Overlay(base.tenants, base.tenantCount, hashOfText);
    this.pools = new Overlay(base.pools, base.poolCount, hashOfText);
    this.addresses = new Overlay(base.addresses, 0, hashOfText);
    this.counts = new Overlay(base.counts, 0, hashOfText);
    this.#indexes = new DerivedIndexes(this);
    this.timeMs = base.timeMs;
    this.appliedIndex = base.appliedIndex;
    this.scheduler = base.scheduler;
    this.schedulerGeneration = base.schedulerGeneration;
    this.schedulerCursor = base.schedulerCursor;
    this.nextPoolNumber = base.nextPoolNumber;
    this.poolStrategy = base.poolStrategy;
    this.poolCursor = base.poolCursor;
    this.rebalancedAtMs = base.rebalancedAtMs;
    this.roomIndex = base.roomIndex;
  }

  get vmCount(): number {
    return this.#vms.count;
  }

  vm(name: string): VmRecord | null {
    return this.#vms.get(name);
  }

  putVm(vm: VmRecord): void {
    this.#indexes.vm(this.vm(vm.name), vm);
    this.#vms.set(vm.name, vm);
  }

  removeVm(name: string): void {
    this.#indexes.vm(this.vm(name), null);
    this.#vms.delete(name);
  }

  get taskCount(): number {
    return this.#tasks.count;
  }

  task(id: string): TaskRecord | null {
    return this.#tasks.get(id);
  }

  putTask(task: TaskRecord): void {
    this.#indexes.task(this.task(task.id), task);
    this.#tasks.set(task.id, task);
  }

  removeTask(id: string): void {
    this.#indexes.task(this.task(id), null);
    this.#tasks.delete(id);
  }

  putWorker(worker: WorkerRecord): void {
    this.#indexes.worker(this.workers.get(worker.id), worker);
    this.workers.set(worker.id, Object.freeze(worker));
  }

  /** Nothing may be placed there, nor room be kept. */
  removeWorker(worker: WorkerRecord): void {
    this.#indexes.worker(worker, null);
    this.workers.delete(worker.id);
  }

  /** A known worker registered again, perhaps in another place. */
  workerMoved(before: WorkerRecord, after: WorkerRecord): void {
    this.#indexes.workerMoved(before, after);
  }

  /** What did not fit before may fit now. */
  roomMayHaveGrown(): void {
    this.roomIndex = this.appliedIndex;
  }

  get sessionCount(): number {
    return this.#sessions.count;
  }

  session(id: number): Session | null {
    return this.#sessions.get(id);
  }

  sessionOfToken(clientToken: string): Session | null {
    const id = this.#sessionIds.get(clientToken);
    return id === null ? null : this.session(id);
  }

  /** Puts a session that is open already. */
  putSession(session: Session): void {
    this.#sessions.set(session.id, session);
  }

  addSession(session: Session): void {
    this.#sessions.set(session.id, session);
    this.#sessionIds.set(session.clientToken, session.id);
  }

  removeSession(session: Session): void {
    this.#sessions.delete(session.id);
    this.#sessionIds.delete(session.clientToken);
  }

  /** The sessions of the state below, and what this batch made of some of them; null: removed. For expiry.ts. */
  get sessionsBelow(): Table<number, Session> {
    return this.#base.sessions;
  }

  get sessionChanges(): ReadonlyMap<number, Session | null> {
    return this.#sessions.changes;
  }

  /** A copy of its own, made when first asked for. */
  get sessionFloors(): number[] {
    this.#sessionFloors ??= this.#base.sessionFloors.slice();
    return this.#sessionFloors;
  }

  get tokens(): ReadonlyMap<string, TokenRecord> {
    return this.#tokens ?? this.#base.tokens;
  }

  /** A copy of its own, made when first asked for. */
  changeTokens(): Map<string, TokenRecord> {
    this.#tokens ??= new Map(this.#base.tokens);
    return this.#tokens;
  }

  get nodeCount(): number {
    return this.#nodes.count;
  }

  /** All of them. For what happens seldom. */
  nodes(): readonly NodeRecord[] {
    return [...this.#nodes.values()];
  }

  node(id: number): NodeRecord | null {
    return this.#nodes.get(id);
  }

  /** The id that the identity is bound to. */
  nodeIdOf(peerId: string): number | null {
    return this.#peerIds.get(peerId);
  }

  putNode(node: NodeRecord): void {
    this.#nodes.set(node.id, Object.freeze(node));
    this.#peerIds.set(node.peerId, node.id);
  }

  /** Records an event of the entry that is being applied. */
  happened(details: EventDetails): void {
    this.#events.push(Object.freeze({ index: this.appliedIndex, term: this.term, atMs: this.timeMs, ...details }));
  }

  get touched(): Touched {
    return {
      vms: [...this.#vms.changes.keys()],
      workers: [...this.workers.changes.keys()],
      tasks: [...this.#tasks.changes.keys()],
    };
  }

  /** The next state, frozen. What did not change is shared with the one before. */
  finish(): ClusterState {
    const base = this.#base;
    return freeze({
      limits: this.limits,
      vms: this.#vms.finish(),
      sessions: this.#sessions.finish(),
      sessionIds: this.#sessionIds.finish(),
      sessionFloors: this.#sessionFloors ?? base.sessionFloors,
      tokens: this.tokens,
      nodes: this.#nodes.finish(),
      peerIds: this.#peerIds.finish(),
      events: this.#events.length === 0 ? base.events : withEvents(base.events, this.#events, this.limits.events),
      workers: this.workers.finish(),
      tasks: this.#tasks.finish(),
      tenants: this.tenants.finish(),
      pools: this.pools.finish(),
      addresses: this.addresses.finish(),
      counts: this.counts.finish(),
      scheduler: this.scheduler,
      schedulerGeneration: this.schedulerGeneration,
      schedulerCursor: this.schedulerCursor,
      nextPoolNumber: this.nextPoolNumber,
      poolStrategy: this.poolStrategy,
      poolCursor: this.poolCursor,
      rebalancedAtMs: this.rebalancedAtMs,
      roomIndex: this.roomIndex,
      vmCount: this.#vms.count,
      sessionCount: this.#sessions.count,
      nodeCount: this.#nodes.count,
      workerCount: this.workers.count,
      taskCount: this.#tasks.count,
      tenantCount: this.tenants.count,
      poolCount: this.pools.count,
      timeMs: this.timeMs,
      appliedIndex: this.appliedIndex,
    });
  }
}
