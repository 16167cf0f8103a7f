/**
 * No host is given more than it may promise: capacity less the reserve, times the overcommit. Checked of what executes
 * there as soon as something more does, and of all that the replicated state has placed there, counted anew from the
 * VMs and tasks and not from the derived indexes of the state.
 *
 * Not checked: what jobs take on the host itself, and disks of machines that do not execute.
 */
import { heldBy, NO_RESOURCES, type Resources, tableValues } from "../../../core/index.ts";
import type { FleetContext, FleetOracle, WorkerView } from "./oracle.ts";
import { added, described, promisableOn, RESOURCE_NAMES } from "./promisable.ts";

export function hostCapacity({ state, violate, violateLease }: FleetContext): FleetOracle {
  const executing = new Map<WorkerView, Resources>();
  return {
    name: "host-capacity",
    summary: "no host executes or is promised more than it may be",
    checks: 0,
    began(worker, { spec }) {
      const now = state();
      if (spec === null) return;
      const sum = added(executing.get(worker) ?? NO_RESOURCES, spec, 1);
      executing.set(worker, sum);
      const most = now === null ? null : promisableOn(now, worker.id);
      if (most === null) return;
      this.checks += 1;
      if (sum.vcpus > most.vcpus || sum.memoryMiB > most.memoryMiB)
        violateLease(() => `worker ${worker.id} executes ${described(sum)}, and may at most ${described(most)}`);
    },
    ended(worker, { spec }) {
      if (spec !== null) executing.set(worker, added(executing.get(worker) ?? NO_RESOURCES, spec, -1));
    },
    audit(now) {
      const placed = new Map<number, Resources>();
      const place = (workerId: number | null, resources: Resources): void => {
        if (workerId !== null) placed.set(workerId, added(placed.get(workerId) ?? NO_RESOURCES, resources, 1));
      };
      for (const vm of tableValues(now.vms)) place(vm.workerId, heldBy(vm));
      for (const task of tableValues(now.tasks)) place(task.workerId, task.resources);
      for (const [workerId, sum] of placed) {
        const most = promisableOn(now, workerId);
        this.checks += 1;
        if (most === null) violate(() => `${described(sum)} are placed on worker ${workerId}, which there is not`);
        else if (RESOURCE_NAMES.some((resource) => sum[resource] > most[resource]))
          violate(() => `worker ${workerId} is promised ${described(sum)}, and may be at most ${described(most)}`);
      }
    },
  };
}
