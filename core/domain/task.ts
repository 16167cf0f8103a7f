/** A task: a command that runs to completion on a worker that has the room. */
import { choice, flag, type Infer, integer, list, nullable, record, text } from "../schema/index.ts";
import { nameSchema, nodeIdSchema } from "./identity.ts";
import { CLUSTER_LIMITS } from "./limits.ts";
import { countSchema, logIndexSchema } from "./numbers.ts";
import { featuresSchema } from "./worker.ts";

const NONE: readonly never[] = Object.freeze([]);

export const TASK_STATES = ["Pending", "Running", "Succeeded", "Failed", "TimedOut", "Cancelled"] as const;
export type TaskState = (typeof TASK_STATES)[number];

/** Of a task, and of a request for one. */
export const taskSpecFields = {
  command: text(1, CLUSTER_LIMITS.pathLength)
    .doc("An absolute path or a name; never a shell line")
    .example("/usr/bin/backup"),
  args: list(text(0, CLUSTER_LIMITS.taskArgLength), { lengthMax: CLUSTER_LIMITS.taskArgs })
    .default(NONE)
    .doc("Its arguments, each passed as it is"),
  resources: record({
    vcpus: integer(0, CLUSTER_LIMITS.hostVcpus).default(1).doc("Virtual CPUs"),
    memoryMiB: integer(0, CLUSTER_LIMITS.hostMemoryMiB).default(256).doc("Memory in MiB"),
    diskGiB: integer(0, CLUSTER_LIMITS.hostDiskGiB).default(0).doc("Disk in GiB"),
  })
    .default(Object.freeze({ vcpus: 1, memoryMiB: 256, diskGiB: 0 }))
    .doc("What it needs"),
  features: featuresSchema.default(NONE).doc("What its worker must offer"),
  tenant: nameSchema.default("default").doc("Whose it is"),
  timeoutMs: integer(1, CLUSTER_LIMITS.durationMs).default(3_600_000).doc("How long one attempt may take"),
  attemptsMax: integer(1, CLUSTER_LIMITS.attempts).default(1).doc("How often it is tried"),
};

export const taskSpecSchema = record(taskSpecFields);
export type TaskSpec = Infer<typeof taskSpecSchema>;

export const jobOutputSchema = text(0, CLUSTER_LIMITS.outputLength);
export const exitCodeSchema = integer(-(2 ** 31), 2 ** 31);

export const taskSchema = record({
  id: nameSchema,
  ...taskSpecFields,
  state: choice(TASK_STATES),
  attempt: countSchema.doc("Attempts so far"),
  workerId: nullable(nodeIdSchema).doc("Where it runs now"),
  isCancelled: flag.doc("Somebody wants it to end"),
  exitCode: nullable(exitCodeSchema).doc("Of the last attempt that ended by itself"),
  output: jobOutputSchema.doc("The end of what the last attempt printed, at most 4,096 characters"),
  reason: jobOutputSchema,
  createdIndex: logIndexSchema,
  updatedIndex: logIndexSchema,
  updatedAtMs: countSchema.doc("Milliseconds since 1970"),
});
/** Immutable. */
export type TaskRecord = Infer<typeof taskSchema>;

export function isOver({ state }: TaskRecord): boolean {
  return state !== "Pending" && state !== "Running";
}

/** What a host says of a job that it has ended for taking too long. */
export const TIMED_OUT = "timed out";
