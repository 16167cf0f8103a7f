/**
 * What a worker may be promised, and what it is: written down again on purpose, and counted from the VMs and tasks
 * themselves. An oracle must not share the sums of the core.
 */
import {
  type ClusterState,
  heldBy,
  NO_RESOURCES,
  type Resources,
  resourcesOf,
  taskOf,
  vmOf,
  workerOf,
} from "../../../core/index.ts";

export const RESOURCE_NAMES = ["vcpus", "memoryMiB", "diskGiB"] as const;

/** Its capacity less the reserve, times the overcommit; null: there is no such worker. */
export function promisableOn(state: ClusterState, workerId: number): Resources | null {
  const worker = workerOf(state, workerId);
  if (worker === null) return null;
  const { cpu, memory, disk, reservePercent } = state.scheduler.overcommit;
  const most = (capacity: number, ratio: number): number =>
    Math.floor((capacity * ratio * (100 - reservePercent)) / 100);
  const { vcpus, memoryMiB, diskGiB } = worker.capacity;
  return { vcpus: most(vcpus, cpu), memoryMiB: most(memoryMiB, memory), diskGiB: most(diskGiB, disk) };
}

/** Of the VMs and tasks that are placed there, and of those VMs for which room is kept, but for one of them. */
export function takenOn(state: ClusterState, workerId: number, but: string): Resources {
  const worker = workerOf(state, workerId);
  let sum = NO_RESOURCES;
  for (const name of worker?.vms ?? []) {
    const vm = vmOf(state, name);
    if (vm !== null && name !== but) sum = added(sum, heldBy(vm), 1);
  }
  for (const id of worker?.tasks ?? []) sum = added(sum, taskOf(state, id)?.resources ?? NO_RESOURCES, 1);
  for (const name of worker?.nominees ?? []) {
    const vm = vmOf(state, name);
    if (vm !== null && name !== but) sum = added(sum, resourcesOf(vm.spec), 1);
  }
  return sum;
}

export function added(a: Resources, b: Resources, sign: 1 | -1): Resources {
  return {
    vcpus: a.vcpus + sign * b.vcpus,
    memoryMiB: a.memoryMiB + sign * b.memoryMiB,
    diskGiB: a.diskGiB + sign * b.diskGiB,
  };
}

export function described({ vcpus, memoryMiB, diskGiB }: Resources): string {
  return `${vcpus} vcpus, ${memoryMiB} MiB and ${diskGiB} GiB of disk`;
}
