/** What the model knows: each kind of record as it was after every entry of late, and what is true now. */
import {
  type ClusterEvent,
  type CountLimits,
  DEFAULT_POOL_STRATEGY,
  DEFAULT_SCHEDULER,
  type EventDetails,
  type IpPoolRecord,
  type NodeRecord,
  type PoolStrategy,
  type SchedulerSettings,
  type TaskRecord,
  type TenantRecord,
  type TokenRecord,
  type VmRecord,
} from "../../../core/index.ts";
import { Versions } from "./versions.ts";

/** How the cluster places, and how often that has been changed. */
export interface ConfiguredScheduler {
  readonly scheduler: SchedulerSettings;
  readonly generation: number;
}

/** The key of what there is one of. */
export const ONLY = "only";

export class Tables {
  readonly limits: CountLimits;
  /** Of the entry that is being applied, or was applied last. */
  index = 0;
  term = 0;
  /** Cluster time: the highest wall clock that any leader stamped. */
  timeMs = 0;
  readonly vms = new Versions<string, VmRecord>();
  readonly tokens = new Versions<string, TokenRecord>();
  readonly tasks = new Versions<string, TaskRecord>();
  readonly tenants = new Versions<string, TenantRecord>();
  readonly pools = new Versions<string, IpPoolRecord>();
  readonly nodes = new Versions<number, NodeRecord>();
  readonly scheduler = new Versions<string, ConfiguredScheduler>();
  readonly poolStrategy = new Versions<string, PoolStrategy>();
  /** Number of the pool that "round-robin" chose last. */
  poolCursor = 0;
  nextPoolNumber = 1;
  /** By `pool/index`, the VM that holds it. */
  readonly addresses = new Map<string, string>();
  /** The newest, oldest first; and how many there were before. */
  readonly events: ClusterEvent[] = [];
  eventsForgotten = 0;

  constructor(limits: CountLimits) {
    this.limits = limits;
    this.scheduler.set(ONLY, 0, { scheduler: DEFAULT_SCHEDULER, generation: 1 });
    this.poolStrategy.set(ONLY, 0, DEFAULT_POOL_STRATEGY);
  }

  happened(details: EventDetails): void {
    this.events.push({ index: this.index, term: this.term, atMs: this.timeMs, ...details });
  }

  forgetBefore(index: number): void {
    for (const table of [this.vms, this.tokens, this.tasks, this.tenants, this.pools, this.nodes])
      table.forgetBefore(index);
    this.scheduler.forgetBefore(index);
    this.poolStrategy.forgetBefore(index);
    // Twice as many as the cluster keeps.
    const surplus = this.events.length - 2 * this.limits.events;
    if (surplus <= 0) return;
    this.events.splice(0, surplus);
    this.eventsForgotten += surplus;
  }
}
