/**
 * What an agent and the cluster say to each other. An agent reports to any server, which passes it on to the leader; the answer says until when the agent
 * may rely on what it has been told, and what that is, if it has changed. Both travel as bytes; the servers in between do not look inside.
 */

import {
  aCount,
  aFlag,
  aLabel,
  aNodeId,
  anInteger,
  aReason,
  aText,
  type Format,
  InvalidCommand,
  jobOutput,
  listOf,
  oneOf,
  orNull,
  packed,
  record,
  unpacked,
  variants,
  vmSpecFormat,
  workerFacts,
} from "../cluster/index.ts";
import { CLUSTER_LIMITS, INTENTS, type Intent, type VmSpec, type WorkerFacts } from "../domain/index.ts";
import { JOB_PHASES, type Job, MACHINE_PHASES, type Machine } from "./types.ts";

/** A machine as an agent reports it: as its host shows it, and whether its health checks say that it should not go on so. */
export interface ReportedMachine extends Machine {
  readonly isUnhealthy: boolean;
}

export interface Inventory {
  /** Everything that the host has, sorted by name. */
  readonly machines: readonly ReportedMachine[];
  /** Sorted by id. */
  readonly jobs: readonly Job[];
}

export interface Report {
  readonly workerId: number;
  /** Another number, another process. */
  readonly bootId: number;
  /** Rises with each report of a process. */
  readonly sequence: number;
  /** Null once the cluster has it. */
  readonly facts: WorkerFacts | null;
  /** The newest assignment that the agent has acted by, which is what the inventory shows; 0: none. */
  readonly assignedIndex: number;
  /** Rises with each change of the inventory. */
  readonly inventoryVersion: number;
  /** Null: the leader has had this version already. */
  readonly inventory: Inventory | null;
  /** What it has been told to run and does not know well enough; as many as one directive may explain. */
  readonly lacks: { readonly vms: readonly string[]; readonly tasks: readonly string[] };
}

/** What a worker has to do about one VM. */
export interface AssignedVm {
  readonly name: string;
  readonly epoch: number;
  readonly intent: Intent;
  /** The cluster has heard of a machine of this epoch: one that is not there is gone, and is not made a second time. */
  readonly isBegun: boolean;
  /** Which spec it is to be made from, see `VmDetail`. */
  readonly createdIndex: number;
  readonly generation: number;
}

export interface AssignedTask {
  readonly id: string;
  /** See `Job`. */
  readonly attempt: number;
  /** It was assigned before this process came up: another may have run it, and all that is left of it is what the host shows. */
  readonly isBegun: boolean;
  readonly isCancelled: boolean;
}

/**
 * All that a worker shall do, in few words, so that it can always be said whole: what is not in it is not wanted. How it is done is told apart, once, and
 * as much at a time as fits.
 */
export interface Assignment {
  /** Log index of the entry that made it so. */
  readonly index: number;
  readonly vms: readonly AssignedVm[];
  readonly tasks: readonly AssignedTask[];
}

/** The spec of that generation of the VM that was created by that entry. */
export interface VmDetail {
  readonly name: string;
  readonly createdIndex: number;
  readonly generation: number;
  readonly spec: VmSpec;
}

export interface TaskDetail {
  readonly id: string;
  readonly attempt: number;
  readonly command: string;
  readonly args: readonly string[];
  readonly timeoutMs: number;
}

export interface Details {
  readonly vms: readonly VmDetail[];
  readonly tasks: readonly TaskDetail[];
}

/** Which report a directive answers: nobody else may take it for the answer to its own. */
interface Answering {
  readonly workerId: number;
  readonly bootId: number;
  readonly sequence: number;
}

export type Directive =
  /** The agent may rely on its assignment for `leaseTtlMs` from when it sent the report. */
  | (Answering & {
      readonly kind: "granted";
      readonly leaseTtlMs: number;
      /** Null: the one that it has. */
      readonly assignment: Assignment | null;
      /** What it lacks, and what the leader thinks that it will lack. */
      readonly details: Details;
      /** The inventory that the leader has seen; 0: none, tell it all. */
      readonly inventoryVersion: number;
      /** Where to report. */
      readonly servers: readonly number[];
    })
  /** The cluster does not know this process, or counts on it no more: it shall say what its host is. Its lease stays as it is. */
  | (Answering & { readonly kind: "register" })
  /** An operator has removed this worker for ever: it shall end whatever it has, and be gone. */
  | (Answering & { readonly kind: "removed" });

/** What a report and a directive may hold at most. With these, each always fits into a message of 4 MiB. */
export const HOST_LIMITS = {
  machines: 4096,
  jobs: 1024,
  /** Each has come in a request of its own, of 64 KiB at most. */
  vmDetails: 32,
  taskDetails: 16,
  /** UTF-16 code units of all reasons, and of the output of all jobs. */
  reasonsLength: 512 * 1024,
  outputsLength: 256 * 1024,
} as const;

const aSequence: Format<number> = anInteger(0);

const reportedMachine: Format<ReportedMachine> = record<ReportedMachine>({
  name: aLabel,
  epoch: aCount,
  phase: oneOf(MACHINE_PHASES),
  reason: aReason,
  isUnhealthy: aFlag,
});

const reportedJob: Format<Job> = record<Job>({
  id: aLabel,
  attempt: aCount,
  phase: oneOf(JOB_PHASES),
  exitCode: anInteger(-(2 ** 31), 2 ** 31),
  output: jobOutput,
});

const reportFormat: Format<Report> = record<Report>({
  workerId: aNodeId,
  bootId: aSequence,
  sequence: aSequence,
  facts: orNull(workerFacts),
  assignedIndex: aSequence,
  inventoryVersion: aSequence,
  inventory: orNull(
    record<Inventory>({
      machines: listOf(reportedMachine, HOST_LIMITS.machines),
      jobs: listOf(reportedJob, HOST_LIMITS.jobs),
    }),
  ),
  lacks: record<Report["lacks"]>({
    vms: listOf(aLabel, HOST_LIMITS.vmDetails),
    tasks: listOf(aLabel, HOST_LIMITS.taskDetails),
  }),
});

const assignmentFormat: Format<Assignment> = record<Assignment>({
  index: aSequence,
  vms: listOf(
    record<AssignedVm>({
      name: aLabel,
      epoch: aCount,
      intent: oneOf(INTENTS),
      isBegun: aFlag,
      createdIndex: aCount,
      generation: aCount,
    }),
    HOST_LIMITS.machines,
  ),
  tasks: listOf(
    record<AssignedTask>({ id: aLabel, attempt: aCount, isBegun: aFlag, isCancelled: aFlag }),
    HOST_LIMITS.jobs,
  ),
});

const detailsFormat: Format<Details> = record<Details>({
  vms: listOf(
    record<VmDetail>({ name: aLabel, createdIndex: aCount, generation: aCount, spec: vmSpecFormat }),
    HOST_LIMITS.vmDetails,
  ),
  tasks: listOf(
    record<TaskDetail>({
      id: aLabel,
      attempt: aCount,
      command: aText(1, CLUSTER_LIMITS.pathLength),
      args: listOf(aText(0, CLUSTER_LIMITS.taskArgLength), CLUSTER_LIMITS.taskArgs),
      timeoutMs: anInteger(1, CLUSTER_LIMITS.durationMs),
    }),
    HOST_LIMITS.taskDetails,
  ),
});

const answering = { workerId: aNodeId, bootId: aSequence, sequence: aSequence };

const directiveFormat: Format<Directive> = variants<Directive>({
  granted: {
    ...answering,
    leaseTtlMs: anInteger(1, CLUSTER_LIMITS.durationMs),
    assignment: orNull(assignmentFormat),
    details: detailsFormat,
    inventoryVersion: aSequence,
    servers: listOf(aNodeId, CLUSTER_LIMITS.members),
  },
  register: answering,
  removed: answering,
});

export function encodeReport(report: Report): Uint8Array<ArrayBuffer> {
  return packed(reportFormat, report);
}

/** Null when the bytes are no report. */
export function decodeReport(bytes: Uint8Array): Report | null {
  return read(reportFormat, bytes, "report");
}

export function encodeDirective(directive: Directive): Uint8Array<ArrayBuffer> {
  return packed(directiveFormat, directive);
}

export function decodeDirective(bytes: Uint8Array): Directive | null {
  return read(directiveFormat, bytes, "directive");
}

function read<T>(format: Format<T>, bytes: Uint8Array, name: string): T | null {
  try {
    return unpacked(format, bytes, name);
  } catch (error) {
    if (error instanceof InvalidCommand) return null;
    throw error;
  }
}
