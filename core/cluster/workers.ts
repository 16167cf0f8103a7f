/** Hosts that run machines: what they have, what they shall do, and whether the cluster may rely on them. */
import {
  type Availability,
  CLUSTER_LIMITS,
  type CommandResult,
  NO_RESOURCES,
  refused,
  sameFacts,
  statusOf,
  type WorkerRecord,
} from "../domain/index.ts";
import type { Batch } from "./batch.ts";
import type { Command } from "./command.ts";
import { putRole } from "./nodes.ts";
import { lostTask } from "./tasks.ts";
import { lostVm, targetLost } from "./vm-moves.ts";

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
  if (known === null && batch.workers.count >= CLUSTER_LIMITS.workers)
    return refused({ kind: "limitReached", limit: "workers", maximum: CLUSTER_LIMITS.workers });
  if (known?.isOnline && known.bootId === bootId && sameFacts(known, facts)) return registered;
  const worker: WorkerRecord = {
    id: workerId,
    bootId,
    registeredIndex: known?.bootId === bootId ? known.registeredIndex : batch.appliedIndex,
    availability: known?.availability ?? "online",
    isOnline: true,
    assignedIndex: batch.appliedIndex,
    used: known?.used ?? NO_RESOURCES,
    reserved: known?.reserved ?? NO_RESOURCES,
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
const none: readonly string[] = Object.freeze([]);

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
