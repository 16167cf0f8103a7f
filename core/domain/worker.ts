/** A host that runs machines: what it has, what an operator wants of it, and what is placed there. */
import { choice, flag, type Infer, InvalidField, integer, list, nullable, record, text } from "../schema/index.ts";
import { topologySchema } from "./failure-domain.ts";
import { nameSchema, nodeIdSchema } from "./identity.ts";
import { parseIp } from "./ip-address.ts";
import { CLUSTER_LIMITS } from "./limits.ts";
import { logIndexSchema } from "./numbers.ts";
import { type Resources, resourcesSchema } from "./resources.ts";

/** What an operator has said about new placements. */
export const AVAILABILITIES = ["online", "cordoned", "draining"] as const;
export type Availability = (typeof AVAILABILITIES)[number];

export const WORKER_STATUSES = ["online", "cordoned", "draining", "offline"] as const;
export type WorkerStatus = (typeof WORKER_STATUSES)[number];

/** What a host offers, or a VM or task needs. One encoding for one set. */
export const featuresSchema = list(nameSchema, { lengthMax: CLUSTER_LIMITS.listLength }).rule(
  "sorted, each feature once",
  (features) => {
    for (let at = 1; at < features.length; at++) {
      if ((features[at - 1] ?? "") >= (features[at] ?? ""))
        throw new InvalidField("", null, "must be sorted, each feature once");
    }
  },
  (features) => [...new Set(features)].sort(),
);

/** Where other hosts send what is for the guests of a host. */
const guestsViaSchema = list(
  text(2, CLUSTER_LIMITS.addressLength).rule(
    "is an IP address, as it is usually written",
    (address) => {
      parseIp(address, "");
    },
    () => "192.0.2.1",
  ),
  { lengthMax: 2 },
).rule(
  "one of each family at most",
  (addresses) => {
    if (new Set(addresses.map((address) => parseIp(address, "").family)).size < addresses.length)
      throw new InvalidField("", null, "must have at most one address of each family");
  },
  (addresses) => addresses.slice(0, 1),
);

const factFields = {
  capacity: resourcesSchema.doc("What the host has"),
  features: featuresSchema,
  topology: topologySchema,
  costPerHour: integer(0, 2 ** 32).doc("In thousandths of any one currency"),
  driver: nullable(text(1, CLUSTER_LIMITS.labelLength)).doc(
    "What runs machines there; null: nothing, and VMs placed there stay Scheduled",
  ),
  guestsVia: guestsViaSchema
    .default(Object.freeze([]))
    .since(4)
    .doc("Where other hosts send what is for its guests: IP addresses, one of each family at most"),
};

export const workerFactsSchema = record(factFields);
/** What an agent tells of its host. */
export type WorkerFacts = Infer<typeof workerFactsSchema>;

export const bootIdSchema = integer(0).doc("Told by the agent's process: another number is another process");

/** What a snapshot holds of a worker. */
export const storedWorkerSchema = record({
  id: nodeIdSchema,
  bootId: bootIdSchema,
  /** What was placed before, another process may have begun. */
  registeredIndex: logIndexSchema.doc("Of the entry by which that process came to be known"),
  availability: choice(AVAILABILITIES),
  isOnline: flag.doc("False from when the cluster stopped to rely on its lease until it registers anew"),
  /** An agent that has heard of that one has heard of all. */
  assignedIndex: logIndexSchema.doc("Of the last entry that changed what this worker shall do"),
  ...factFields,
});
export type StoredWorker = Infer<typeof storedWorkerSchema>;

/** Immutable. The fields below follow from VMs and tasks, and are no part of a snapshot. */
export interface WorkerRecord extends StoredWorker {
  readonly used: Resources;
  readonly reserved: Resources;
  /** Names of the VMs placed here, sorted. */
  readonly vms: readonly string[];
  /** Ids of the tasks placed here, sorted. */
  readonly tasks: readonly string[];
  /** Names of the VMs that room is kept for, sorted. */
  readonly nominees: readonly string[];
}

export function statusOf(worker: Pick<WorkerRecord, "isOnline" | "availability">): WorkerStatus {
  return worker.isOnline ? worker.availability : "offline";
}

export function sameFacts(known: WorkerFacts, facts: WorkerFacts): boolean {
  return JSON.stringify(factsOf(known)) === JSON.stringify(factsOf(facts));
}

export function factsOf({ capacity, features, topology, costPerHour, driver, guestsVia }: WorkerFacts): WorkerFacts {
  return { capacity, features, topology, costPerHour, driver, guestsVia };
}
