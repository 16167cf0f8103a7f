/**
 * No host is given more than it may promise: capacity less the reserve, times the overcommit. Checked of what executes
 * there as soon as something more does, and of all that the replicated state has placed there, counted anew from the
 * VMs and tasks and not from the derived indexes of the state. What had been promised rightly before the overcommit
 * was lowered stays promised; nothing is added to it, and what leaves does not count again.
 *
 * Not checked: what jobs take on the host itself, and disks of machines that do not execute.
 */
import { type ClusterState, heldBy, NO_RESOURCES, type Resources, tableValues } from "../../../core/index.ts";
import type { FleetContext, FleetOracle, WorkerView } from "./oracle.ts";
import { added, described, promisableOn, RESOURCE_NAMES } from "./promisable.ts";

export function hostCapacity({ state, violate, violateLease }: FleetContext): FleetOracle {
  const executing = new Map<WorkerView, Resources>();
  /** By worker, what it had been promised rightly when the overcommit was last changed, less what has left since. */
  const keeps = new Map<number, Resources>();
  /** The most that a worker may be promised at present; null: there is no such worker. */
  const allowedOn = (now: ClusterState, workerId: number): Resources | null => {
    const most = promisableOn(now, workerId);
    return most === null ? null : combined(most, keeps.get(workerId) ?? NO_RESOURCES, Math.max);
  };
  return {
    name: "host-capacity",
    summary: "no host executes or is promised more than it may be",
    checks: 0,
    began(worker, { spec }) {
      const now = state();
      if (spec === null) return;
      const sum = added(executing.get(worker) ?? NO_RESOURCES, spec, 1);
      executing.set(worker, sum);
      const most = now === null ? null : allowedOn(now, worker.id);
      if (most === null) return;
      this.checks += 1;
      if (sum.vcpus > most.vcpus || sum.memoryMiB > most.memoryMiB)
        violateLease(() => `worker ${worker.id} executes ${described(sum)}, and may at most ${described(most)}`);
    },
    ended(worker, { spec }) {
      if (spec !== null) executing.set(worker, added(executing.get(worker) ?? NO_RESOURCES, spec, -1));
    },
    happened(event, now, { before }) {
      if (event.kind !== "schedulerConfigured" || isSameOvercommit(before, now)) return;
      const kept = [...promisedIn(before)].map(([workerId, sum]): [number, Resources] => [
        workerId,
        combined(sum, allowedOn(before, workerId) ?? NO_RESOURCES, Math.min),
      ]);
      keeps.clear();
      for (const [workerId, sum] of kept) keeps.set(workerId, sum);
    },
    audit(now) {
      const promised = promisedIn(now);
      for (const [workerId, kept] of keeps)
        keeps.set(workerId, combined(kept, promised.get(workerId) ?? NO_RESOURCES, Math.min));
      for (const [workerId, sum] of promised) {
        const most = allowedOn(now, workerId);
        this.checks += 1;
        if (most === null) violate(() => `${described(sum)} are placed on worker ${workerId}, which there is not`);
        else if (RESOURCE_NAMES.some((resource) => sum[resource] > most[resource]))
          violate(() => `worker ${workerId} is promised ${described(sum)}, and may be at most ${described(most)}`);
      }
    },
  };
}

/** By worker, what all VMs and tasks that are placed there hold. */
function promisedIn(state: ClusterState): ReadonlyMap<number, Resources> {
  const promised = new Map<number, Resources>();
  const place = (workerId: number | null, resources: Resources): void => {
    if (workerId !== null) promised.set(workerId, added(promised.get(workerId) ?? NO_RESOURCES, resources, 1));
  };
  for (const vm of tableValues(state.vms)) place(vm.workerId, heldBy(vm));
  for (const task of tableValues(state.tasks)) place(task.workerId, task.resources);
  return promised;
}

function isSameOvercommit({ scheduler: { overcommit: a } }: ClusterState, { scheduler }: ClusterState): boolean {
  const b = scheduler.overcommit;
  return a.cpu === b.cpu && a.memory === b.memory && a.disk === b.disk && a.reservePercent === b.reservePercent;
}

function combined(a: Resources, b: Resources, choose: (a: number, b: number) => number): Resources {
  return {
    vcpus: choose(a.vcpus, b.vcpus),
    memoryMiB: choose(a.memoryMiB, b.memoryMiB),
    diskGiB: choose(a.diskGiB, b.diskGiB),
  };
}
