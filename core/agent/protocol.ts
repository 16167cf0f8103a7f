/**
 * What an agent and the cluster say to each other. An agent reports to any server, which passes the report on to
 * the leader. The answer says until when the agent may rely on its assignment, and has the new one if it has changed.
 * Both travel as bytes. The servers in between do not look inside.
 */

import { InvalidCommand, packed, unpacked } from "../cluster/index.ts";
import {
  CLUSTER_LIMITS,
  countSchema,
  exitCodeSchema,
  INTENTS,
  interfaceSchema,
  jobOutputSchema,
  nameSchema,
  nodeIdSchema,
  reasonSchema,
  vmSpecSchema,
  workerFactsSchema,
} from "../domain/index.ts";
import {
  type Codec,
  choice,
  flag,
  type Infer,
  integer,
  list,
  nullable,
  record,
  text,
  variants,
} from "../schema/index.ts";
import { JOB_PHASES, MACHINE_PHASES } from "./types.ts";

/** What a report and a directive may hold at most. With these limits, each always fits into a message of 4 MiB. */
export const HOST_LIMITS = {
  machines: 4096,
  jobs: 1024,
  /** Each was at most 64 KiB when a client sent it. */
  vmDetails: 32,
  taskDetails: 16,
  /** UTF-16 code units of all reasons, and of the output of all jobs. */
  reasonsLength: 512 * 1024,
  outputsLength: 256 * 1024,
} as const;

const sequence = countSchema;

/** A machine as an agent reports it: as its host shows it, and whether its health checks say that it is unhealthy. */
const machineSchema = record({
  name: nameSchema,
  epoch: countSchema,
  phase: choice(MACHINE_PHASES),
  reason: reasonSchema,
  isUnhealthy: flag,
});
export type ReportedMachine = Infer<typeof machineSchema>;

const jobSchema = record({
  id: nameSchema,
  attempt: countSchema,
  phase: choice(JOB_PHASES),
  exitCode: exitCodeSchema,
  output: jobOutputSchema,
});

const inventorySchema = record({
  machines: list(machineSchema, { lengthMax: HOST_LIMITS.machines }).doc(
    "Everything that the host has, sorted by name",
  ),
  jobs: list(jobSchema, { lengthMax: HOST_LIMITS.jobs }).doc("Sorted by id"),
});
export type Inventory = Infer<typeof inventorySchema>;

const reportSchema = record({
  workerId: nodeIdSchema,
  bootId: sequence.doc("Another number, another process"),
  sequence: sequence.doc("Rises with each report of a process"),
  facts: nullable(workerFactsSchema).doc("Null once the cluster has it"),
  assignedIndex: sequence.doc(
    "The newest assignment that the agent has acted by, which is what the inventory shows; 0: none",
  ),
  inventoryVersion: sequence.doc("Rises with each change of the inventory"),
  inventory: nullable(inventorySchema).doc("Null: the leader has had this version already"),
  lacks: record({
    vms: list(nameSchema, { lengthMax: HOST_LIMITS.vmDetails }),
    tasks: list(nameSchema, { lengthMax: HOST_LIMITS.taskDetails }),
  }).doc("What it has been told to run and does not know well enough; as many as one directive may explain"),
});
export type Report = Infer<typeof reportSchema>;

/** What a worker has to do about one VM. */
const assignedVmSchema = record({
  name: nameSchema,
  epoch: countSchema,
  intent: choice(INTENTS),
  /** If the host has no machine of this epoch, that machine has ended, and it is not made again. */
  isBegun: flag.doc("A machine of this epoch has been reported"),
  createdIndex: countSchema.doc("With the generation: which specification it is made from, see VmDetail"),
  generation: countSchema,
});
export type AssignedVm = Infer<typeof assignedVmSchema>;

const assignedTaskSchema = record({
  id: nameSchema,
  attempt: countSchema.doc("See Job"),
  /** An earlier process of the agent may have started it: only what the host shows can tell. */
  isBegun: flag.doc("It was assigned before this process came up"),
  isCancelled: flag,
});
export type AssignedTask = Infer<typeof assignedTaskSchema>;

/**
 * Everything that a worker is to do. It is short enough to be sent whole every time: what is not in it is not wanted.
 * Details (specifications, commands) are sent separately, each once, as many as fit.
 */
const assignmentSchema = record({
  index: sequence.doc("Log index of the entry that made it so"),
  vms: list(assignedVmSchema, { lengthMax: HOST_LIMITS.machines }),
  tasks: list(assignedTaskSchema, { lengthMax: HOST_LIMITS.jobs }),
});
export type Assignment = Infer<typeof assignmentSchema>;

/** A specification, identified by the entry that created the VM and by the generation. */
const vmDetailSchema = record({
  name: nameSchema,
  createdIndex: countSchema,
  generation: countSchema,
  spec: vmSpecSchema,
  interfaces: list(interfaceSchema, { lengthMax: CLUSTER_LIMITS.listLength }).doc("One for each of its addresses"),
});
export type VmDetail = Infer<typeof vmDetailSchema>;

const taskDetailSchema = record({
  id: nameSchema,
  attempt: countSchema,
  command: text(1, CLUSTER_LIMITS.pathLength),
  args: list(text(0, CLUSTER_LIMITS.taskArgLength), { lengthMax: CLUSTER_LIMITS.taskArgs }),
  timeoutMs: integer(1, CLUSTER_LIMITS.durationMs),
});
export type TaskDetail = Infer<typeof taskDetailSchema>;

const detailsSchema = record({
  vms: list(vmDetailSchema, { lengthMax: HOST_LIMITS.vmDetails }),
  tasks: list(taskDetailSchema, { lengthMax: HOST_LIMITS.taskDetails }),
});
export type Details = Infer<typeof detailsSchema>;

/** Which report a directive answers. It is no answer to any other. */
const answering = { workerId: nodeIdSchema, bootId: sequence, sequence };

const directiveSchema = variants({
  granted: {
    ...answering,
    leaseTtlMs: integer(1, CLUSTER_LIMITS.durationMs).doc(
      "For how long the agent may rely on its assignment, from when it sent the report",
    ),
    assignment: nullable(assignmentSchema).doc("Null: the one that it has"),
    details: detailsSchema.doc("What it lacks, and what the leader thinks that it will lack"),
    inventoryVersion: sequence.doc("The inventory that the leader has seen; 0: none, tell it all"),
    servers: list(nodeIdSchema, { lengthMax: CLUSTER_LIMITS.members }).doc("Where to report"),
  },
  /**
   * The cluster does not know this process, or has declared it lost: it is to report the facts of its host.
   * Its lease stays as it is.
   */
  register: answering,
  /** An operator has removed this worker for ever: it is to end whatever it has. */
  removed: answering,
  /**
   * The server that was asked is no member any more, and says who had a vote when it left. No more than a hint where
   * else to ask: it grants nothing, and replaces no server that the agent knows.
   */
  left: {
    ...answering,
    voters: list(nodeIdSchema, { lengthMax: CLUSTER_LIMITS.voters }).doc("Where to report instead"),
  },
});
export type Directive = Infer<typeof directiveSchema>;

export function encodeReport(report: Report): Uint8Array<ArrayBuffer> {
  return packed(reportSchema, report);
}

/** Null when the bytes are no report. */
export function decodeReport(bytes: Uint8Array): Report | null {
  return read(reportSchema, bytes, "report");
}

export function encodeDirective(directive: Directive): Uint8Array<ArrayBuffer> {
  return packed(directiveSchema, directive);
}

export function decodeDirective(bytes: Uint8Array): Directive | null {
  return read(directiveSchema, bytes, "directive");
}

function read<T>(schema: Codec<T>, bytes: Uint8Array, name: string): T | null {
  try {
    return unpacked(schema, bytes, name);
  } catch (error) {
    if (error instanceof InvalidCommand) return null;
    throw error;
  }
}
