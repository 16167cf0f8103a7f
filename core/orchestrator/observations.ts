/** What an inventory says that the replicated state does not know yet: the news in it. */

import type { Inventory, Job, ReportedMachine } from "../agent/index.ts";
import { type ClusterState, taskOf, vmOf } from "../cluster/index.ts";
import {
  CLUSTER_LIMITS,
  intentOf,
  type JobObservation,
  type MachineObservation,
  type TaskRecord,
  type VmRecord,
  type WorkerRecord,
} from "../domain/index.ts";

export interface News {
  readonly machines: readonly MachineObservation[];
  readonly jobs: readonly JobObservation[];
}

/** News in one entry. The rest follows with the next. A request may have 64 KiB. */
const NEWS_BYTES_MAX = 48 * 1024;

/** An inventory by name and id, as it is looked up whenever something of its worker changes. */
export interface Shown {
  readonly machines: ReadonlyMap<string, ReportedMachine>;
  readonly jobs: ReadonlyMap<string, Job>;
}

export function indexed({ machines, jobs }: Inventory): Shown {
  return {
    machines: new Map(machines.map((machine) => [machine.name, machine])),
    jobs: new Map(jobs.map((job) => [job.id, job])),
  };
}

/** What a worker's process has reported last. */
export interface Heard {
  readonly bootId: number;
  readonly inventoryVersion: number;
  readonly inventory: Shown;
  /** Index of the assignment that it acted by. That something newer is not there yet says nothing. */
  readonly assignedIndex: number;
}

export function newsIn(heard: Heard, state: ClusterState, worker: WorkerRecord): News | null {
  const machines: MachineObservation[] = [];
  const jobs: JobObservation[] = [];
  let left = NEWS_BYTES_MAX;
  for (const name of worker.vms) {
    const vm = vmOf(state, name);
    const seen = vm === null ? null : newsOfVm(heard, worker, vm);
    if (seen === null) continue;
    left -= MACHINE_BYTES + seen.name.length + BYTES_PER_UNIT * seen.reason.length;
    if (left < 0 || machines.length === CLUSTER_LIMITS.observations) return { machines, jobs };
    machines.push(seen);
  }
  for (const id of worker.tasks) {
    const task = taskOf(state, id);
    const seen = task === null ? null : newsOfTask(heard, worker, task);
    if (seen === null) continue;
    left -= MACHINE_BYTES + seen.id.length + BYTES_PER_UNIT * seen.output.length;
    if (left < 0 || jobs.length === CLUSTER_LIMITS.observations) return { machines, jobs };
    jobs.push(seen);
  }
  return machines.length === 0 && jobs.length === 0 ? null : { machines, jobs };
}

export function newsOfVm(heard: Heard, worker: WorkerRecord, vm: VmRecord): MachineObservation | null {
  return seenOf(vm, heard.inventory.machines.get(vm.name) ?? null, knows(heard, worker, vm));
}

export function newsOfTask(heard: Heard, worker: WorkerRecord, task: TaskRecord): JobObservation | null {
  return jobSeen(task, heard.inventory.jobs.get(task.id) ?? null, knows(heard, worker, task));
}

/** An agent that acts by an earlier assignment may be about to begin what it does not show yet. */
function knows(heard: Heard, worker: WorkerRecord, { updatedIndex }: { readonly updatedIndex: number }): boolean {
  return heard.assignedIndex >= Math.min(worker.assignedIndex, updatedIndex);
}

/** Of an observation, beside its texts. */
const MACHINE_BYTES = 32;
/** A UTF-16 code unit takes three bytes of UTF-8 at most. */
const BYTES_PER_UNIT = 3;

/** @param knows whether the agent has acted by an assignment that has this VM in it as it is now. */
function seenOf(vm: VmRecord, machine: ReportedMachine | null, knows: boolean): MachineObservation | null {
  const { name, epoch, state } = vm;
  const intent = intentOf(vm);
  const seen = (phase: MachineObservation["phase"], reason = ""): MachineObservation => ({
    name,
    epoch,
    phase,
    reason,
  });
  if (machine === null) {
    if (!knows) return null;
    switch (intent) {
      case "gone":
        return seen("absent");
      case "stop":
        return state === "Stopped" ? null : seen("absent");
      case "run":
        // A machine that was never seen may still be made. One that was seen has vanished, and is not made again.
        return isBegun(vm) && state !== "Failed" ? seen("absent") : null;
    }
  }
  if (machine.epoch !== epoch) {
    if (machine.epoch > epoch || !knows) return null;
    const isOver = machine.phase === "stopped" || machine.phase === "failed";
    // An earlier run that is over, and no other is to follow: there is nothing left to stop.
    if (intent === "stop") return isOver && state !== "Stopped" ? seen("absent") : null;
    // An earlier run is there in place of one that was seen, which is not made again.
    const isIdle = isOver || machine.phase === "built";
    return intent === "run" && isIdle && isBegun(vm) && state !== "Failed" ? seen("absent") : null;
  }
  const { phase, reason, isUnhealthy } = machine;
  switch (intent) {
    case "gone":
      return null;
    case "stop":
      return (phase === "stopped" || phase === "failed") && state !== "Stopped" ? seen(phase, reason) : null;
    case "run":
      switch (phase) {
        case "building":
          if (state === "Scheduled") return seen("building", reason);
          // How far it is, if the worker says so.
          return state === "Building" && reason !== "" && reason !== vm.reason ? seen("building", reason) : null;
        case "built":
        case "starting":
          return state === "Scheduled" || state === "Building" ? seen("starting") : null;
        case "running":
          if (isUnhealthy) return state === "Failed" ? null : seen("unhealthy", reason);
          return state === "Running" || state === "Failed" ? null : seen("running");
        case "stopping":
          return null;
        case "stopped":
          return state === "Stopped" || state === "Failed" ? null : seen("stopped", reason);
        case "failed":
          return state === "Failed" ? null : seen("failed", reason);
      }
  }
}

/** Whether a machine of the present run has been seen. */
export function isBegun({ state }: VmRecord): boolean {
  return state !== "Scheduled" && state !== "Pending";
}

/** More than any task has attempts. */
const ATTEMPTS_PER_TASK = 128;

/**
 * Names an attempt to the agent. A later task with the id of a forgotten one has other numbers: so the remains of the
 * first are not taken for its result, and it is not left undone as if it had been run already.
 */
export function attemptNumber({ createdIndex, attempt }: TaskRecord): number {
  return createdIndex * ATTEMPTS_PER_TASK + attempt;
}

function jobSeen(task: TaskRecord, job: Job | null, knows: boolean): JobObservation | null {
  const { id, attempt } = task;
  if (job === null) return knows ? { id, attempt, phase: "absent", exitCode: 0, output: "" } : null;
  if (job.attempt !== attemptNumber(task) || job.phase === "running") return null;
  return { id, attempt, phase: job.phase, exitCode: job.exitCode, output: job.output };
}
