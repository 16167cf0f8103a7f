/**
 * What a scenario says of its fleet: how many hosts, what they are like, and what tenants and operators do with them.
 */
import type { Overcommit, Quota, RecoveryPolicy, SchedulerSettings } from "../../core/index.ts";
import type { Range } from "../random/index.ts";
import type { HypervisorConditions } from "./hypervisor-faults.ts";

export interface FleetShape {
  /** Hosts that run machines, beside the members. */
  readonly workers: number;
  readonly vcpus: Range;
  readonly memoryMiB: Range;
  readonly diskGiB: Range;
  readonly datacenters: number;
  readonly zones: number;
  readonly racks: number;
  readonly hypervisor: HypervisorConditions;
  readonly scheduler: Partial<SchedulerSettings>;
  readonly overcommit: Overcommit | null;
  /** VMs that are asked for at the start, and how many there may be. */
  readonly vms: number;
  readonly vmsMax: number;
  readonly vmVcpus: Range;
  readonly vmMemoryMiB: Range;
  readonly vmPriority: Range;
  /** Shares of VMs that are in an anti-affinity group, wait for their worker when it is lost, have a health check. */
  readonly groupShare: number;
  readonly waitShare: number;
  readonly healthShare: number;
  readonly recovery: Partial<RecoveryPolicy>;
  readonly tenants: number;
  readonly quota: Partial<Quota> | null;
  /** Addresses in all, in pools that share them evenly; every VM takes one of them. 0: no pool. */
  readonly poolSize: number;
  readonly pools: number;
  /** Share of VMs that leave it to the cluster which pool their address comes from. */
  readonly openShare: number;
  /** Mean time between two things that somebody asks for; 0: nobody asks for anything after the start. */
  readonly askEveryMs: Range | null;
  /** How often each kind of wish comes, relative to the others. */
  readonly wishes: Readonly<Partial<Record<Wish, number>>>;
  /** Who ask what there is, and follow the events; and the mean time between two questions of one of them. */
  readonly askers: number;
  readonly questionEveryMs: Range;
  /** Mean time between two hosts that somebody wants to take out for ever; null: nobody does. */
  readonly removeEveryMs: Range | null;
  /** How often the whole state is audited. */
  readonly auditEveryMs: number;
  /** Faults hit single hosts: then nothing on any other may be disturbed. */
  readonly faultsAreLocal: boolean;
  /**
   * Whether a restart of an agent may disturb the machines of its host. It may not: the agent is back long before the
   * lease runs out.
   */
  readonly agentRestartsDisturb: boolean;
  /** Clocks of hosts leave the bound: then a VM may run twice, and it has to be seen. */
  readonly clocksLie: boolean;
}

export const WISHES = [
  "create",
  "delete",
  "stop",
  "start",
  "restart",
  "resize",
  "migrate",
  "drain",
  "uncordon",
  "cordon",
  "rebalance",
  "submitTask",
  "cancelTask",
  "setQuota",
  "confirmDead",
  "rewire",
  "setPoolStrategy",
  "changeRules",
  "setStrategy",
  "unlimit",
  "enablePool",
  "disablePool",
  "createPool",
  "deletePool",
  "overLimit",
  "createPicky",
] as const;
export type Wish = (typeof WISHES)[number];

export const CALM_FLEET: FleetShape = {
  workers: 6,
  vcpus: [16, 32],
  memoryMiB: [32_768, 65_536],
  diskGiB: [500, 1000],
  datacenters: 1,
  zones: 2,
  racks: 2,
  hypervisor: { buildMeanMs: 400, bootMeanMs: 600, stopMeanMs: 300, jobMeanMs: 2000 },
  scheduler: {},
  overcommit: null,
  vms: 20,
  vmsMax: 40,
  vmVcpus: [1, 4],
  vmMemoryMiB: [512, 4096],
  vmPriority: [500, 500],
  groupShare: 0.3,
  waitShare: 0.1,
  healthShare: 0,
  recovery: { backoffMs: 500, backoffMaxMs: 5000 },
  tenants: 3,
  quota: null,
  poolSize: 0,
  pools: 1,
  openShare: 0,
  askEveryMs: [500, 2000],
  wishes: { create: 4, delete: 3, stop: 1, start: 1, restart: 1, resize: 1, migrate: 1 },
  askers: 2,
  questionEveryMs: [500, 3000],
  removeEveryMs: null,
  auditEveryMs: 1000,
  faultsAreLocal: false,
  agentRestartsDisturb: true,
  clocksLie: false,
};
