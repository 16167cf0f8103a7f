import {
  type CountLimits,
  DEFAULT_COUNT_LIMITS,
  DEFAULT_POOL_STRATEGY,
  DEFAULT_SCHEDULER,
  type IpPoolRecord,
  type NodeRecord,
  type PoolStrategy,
  type Quota,
  type SchedulerSettings,
  type Session,
  type TaskRecord,
  type TenantRecord,
  type TokenRecord,
  type VmRecord,
  type WorkerRecord,
} from "../domain/index.ts";
import { type EventLog, NO_EVENTS } from "./events.ts";
import { hashOfIndex, hashOfText } from "./hash.ts";
import { BUCKETS, emptyTable, lookUp, type Table } from "./table.ts";

/**
 * Everything that the cluster agrees on. Immutable: `applyEntries` returns the next one, which shares what did not
 * change.
 */
export interface ClusterState {
  /** The same for ever, and in no snapshot. */
  readonly limits: CountLimits;
  /** By VM name. Read through the queries. */
  readonly vms: Table<string, VmRecord>;
  /** By session id. */
  readonly sessions: Table<number, Session>;
  /** Session ids by client token. Follows from `sessions`. */
  readonly sessionIds: Table<string, number>;
  /**
   * For each bucket of `sessions` an index before which none of its sessions was last active. It saves searching all
   * sessions for the oldest one. It has no other effect and is not in a snapshot.
   */
  readonly sessionFloors: readonly number[];
  /** By id. At most a thousand, so a change copies them. */
  readonly tokens: ReadonlyMap<string, TokenRecord>;
  /** By id. */
  readonly nodes: Table<number, NodeRecord>;
  /** Ids of nodes by identity. Follows from `nodes`. */
  readonly peerIds: Table<string, number>;
  readonly events: EventLog;
  /** By node id. */
  readonly workers: Table<number, WorkerRecord>;
  /** By id. */
  readonly tasks: Table<string, TaskRecord>;
  /** By name: those with a quota, or with VMs. */
  readonly tenants: Table<string, TenantRecord>;
  /** By name. */
  readonly pools: Table<string, IpPoolRecord>;
  /** Which VM holds an address; see `addressKey`. Follows from `vms`. */
  readonly addresses: Table<string, string>;
  /**
   * How many placed VMs there are of a group, tenant or domain, and where workers are online; see `countKey`. Follows
   * from `vms` and `workers`.
   */
  readonly counts: Table<string, number>;
  readonly scheduler: SchedulerSettings;
  /** Of these settings: one more with every change. */
  readonly schedulerGeneration: number;
  /** The worker that the last placement chose; 0: none. */
  readonly schedulerCursor: number;
  readonly nextPoolNumber: number;
  /** How a pool is chosen for what names none. */
  readonly poolStrategy: PoolStrategy;
  /** Number of the pool that "round-robin" chose last; 0: none. */
  readonly poolCursor: number;
  /** Cluster time of the last move of a rebalance; 0: never. */
  readonly rebalancedAtMs: number;
  /** Log index of the last entry after which something may fit that did not before. */
  readonly roomIndex: number;
  readonly vmCount: number;
  readonly sessionCount: number;
  readonly nodeCount: number;
  readonly workerCount: number;
  readonly taskCount: number;
  readonly tenantCount: number;
  readonly poolCount: number;
  /** Cluster time: the highest wall clock that any leader stamped, milliseconds since 1970. Never falls. */
  readonly timeMs: number;
  /** Index of the last entry applied here; entries that hold no command do not count. */
  readonly appliedIndex: number;
}

/** Of a cluster that has applied nothing. */
export function emptyState(limits: CountLimits = DEFAULT_COUNT_LIMITS): ClusterState {
  return {
    limits,
    vms: emptyTable(),
    sessions: emptyTable(),
    sessionIds: emptyTable(),
    tokens: new Map(),
    nodes: emptyTable(),
    peerIds: emptyTable(),
    events: NO_EVENTS,
    workers: emptyTable(),
    tasks: emptyTable(),
    tenants: emptyTable(),
    pools: emptyTable(),
    addresses: emptyTable(),
    counts: emptyTable(),
    scheduler: DEFAULT_SCHEDULER,
    schedulerGeneration: 1,
    schedulerCursor: 0,
    nextPoolNumber: 1,
    poolStrategy: DEFAULT_POOL_STRATEGY,
    poolCursor: 0,
    rebalancedAtMs: 0,
    roomIndex: 0,
    nodeCount: 0,
    workerCount: 0,
    taskCount: 0,
    tenantCount: 0,
    poolCount: 0,
    sessionFloors: new Array<number>(BUCKETS).fill(0),
    vmCount: 0,
    sessionCount: 0,
    timeMs: 0,
    appliedIndex: 0,
  };
}

export function vmOf(state: ClusterState, name: string): VmRecord | null {
  return lookUp(state.vms, hashOfText(name), name) ?? null;
}

export function workerOf(state: ClusterState, id: number): WorkerRecord | null {
  return lookUp(state.workers, hashOfIndex(id), id) ?? null;
}

export function taskOf(state: ClusterState, id: string): TaskRecord | null {
  return lookUp(state.tasks, hashOfText(id), id) ?? null;
}

export function nodeOf(state: ClusterState, id: number): NodeRecord | null {
  return lookUp(state.nodes, hashOfIndex(id), id) ?? null;
}

/** The node that an identity is bound to. */
export function nodeIdOf(state: ClusterState, peerId: string): number | null {
  return lookUp(state.peerIds, hashOfText(peerId), peerId) ?? null;
}

export function poolOf(state: ClusterState, name: string): IpPoolRecord | null {
  return lookUp(state.pools, hashOfText(name), name) ?? null;
}

/** Null: the tenant has none. */
export function quotaOf(state: ClusterState, tenant: string): Quota | null {
  return lookUp(state.tenants, hashOfText(tenant), tenant)?.quota ?? null;
}

export function sessionOf(state: ClusterState, id: number): Session | null {
  return lookUp(state.sessions, hashOfIndex(id), id) ?? null;
}
