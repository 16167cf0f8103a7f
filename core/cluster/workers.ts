/** Hosts that run machines: what they have, what they shall do, and whether the cluster may rely on them. */
import {
  AVAILABILITIES,
  bootIdSchema,
  type CommandResult,
  NO_RESOURCES,
  nodeIdSchema,
  refused,
  sameFacts,
  statusOf,
  type WorkerRecord,
  workerFactsSchema,
} from "../domain/index.ts";
import { mark } from "../marks.ts";
import { choice } from "../schema/index.ts";
import type { Batch } from "./batch.ts";
import { command } from "./command-definition.ts";
import { putRole } from "./nodes.ts";
import { lostTask } from "./tasks.ts";
import { lostVm, targetLost } from "./vm-moves.ts";

const registered: CommandResult = Object.freeze({ ok: true, kind: "workerRegistered" });
const none: readonly string[] = Object.freeze([]);

/**
 * The lease of the worker has expired by the clock of the proposer, with the allowed drift; or an operator confirmed
 * that the worker is dead. Nothing runs there any more, so what may run elsewhere does.
 */
function workerLost(batch: Batch, workerId: number, bootId: number | null, isConfirmed: boolean): CommandResult {
  const worker = batch.workers.get(workerId);
  if (worker === null) return refused({ kind: "workerNotFound", workerId });
  if (!isConfirmed && (!worker.isOnline || worker.bootId !== bootId))
    return refused({ kind: "workerHasChanged", workerId });
  batch.putWorker({ ...worker, isOnline: false, assignedIndex: batch.appliedIndex });
  mark(isConfirmed ? "recovery/worker-confirmed-dead" : "recovery/worker-lost");
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

const AVAILABILITY_CHANGES = { online: "uncordon", cordoned: "cordon", draining: "drain" } as const;

export const workerCommands = {
  /** A process of an agent has come up, or its host has changed. Told again, it changes nothing. */
  registerWorker: command({
    askedBy: "leader",
    number: [9, 0],
    fields: { workerId: nodeIdSchema, bootId: bootIdSchema, facts: workerFactsSchema },
    refusals: ["nodeNotFound", "workerRemoved", "limitReached"],
    audit: { number: 7, target: ({ workerId }) => String(workerId) },
    apply(batch, { workerId, bootId, facts }) {
      const node = batch.node(workerId);
      if (node === null) return refused({ kind: "nodeNotFound", nodeId: workerId });
      if (node.role === "removed") return refused({ kind: "workerRemoved", workerId });
      const known = batch.workers.get(workerId);
      if (known === null && batch.workers.count >= batch.limits.workers)
        return refused({ kind: "limitReached", limit: "workers", maximum: batch.limits.workers });
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
      if (known !== null && known.bootId !== bootId) mark("recovery/worker-is-back-with-another-process");
      batch.putWorker(worker);
      batch.roomMayHaveGrown();
      batch.happened({ kind: "workerRegistered", workerId, driver: facts.driver });
      return registered;
    },
  }),
  /** The lease of that process of the agent has run out, with grace and drift. */
  workerLost: command({
    askedBy: "leader",
    number: [9, 1],
    fields: { workerId: nodeIdSchema, bootId: bootIdSchema },
    refusals: ["workerNotFound", "workerHasChanged"],
    audit: { number: 8, target: ({ workerId }) => String(workerId) },
    apply: (batch, { workerId, bootId }) => workerLost(batch, workerId, bootId, false),
  }),
  /** An operator's word that the host is off. A lie may run a VM twice. */
  confirmWorkerDead: command({
    askedBy: "client",
    number: [9, 13],
    fields: { workerId: nodeIdSchema },
    refusals: ["workerNotFound"],
    audit: { number: 20, target: ({ workerId }) => String(workerId) },
    apply: (batch, { workerId }) => workerLost(batch, workerId, null, true),
  }),
  /**
   * The worker will never come back. Nothing of the cluster runs there: its VMs were seen gone, or its lease expired,
   * or an operator confirmed its death; and a worker that is not online gets nothing new meanwhile. Should it come
   * back all the same, it is told to end whatever it has.
   */
  removeWorker: command({
    askedBy: "client",
    number: [9, 23],
    since: 2,
    fields: { workerId: nodeIdSchema },
    refusals: ["workerNotFound", "workerIsMember", "workerInUse", "workerIsOnline"],
    audit: { number: 30, target: ({ workerId }) => String(workerId) },
    apply(batch, { workerId }) {
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
    },
  }),
  setAvailability: command({
    askedBy: "client",
    number: [9, 12],
    fields: { workerId: nodeIdSchema, availability: choice(AVAILABILITIES) },
    refusals: ["workerNotFound"],
    audit: {
      number: 19,
      target: ({ workerId }) => String(workerId),
      change: ({ availability }) => AVAILABILITY_CHANGES[availability],
    },
    apply(batch, { workerId, availability }) {
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
    },
  }),
};
