/** What placement looks at: plain values, so that the replicated state, a plan and a test all ask the same question. */
import type { AntiAffinity, FailureDomain, Locality } from "../cluster/index.ts";

export interface Resources {
  readonly vcpus: number;
  readonly memoryMiB: number;
  readonly diskGiB: number;
}

export const NO_RESOURCES: Resources = Object.freeze({ vcpus: 0, memoryMiB: 0, diskGiB: 0 });

/** Where a host stands. Labels. Names of zones and racks count within what they are in. */
export interface Topology {
  readonly datacenter: string;
  readonly zone: string;
  readonly rack: string;
}

export const WORKER_STATUSES = ["online", "cordoned", "draining", "offline"] as const;
export type WorkerStatus = (typeof WORKER_STATUSES)[number];

/** A host as placement sees it. */
export interface WorkerView {
  readonly id: number;
  readonly status: WorkerStatus;
  /** What the host has, before overcommit and reserve. */
  readonly capacity: Resources;
  /** Of everything that is placed there and has not been seen gone. */
  readonly used: Resources;
  /** Kept for VMs that wait for those to stop that they preempted. */
  readonly reserved: Resources;
  /** Sorted, each once. */
  readonly features: readonly string[];
  readonly topology: Topology;
  /** In any one currency; at least 0. */
  readonly costPerHour: number;
}

/** What is to be placed: a VM, or a task. */
export interface PlacementRequest {
  readonly name: string;
  readonly tenant: string;
  readonly resources: Resources;
  readonly features: readonly string[];
  readonly antiAffinity: readonly AntiAffinity[];
  readonly locality: Locality | null;
  /** 0 to 1,000; higher goes first. */
  readonly priority: number;
  /** The one worker that it may go to; null: any. */
  readonly pinnedTo: number | null;
  /** A worker that it has just failed on, and shall leave if any other will have it; null: none. */
  readonly avoid: number | null;
  /** The worker where room is kept for it already; null: none. */
  readonly nominatedTo: number | null;
}

export interface Overcommit {
  /** How many times the capacity may be promised, 1 to 10. */
  readonly cpu: number;
  readonly memory: number;
  readonly disk: number;
  /** Kept for the host itself, 0 to 90 % of each capacity. */
  readonly reservePercent: number;
}

export const OVERCOMMIT: Readonly<Record<"conservative" | "moderate" | "aggressive", Overcommit>> = Object.freeze({
  conservative: Object.freeze({ cpu: 1, memory: 1, disk: 1, reservePercent: 10 }),
  moderate: Object.freeze({ cpu: 2, memory: 1.2, disk: 1.1, reservePercent: 15 }),
  aggressive: Object.freeze({ cpu: 4, memory: 1.5, disk: 1.3, reservePercent: 5 }),
});

export const STRATEGIES = ["most-available", "least-available", "round-robin", "locality", "spread", "cost"] as const;
/** The base strategy of SPEC section 3. "manual" is a request's `pinnedTo`; "priority" is `preemption` on top of any of these. */
export type Strategy = (typeof STRATEGIES)[number];

/** How the cluster places. Replicated. */
export interface SchedulerSettings {
  readonly strategy: Strategy;
  readonly overcommit: Overcommit;
  /** Whether lower-priority preemptible VMs make room when nothing else fits. */
  readonly preemption: boolean;
  /** For "spread": over what, and how many domains at least must be eligible before it places anything. */
  readonly spreadScope: FailureDomain;
  readonly minDomains: number;
  /** For "cost": how much dearer than the cheapest that fits a choice may be, per cent; among those the most available wins. */
  readonly costIncreasePercentMax: number;
}

export const DEFAULT_SCHEDULER: SchedulerSettings = Object.freeze({
  strategy: "most-available",
  overcommit: OVERCOMMIT.conservative,
  preemption: true,
  spreadScope: "rack",
  minDomains: 1,
  costIncreasePercentMax: 0,
});

/** What placement asks of the cluster beyond one worker. All O(1). */
export interface PlacementContext {
  readonly settings: SchedulerSettings;
  /** The worker that round-robin chose last; 0: none. */
  readonly cursor: number;
  /** Placed VMs that name this anti-affinity group, within one domain: `domainOf(scope, worker)`. The VM that is to be placed does not count. */
  groupCount(group: string, scope: FailureDomain, domain: string): number;
  /** Placed VMs of this tenant on this worker, and how many it may have there. */
  tenantCount(tenant: string, workerId: number): number;
  tenantPerWorkerMax(tenant: string): number;
  /** For "spread": placed VMs in one domain of `settings.spreadScope`. */
  domainCount(domain: string): number;
  /** For "spread": eligible domains, whatever the request: of workers that are online. */
  readonly domainTotal: number;
}

/** Why a worker does not take it. `needed` and `free` in the resource's own unit. */
export type WorkerRefusal =
  | { readonly kind: "offline" | "cordoned" | "draining" }
  | { readonly kind: "notTheNamedWorker" }
  | { readonly kind: "missingFeatures"; readonly features: readonly string[] }
  | {
      readonly kind: "insufficient";
      readonly resource: keyof Resources;
      readonly needed: number;
      readonly free: number;
    }
  | { readonly kind: "tenantQuota"; readonly used: number; readonly limit: number }
  | {
      readonly kind: "antiAffinity";
      readonly group: string;
      readonly scope: FailureDomain;
      readonly domain: string;
      readonly count: number;
      readonly limit: number;
    }
  | { readonly kind: "excludedDatacenter"; readonly datacenter: string }
  | { readonly kind: "locality"; readonly wanted: string; readonly actual: string }
  | { readonly kind: "tooFewDomains"; readonly count: number; readonly limit: number }
  | { readonly kind: "tooDear"; readonly costPerHour: number; readonly limit: number };

/** Higher is better. Ties break by the lower worker id. */
export type Judgement =
  | { readonly workerId: number; readonly score: number; readonly refusal: null }
  | { readonly workerId: number; readonly score: null; readonly refusal: WorkerRefusal };

/** A VM that holds room on a worker, as preemption sees it. */
export interface Occupant {
  readonly name: string;
  readonly resources: Resources;
  readonly priority: number;
  readonly preemptible: boolean;
}

export interface PreemptionPlan {
  readonly workerId: number;
  /** By name. */
  readonly victims: readonly string[];
}
