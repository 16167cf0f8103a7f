/** Hosts that run machines: what they have, what they shall do, and whether the cluster may rely on them. */
import type { Resources, Topology, WorkerStatus, WorkerView } from "../scheduler/index.ts";
import type { Batch } from "./batch.ts";
import type { Command } from "./command.ts";
import { label, list } from "./fields.ts";
import { aLabel, anInteger, aText, aValue, type Format, orNull, record } from "./format.ts";
import { InvalidField } from "./invalid.ts";
import { LIMITS } from "./limits.ts";
import { putRole } from "./nodes.ts";
import type { CommandResult } from "./result.ts";
import { lostTask } from "./tasks.ts";
import { lostVm, targetLost } from "./vm-moves.ts";

/** What an operator has said about new placements. */
export const AVAILABILITIES = ["online", "cordoned", "draining"] as const;
export type Availability = (typeof AVAILABILITIES)[number];

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

export const aResources: Format<Resources> = record<Resources>({
  vcpus: anInteger(0, LIMITS.hostVcpus),
  memoryMiB: anInteger(0, LIMITS.hostMemoryMiB),
  diskGiB: anInteger(0, LIMITS.hostDiskGiB),
});

const aTopology: Format<Topology> = record<Topology>({ datacenter: aLabel, zone: aLabel, rack: aLabel });

/** Labels, sorted, each once: one encoding for one set. */
export const someFeatures: Format<readonly string[]> = aValue((value: unknown, field: string) => {
  const features = list(value, field, LIMITS.listLength, label);
  for (let at = 1; at < features.length; at++) {
    if ((features[at - 1] ?? "") >= (features[at] ?? ""))
      throw new InvalidField(field, null, "must be sorted, each feature once");
  }
  return features;
});

export const factFormats = {
  capacity: aResources,
  features: someFeatures,
  topology: aTopology,
  costPerHour: anInteger(0, 2 ** 32),
  driver: orNull(aText(1, LIMITS.labelLength)),
};

export function statusOf(worker: Pick<WorkerRecord, "isOnline" | "availability">): WorkerStatus {
  return worker.isOnline ? worker.availability : "offline";
}

export function workerView(worker: WorkerRecord): WorkerView {
  const { id, capacity, used, reserved, features, topology, costPerHour } = worker;
  return { id, status: statusOf(worker), capacity, used, reserved, features, topology, costPerHour };
}

/** A process of an agent has come up, or its host has changed. Told again, it changes nothing. */
export function registerWorker(
  batch: Batch,
  command: Extract<Command, { readonly kind: "registerWorker" }>,
): CommandResult {
  const { workerId, bootId, facts } = command;
  const node = batch.node(workerId);
  if (node === null) return refused({ kind: "nodeNotFound", nodeId: workerId });
  if (node.role === "removed") return refused({ kind: "workerRemoved", workerId });
  const known = batch.workers.get(workerId);
  if (known === null && batch.workers.count >= LIMITS.workers)
    return refused({ kind: "limitReached", limit: "workers", maximum: LIMITS.workers });
  if (known?.isOnline && known.bootId === bootId && sameFacts(known, facts)) return registered;
  const worker: WorkerRecord = {
    id: workerId,
    bootId,
    registeredIndex: known?.bootId === bootId ? known.registeredIndex : batch.appliedIndex,
    availability: known?.availability ?? "online",
    isOnline: true,
    assignedIndex: batch.appliedIndex,
    used: known?.used ?? nothing,
    reserved: known?.reserved ?? nothing,
    vms: known?.vms ?? none,
    tasks: known?.tasks ?? none,
    nominees: known?.nominees ?? none,
    ...facts,
  };
  if (known !== null) batch.workerMoved(known, worker);
  batch.putWorker(worker);
  batch.roomMayHaveGrown();
  batch.happened({ kind: "workerRegistered", workerId, driver: facts.driver });
  return registered;
}

const registered: CommandResult = Object.freeze({ ok: true, kind: "workerRegistered" });
const nothing: Resources = Object.freeze({ vcpus: 0, memoryMiB: 0, diskGiB: 0 });
const none: readonly string[] = Object.freeze([]);

export function sameFacts(known: WorkerFacts, facts: WorkerFacts): boolean {
  return JSON.stringify(factsOf(known)) === JSON.stringify(factsOf(facts));
}

export function factsOf({ capacity, features, topology, costPerHour, driver }: WorkerFacts): WorkerFacts {
  return { capacity, features, topology, costPerHour, driver };
}

/**
 * Its lease has run out, by the proposer's own clock and with all the drift that is allowed for; or an operator knows that it is dead. Nothing runs there
 * any more, so what may run elsewhere does.
 */
export function workerLost(batch: Batch, workerId: number, bootId: number | null, isConfirmed: boolean): CommandResult {
  const worker = batch.workers.get(workerId);
  if (worker === null) return refused({ kind: "workerNotFound", workerId });
  if (!isConfirmed && (!worker.isOnline || worker.bootId !== bootId))
    return refused({ kind: "workerHasChanged", workerId });
  batch.putWorker({ ...worker, isOnline: false, assignedIndex: batch.appliedIndex });
  for (const name of worker.nominees) targetLost(batch, name);
  for (const name of worker.vms) lostVm(batch, name, isConfirmed);
  for (const id of worker.tasks) lostTask(batch, id);
  batch.happened({
    kind: "workerStatus",
    workerId,
    status: "offline",
    reason: isConfirmed ? "confirmed dead" : "lease ran out",
  });
  return Object.freeze({ ok: true, kind: "workerChanged" });
}

/**
 * It will never come back. Nothing of the cluster's runs there: what was placed has been seen gone, or its lease has run out, or an operator knows that it is dead;
 * and what takes nothing new gets nothing while this is decided. Should it come back all the same, it is told to end whatever it has.
 */
export function removeWorker(batch: Batch, workerId: number): CommandResult {
  const worker = batch.workers.get(workerId);
  if (worker === null) return refused({ kind: "workerNotFound", workerId });
  const node = batch.node(workerId);
  if (node?.role === "voter" || node?.role === "learner") return refused({ kind: "workerIsMember", workerId });
  const { vms, tasks, nominees } = worker;
  if (vms.length + tasks.length > 0)
    return refused({ kind: "workerInUse", workerId, vms: vms.length, tasks: tasks.length });
  if (statusOf(worker) === "online") return refused({ kind: "workerIsOnline", workerId });
  for (const name of nominees) targetLost(batch, name);
  batch.removeWorker(worker);
  if (node !== null) putRole(batch, node, "removed");
  batch.happened({ kind: "workerRemoved", workerId });
  return Object.freeze({ ok: true, kind: "workerRemoved" });
}

export function setAvailability(batch: Batch, workerId: number, availability: Availability): CommandResult {
  const worker = batch.workers.get(workerId);
  if (worker === null) return refused({ kind: "workerNotFound", workerId });
  if (worker.availability !== availability) {
    batch.putWorker({ ...worker, availability });
    batch.roomMayHaveGrown();
    batch.happened({
      kind: "workerStatus",
      workerId,
      status: worker.isOnline ? availability : "offline",
      reason: availability,
    });
  }
  return Object.freeze({ ok: true, kind: "workerChanged" });
}

function refused(refusal: Extract<CommandResult, { readonly ok: false }>["refusal"]): CommandResult {
  return Object.freeze({ ok: false, refusal: Object.freeze(refusal) });
}
