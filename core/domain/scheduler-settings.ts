/** How the cluster places VMs and tasks. Replicated. */
import type { FailureDomain } from "./failure-domain.ts";

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
