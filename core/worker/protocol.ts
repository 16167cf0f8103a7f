/**
 * What an agent and the cluster say to each other. An agent reports to any server, which passes it on to the leader; the answer says until when the agent
 * may rely on what it has been told, and what that is, if it has changed. Both travel as bytes; the servers in between do not look inside.
 */
import {
  aCount,
  aLabel,
  aNodeId,
  anInteger,
  aReason,
  aText,
  aValue,
  CLUSTER_LIMITS,
  type Format,
  INTENTS,
  type Intent,
  InvalidCommand,
  jobOutput,
  listOf,
  oneOf,
  orNull,
  packed,
  record,
  unpacked,
  type VmSpec,
  variants,
  vmSpecFormat,
  type WorkerFacts,
  workerFacts,
} from "../cluster/index.ts";
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
  /** The assignment that the agent acts by; 0: none. */
  readonly assignedIndex: number;
  /** Rises with each change of the inventory. */
  readonly inventoryVersion: number;
  /** Null: the leader has had this version already. */
  readonly inventory: Inventory | null;
}

/** What a worker has to do about one VM. */
export interface AssignedVm {
  readonly name: string;
  readonly epoch: number;
  readonly intent: Intent;
  readonly spec: VmSpec;
}

export interface AssignedTask {
  readonly id: string;
  readonly attempt: number;
  readonly isCancelled: boolean;
  readonly command: string;
  readonly args: readonly string[];
  readonly timeoutMs: number;
}

export interface Assignment {
  /** Log index of the entry that made it so. */
  readonly index: number;
  readonly vms: readonly AssignedVm[];
  readonly tasks: readonly AssignedTask[];
}

export type Directive =
  /** The agent may rely on its assignment for `leaseTtlMs` from when it sent the report. */
  | {
      readonly kind: "granted";
      readonly sequence: number;
      readonly leaseTtlMs: number;
      /** Null: the one that it has. */
      readonly assignment: Assignment | null;
      /** The inventory that the leader has seen; 0: none, tell it all. */
      readonly inventoryVersion: number;
      /** Where to report. */
      readonly servers: readonly number[];
    }
  /** The cluster does not know this process, or counts on it no more: it shall say what its host is. Its lease stays as it is. */
  | { readonly kind: "register"; readonly sequence: number };

const aSequence: Format<number> = anInteger(0);

const reportedMachine: Format<ReportedMachine> = record<ReportedMachine>({
  name: aLabel,
  epoch: aCount,
  phase: oneOf(MACHINE_PHASES),
  reason: aReason,
  isUnhealthy: aValue((value: unknown) => value === true),
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
      machines: listOf(reportedMachine, CLUSTER_LIMITS.observations),
      jobs: listOf(reportedJob, CLUSTER_LIMITS.observations),
    }),
  ),
});

const assignmentFormat: Format<Assignment> = record<Assignment>({
  index: aSequence,
  vms: listOf(
    record<AssignedVm>({ name: aLabel, epoch: aCount, intent: oneOf(INTENTS), spec: vmSpecFormat }),
    CLUSTER_LIMITS.observations,
  ),
  tasks: listOf(
    record<AssignedTask>({
      id: aLabel,
      attempt: aCount,
      isCancelled: aValue((value: unknown) => value === true),
      command: aText(1, CLUSTER_LIMITS.pathLength),
      args: listOf(aText(0, CLUSTER_LIMITS.taskArgLength), CLUSTER_LIMITS.taskArgs),
      timeoutMs: anInteger(1, CLUSTER_LIMITS.durationMs),
    }),
    CLUSTER_LIMITS.observations,
  ),
});

const directiveFormat: Format<Directive> = variants<Directive>({
  granted: {
    sequence: aSequence,
    leaseTtlMs: anInteger(1, CLUSTER_LIMITS.durationMs),
    assignment: orNull(assignmentFormat),
    inventoryVersion: aSequence,
    servers: listOf(aNodeId, CLUSTER_LIMITS.members),
  },
  register: { sequence: aSequence },
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
