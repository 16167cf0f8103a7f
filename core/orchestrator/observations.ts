/** What an inventory says that the replicated state does not know yet. */
import {
  type ClusterState,
  intentOf,
  type JobObservation,
  type MachineObservation,
  taskOf,
  type VmRecord,
  vmOf,
  type WorkerRecord,
} from "../cluster/index.ts";
import type { Inventory, Job, ReportedMachine } from "../worker/index.ts";

export interface News {
  readonly machines: readonly MachineObservation[];
  readonly jobs: readonly JobObservation[];
}

/**
 * @param assignedIndex of the assignment that the agent acted by when it told this: what it has not been told to do, it has not refused to do.
 */
export function newsIn(
  inventory: Inventory,
  assignedIndex: number,
  state: ClusterState,
  worker: WorkerRecord,
): News | null {
  const machines: MachineObservation[] = [];
  const jobs: JobObservation[] = [];
  const byName = new Map(inventory.machines.map((machine) => [machine.name, machine]));
  // An agent that acts by an earlier assignment may be about to begin what it does not show.
  const isUpToDate = assignedIndex >= worker.assignedIndex;
  for (const name of worker.vms) {
    const vm = vmOf(state, name);
    const seen = vm === null ? null : seenOf(vm, byName.get(name) ?? null, isUpToDate);
    if (seen !== null) machines.push(seen);
  }
  if (worker.tasks.length > 0) {
    const byId = new Map(inventory.jobs.map((job) => [job.id, job]));
    for (const id of worker.tasks) {
      const task = taskOf(state, id);
      const seen = task === null ? null : jobSeen(id, task.attempt, byId.get(id) ?? null, isUpToDate);
      if (seen !== null) jobs.push(seen);
    }
  }
  return machines.length === 0 && jobs.length === 0 ? null : { machines, jobs };
}

function seenOf(vm: VmRecord, machine: ReportedMachine | null, isUpToDate: boolean): MachineObservation | null {
  const { name, epoch, state } = vm;
  const intent = intentOf(vm);
  const seen = (phase: MachineObservation["phase"], reason = ""): MachineObservation => ({
    name,
    epoch,
    phase,
    reason,
  });
  if (machine === null) {
    if (intent === "run") return state === "Running" ? seen("absent") : null;
    if (!isUpToDate) return null;
    return intent === "gone" || state !== "Stopped" ? seen("absent") : null;
  }
  if (machine.epoch !== epoch) {
    // An earlier run that is over, where no other is to follow: there is nothing left to stop.
    const isOver = machine.epoch < epoch && (machine.phase === "stopped" || machine.phase === "failed");
    return intent === "stop" && isOver && isUpToDate && state !== "Stopped" ? seen("absent") : null;
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
          return state === "Scheduled" ? seen("building") : null;
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

function jobSeen(id: string, attempt: number, job: Job | null, isUpToDate: boolean): JobObservation | null {
  if (job === null || job.attempt !== attempt) {
    if (job !== null || !isUpToDate) return null;
    return { id, attempt, phase: "absent", exitCode: 0, output: "" };
  }
  if (job.phase === "running") return null;
  return { id, attempt, phase: job.phase, exitCode: job.exitCode, output: job.output };
}
