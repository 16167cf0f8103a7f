/** A host that runs machines: what it has, what an operator wants of it, and what is placed there. */

import type { Topology } from "./failure-domain.ts";
import type { Resources } from "./resources.ts";

/** What an operator has said about new placements. */
export const AVAILABILITIES = ["online", "cordoned", "draining"] as const;
export type Availability = (typeof AVAILABILITIES)[number];

export const WORKER_STATUSES = ["online", "cordoned", "draining", "offline"] as const;
export type WorkerStatus = (typeof WORKER_STATUSES)[number];

/** Immutable. */
export interface WorkerRecord extends WorkerFacts {
  /** Of the node. */
  readonly id: number;
  /** Told by the agent's process: another number is another process. */
  readonly bootId: number;
  /** Log index of the entry by which that process came to be known: what was placed before, another may have begun. */
  readonly registeredIndex: number;
  readonly availability: Availability;
  /** False from when the cluster stopped to rely on its lease until it registers anew. */
  readonly isOnline: boolean;
  /** Log index of the last entry that changed what this worker shall do: an agent that has heard of that one has heard of all. */
  readonly assignedIndex: number;

  // What follows from VMs and tasks; no part of a snapshot.
  readonly used: Resources;
  readonly reserved: Resources;
  /** Names of the VMs placed here, sorted. */
  readonly vms: readonly string[];
  /** Ids of the tasks placed here, sorted. */
  readonly tasks: readonly string[];
  /** Names of the VMs that room is kept for, sorted. */
  readonly nominees: readonly string[];
}

/** What an agent tells of its host. */
export interface WorkerFacts {
  readonly capacity: Resources;
  /** Sorted labels, each once. */
  readonly features: readonly string[];
  readonly topology: Topology;
  /** 0 to 2^32, in thousandths of any one currency. */
  readonly costPerHour: number;
  /** What runs machines there; null: nothing, and VMs stay Scheduled. */
  readonly driver: string | null;
}

export function statusOf(worker: Pick<WorkerRecord, "isOnline" | "availability">): WorkerStatus {
  return worker.isOnline ? worker.availability : "offline";
}

export function sameFacts(known: WorkerFacts, facts: WorkerFacts): boolean {
  return JSON.stringify(factsOf(known)) === JSON.stringify(factsOf(facts));
}

export function factsOf({ capacity, features, topology, costPerHour, driver }: WorkerFacts): WorkerFacts {
  return { capacity, features, topology, costPerHour, driver };
}
