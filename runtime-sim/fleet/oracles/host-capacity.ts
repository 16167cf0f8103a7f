/**
 * No host is given more than it may promise: capacity less the reserve, times the overcommit. Checked of what executes
 * there as soon as something more does, and of all that the replicated state has placed there, counted anew from the
 * VMs and tasks and not from the derived indexes of the state.
 *
 * Not checked: what jobs take on the host itself, and disks of machines that do not execute.
 */
import { type ClusterState, heldBy, type Resources, tableValues, workerOf } from "../../../core/index.ts";
import type { FleetContext, FleetOracle, WorkerView } from "./oracle.ts";

const RESOURCES = ["vcpus", "memoryMiB", "diskGiB"] as const;
const NOTHING: Resources = { vcpus: 0, memoryMiB: 0, diskGiB: 0 };

export function hostCapacity({ state, violate, violateLease }: FleetContext): FleetOracle {
  const executing = new Map<WorkerView, Resources>();
  return {
    name: "host-capacity",
    summary: "no host executes or is promised more than it may be",
    checks: 0,
    began(worker, { spec }) {
      const now = state();
      if (spec === null) return;
      const sum = added(executing.get(worker) ?? NOTHING, spec, 1);
      executing.set(worker, sum);
      const most = now === null ? null : mostOf(now, worker.id);
      if (most === null) return;
      this.checks += 1;
      if (sum.vcpus > most.vcpus || sum.memoryMiB > most.memoryMiB)
        violateLease(() => `worker ${worker.id} executes ${described(sum)}, and may at most ${described(most)}`);
    },
    ended(worker, { spec }) {
      if (spec !== null) executing.set(worker, added(executing.get(worker) ?? NOTHING, spec, -1));
    },
    audit(now) {
      const placed = new Map<number, Resources>();
      const place = (workerId: number | null, resources: Resources): void => {
        if (workerId !== null) placed.set(workerId, added(placed.get(workerId) ?? NOTHING, resources, 1));
      };
      for (const vm of tableValues(now.vms)) place(vm.workerId, heldBy(vm));
      for (const task of tableValues(now.tasks)) place(task.workerId, task.resources);
      for (const [workerId, sum] of placed) {
        const most = mostOf(now, workerId);
        this.checks += 1;
        if (most === null) violate(() => `${described(sum)} are placed on worker ${workerId}, which there is not`);
        else if (RESOURCES.some((resource) => sum[resource] > most[resource]))
          violate(() => `worker ${workerId} is promised ${described(sum)}, and may be at most ${described(most)}`);
      }
    },
  };
}

/**
 * What a worker may be promised: its capacity less the reserve, times the overcommit. Written down again on purpose:
 * the oracle must not share the core's sum.
 */
function mostOf(state: ClusterState, workerId: number): Resources | null {
  const worker = workerOf(state, workerId);
  if (worker === null) return null;
  const { cpu, memory, disk, reservePercent } = state.scheduler.overcommit;
  const most = (capacity: number, ratio: number): number =>
    Math.floor((capacity * ratio * (100 - reservePercent)) / 100);
  const { vcpus, memoryMiB, diskGiB } = worker.capacity;
  return { vcpus: most(vcpus, cpu), memoryMiB: most(memoryMiB, memory), diskGiB: most(diskGiB, disk) };
}

function added(a: Resources, b: Resources, sign: 1 | -1): Resources {
  return {
    vcpus: a.vcpus + sign * b.vcpus,
    memoryMiB: a.memoryMiB + sign * b.memoryMiB,
    diskGiB: a.diskGiB + sign * b.diskGiB,
  };
}

function described({ vcpus, memoryMiB, diskGiB }: Resources): string {
  return `${vcpus} vcpus, ${memoryMiB} MiB and ${diskGiB} GiB of disk`;
}
