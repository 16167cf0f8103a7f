/**
 * What placement looks at: plain values, so that the replicated state, a plan and a test all ask the same question.
 */
import type {
  AntiAffinity,
  FailureDomain,
  Locality,
  Resources,
  SchedulerSettings,
  Topology,
  WorkerStatus,
} from "../domain/index.ts";

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

/** What placement asks of the cluster beyond one worker. All O(1). */
export interface PlacementContext {
  readonly settings: SchedulerSettings;
  /** The worker that round-robin chose last; 0: none. */
  readonly cursor: number;
  /**
   * Placed VMs that name this anti-affinity group, within one domain: `domainOf(scope, worker)`. The VM that is to be
   * placed does not count.
   */
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
  | { readonly kind: "tooExpensive"; readonly costPerHour: number; readonly limit: number };

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
