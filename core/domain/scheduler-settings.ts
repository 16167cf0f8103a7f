/** How the cluster places VMs and tasks. Replicated. */
import { choice, defaults, flag, hundredths, type Infer, integer, record } from "../schema/index.ts";
import { FAILURE_DOMAINS } from "./failure-domain.ts";
import { CLUSTER_LIMITS } from "./limits.ts";

const factor = hundredths(1, 10).default(1);

const overcommitSchema = record({
  cpu: factor.doc("How many times the CPUs may be promised"),
  memory: factor.doc("The same of memory"),
  disk: factor.doc("The same of disks"),
  reservePercent: integer(0, 90).default(10).doc("Kept for the host itself, of each capacity"),
});
export type Overcommit = Infer<typeof overcommitSchema>;

export const OVERCOMMIT: Readonly<Record<"conservative" | "moderate" | "aggressive", Overcommit>> = Object.freeze({
  conservative: Object.freeze({ cpu: 1, memory: 1, disk: 1, reservePercent: 10 }),
  moderate: Object.freeze({ cpu: 2, memory: 1.2, disk: 1.1, reservePercent: 15 }),
  aggressive: Object.freeze({ cpu: 4, memory: 1.5, disk: 1.3, reservePercent: 5 }),
});

export const STRATEGIES = ["most-available", "least-available", "round-robin", "locality", "spread", "cost"] as const;

/**
 * How a worker is chosen among those that fit. To choose it by hand is a request's `pinnedTo`, and to stop VMs of lower
 * priority is `preemption` on top of any of these.
 */
export type Strategy = (typeof STRATEGIES)[number];

export const schedulerSettingsSchema = record({
  strategy: choice(STRATEGIES).default("most-available").doc("Which worker is best"),
  overcommit: overcommitSchema.default(OVERCOMMIT.conservative).doc("How much more than it has a worker may promise"),
  preemption: flag.default(true).doc("Whether preemptible VMs of lower priority make room when nothing else fits"),
  spreadScope: choice(FAILURE_DOMAINS).default("rack").doc('For "spread": over what'),
  minDomains: integer(1, CLUSTER_LIMITS.workers)
    .default(1)
    .doc('For "spread": how many domains at least must be eligible before it places anything'),
  costIncreasePercentMax: integer(0, 1000)
    .default(0)
    .doc(
      'For "cost": how much more than the cheapest that fits a choice may cost; among those the most available wins',
    ),
});
export type SchedulerSettings = Infer<typeof schedulerSettingsSchema>;

export const DEFAULT_SCHEDULER: SchedulerSettings = defaults(schedulerSettingsSchema);
