/**
 * In the end every VM is as it is desired, or has a stated reason. Desired running: it runs, in the present run and on
 * the host where it is placed; or no worker would take it, not even if others were preempted; or it has failed as
 * often as it may, and its record says why. Desired stopped: it is stopped. Desired deleted: it does not exist any
 * more. A VM waits for its lost worker where it is told to, and where it is to stop or to go: what it left there comes
 * back with the worker. That may last while the worker asks only servers that were removed and are turned off: it
 * cannot come back by itself, and no operator has confirmed that it is dead.
 *
 * Tasks queue for room, and VMs may wait for room that tasks hold: as in `tasks-end`, the bound counts from the last
 * attempt of a task that began or ended.
 *
 * Not checked: how long it took, beyond the bound of the scenario.
 */
import { type ClusterState, explainer, leavesOf, type VmRecord, vmOf, workerOf } from "../../../core/index.ts";
import { asksNoMember } from "./no-orphans.ts";
import type { FleetContext, FleetOracle } from "./oracle.ts";
import { RELOCATIONS_MAX } from "./recovery-counts.ts";
import { attemptsOf } from "./tasks-end.ts";

function isUnplaced({ state, desired }: VmRecord): boolean {
  return desired === "running" && (state === "Pending" || state === "Lost");
}

export function desiredRuns({ findWorker }: FleetContext): FleetOracle {
  /** Who was not there yet at the last look: looked at first at the next, for most of them wait for the same one. */
  let last = "";
  /** A state in which nothing was missing. */
  let satisfied: ClusterState | null = null;
  const waitsForStranded = (state: ClusterState, vm: VmRecord): boolean => {
    if (vm.state !== "Lost" || vm.workerId === null) return false;
    if (vm.desired === "running" && vm.spec.onWorkerLost === "restart") return false;
    const worker = findWorker(vm.workerId);
    return worker !== null && workerOf(state, vm.workerId)?.isOnline === false && asksNoMember(state, worker);
  };
  const missing = (state: ClusterState, vm: VmRecord, explain: ReturnType<typeof explainer>): string | null => {
    const { name, desired, eviction, workerId, targetId, epoch } = vm;
    const evicted = eviction === null ? "" : `, evicted: ${eviction}`;
    const is = `VM ${name} is ${vm.state} on worker ${workerId}, epoch ${epoch}, desired ${desired}${evicted}`;
    if (waitsForStranded(state, vm)) return null;
    if (desired === "deleted") return is;
    if (desired === "stopped") return vm.state === "Stopped" && eviction === null ? null : is;
    switch (vm.state) {
      case "Running": {
        if (eviction !== null || workerId === null) return is;
        const running = findWorker(workerId)?.hypervisor.running() ?? [];
        const runs = running.some((machine) => machine.name === name && machine.epoch === epoch);
        return runs ? null : `${is}, and does not run there`;
      }
      case "Pending":
      case "Lost": {
        if (workerId !== null || targetId !== null) return is;
        const plan = explain(name);
        const where = plan?.workerId ?? plan?.preemption?.workerId ?? null;
        return where === null ? null : `${is}, though worker ${where} would take it`;
      }
      case "Failed":
        // One that may run nowhere else is not moved.
        if (vm.spec.workerId === null && vm.relocations < RELOCATIONS_MAX) return is;
        if (vm.restarts < vm.spec.recovery.restartsMax) return is;
        return vm.reason === "" ? `${is}, and nobody says why` : null;
      default:
        return is;
    }
  };
  return {
    name: "desired-runs",
    summary: "in the end every VM is as desired, or has a reason",
    checks: 0,
    missing(state) {
      if (state === satisfied) return null;
      const explain = explainer(state);
      const first = vmOf(state, last);
      const stillMissing = first === null ? null : missing(state, first, explain);
      if (stillMissing !== null) return stillMissing;
      const unplaced: VmRecord[] = [];
      for (const { values } of leavesOf(state.vms)) {
        for (const vm of values) {
          this.checks += 1;
          if (isUnplaced(vm)) {
            unplaced.push(vm);
            continue;
          }
          const why = missing(state, vm, explain);
          if (why === null) continue;
          last = vm.name;
          return why;
        }
      }
      // To show that no worker would take one, every worker is asked: that comes last, when it is all that is left to
      // ask.
      for (const vm of unplaced) {
        const why = missing(state, vm, explain);
        if (why === null) continue;
        last = vm.name;
        return why;
      }
      satisfied = state;
      return null;
    },
    progress: attemptsOf,
  };
}
