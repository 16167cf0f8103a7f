/** What a worker is told to do, and the details of how. */

import { type Assignment, type Details, HOST_LIMITS, type Report } from "../agent/index.ts";
import { type ClusterState, poolOf, taskOf, vmOf } from "../cluster/index.ts";
import { assert, type Interface, intentOf, interfaceOf, type VmRecord, type WorkerRecord } from "../domain/index.ts";
import { attemptNumber, isBegun } from "./observations.ts";

export function assignmentOf(state: ClusterState, worker: WorkerRecord): Assignment {
  const vms = worker.vms.flatMap((name) => {
    const vm = vmOf(state, name);
    if (vm === null) return [];
    const { epoch, createdIndex, generation } = vm;
    return [{ name, epoch, intent: intentOf(vm), isBegun: isBegun(vm), createdIndex, generation }];
  });
  const tasks = worker.tasks.flatMap((id) => {
    const task = taskOf(state, id);
    return task === null
      ? []
      : [
          {
            id,
            attempt: attemptNumber(task),
            isBegun: task.updatedIndex < worker.registeredIndex,
            isCancelled: task.isCancelled,
          },
        ];
  });
  return {
    index: worker.assignedIndex,
    // If they are too many for one directive: the oldest, so that no VM is ended because another was placed.
    vms:
      vms.length <= HOST_LIMITS.machines ? vms : vms.sort((a, b) => a.epoch - b.epoch).slice(0, HOST_LIMITS.machines),
    tasks:
      tasks.length <= HOST_LIMITS.jobs ? tasks : tasks.sort((a, b) => a.attempt - b.attempt).slice(0, HOST_LIMITS.jobs),
  };
}

/**
 * The details that the agent asks for, and those that have changed since it last acted. Only of its own VMs and tasks,
 * and as many as fit.
 */
export function detailsFor(
  state: ClusterState,
  { id: workerId, assignedIndex, vms, tasks }: WorkerRecord,
  report: Report,
): Details {
  const { lacks } = report;
  const isUpToDate = report.assignedIndex === assignedIndex;
  if (isUpToDate && lacks.vms.length === 0 && lacks.tasks.length === 0) return NO_DETAILS;
  const isNew = ({ updatedIndex }: { readonly updatedIndex: number }): boolean => updatedIndex > report.assignedIndex;
  const details = {
    vms: new Map<string, Details["vms"][number]>(),
    tasks: new Map<string, Details["tasks"][number]>(),
  };
  for (const name of isUpToDate ? lacks.vms : [...lacks.vms, ...vms]) {
    if (details.vms.size === HOST_LIMITS.vmDetails) break;
    const vm = vmOf(state, name);
    if (vm?.workerId !== workerId || intentOf(vm) !== "run" || !(isNew(vm) || lacks.vms.includes(name))) continue;
    const { createdIndex, generation, spec } = vm;
    details.vms.set(name, { name, createdIndex, generation, spec, interfaces: interfacesOf(state, vm) });
  }
  for (const id of isUpToDate ? lacks.tasks : [...lacks.tasks, ...tasks]) {
    if (details.tasks.size === HOST_LIMITS.taskDetails) break;
    const task = taskOf(state, id);
    if (task?.workerId !== workerId || task.isCancelled || !(isNew(task) || lacks.tasks.includes(id))) continue;
    const { command, args, timeoutMs } = task;
    details.tasks.set(id, { id, attempt: attemptNumber(task), command, args, timeoutMs });
  }
  return { vms: [...details.vms.values()], tasks: [...details.tasks.values()] };
}

function interfacesOf(state: ClusterState, { addresses }: VmRecord): readonly Interface[] {
  return addresses.map(({ pool: name, index }) => {
    const pool = poolOf(state, name);
    // A pool cannot be deleted while a VM has an address of it.
    assert(pool !== null, "a VM has an address of a pool that is there", name);
    return interfaceOf(pool, index);
  });
}

const NO_DETAILS: Details = { vms: [], tasks: [] };
