/**
 * A place is given up, by a VM that moves or is deleted, only when its machine is seen gone. While the cluster relies
 * on a worker, a VM leaves it when nothing of its run is on that host any more, disk included; and nothing of a run
 * that has been given up is built or started later, by an agent that has not heard of it.
 *
 * Not checked: workers that are lost, on which nobody can look: what still executes there is for `one-place` to see.
 */
import { workerOf } from "../../../core/index.ts";
import type { FleetContext, FleetOracle } from "./oracle.ts";

export function seenGone({ placements, findWorker, violate, violateLease }: FleetContext): FleetOracle {
  /** The last run that each VM has given up. */
  const givenUp = new Map<string, number>();
  return {
    name: "seen-gone",
    summary: "a VM leaves a worker when its machine has gone, and that run never comes back",
    checks: 0,
    happened(event, state) {
      if (event.kind !== "vmState" && event.kind !== "vmDeleted") return;
      const { name } = event;
      const before = placements.of(name);
      if (before === null || before.workerId === null) return;
      const { workerId, epoch } = before;
      if (event.kind === "vmState" && event.workerId === workerId) return;
      givenUp.set(name, epoch);
      if (workerOf(state, workerId)?.isOnline !== true) return;
      this.checks += 1;
      for (const machine of findWorker(workerId)?.hypervisor.machines() ?? []) {
        if (machine.name === name && machine.epoch === epoch)
          violate(
            () =>
              `VM ${name} gave up worker ${workerId} by entry ${event.index}, where its machine is ${machine.phase}`,
          );
      }
    },
    acted(worker, action) {
      if (action.kind !== "build" && action.kind !== "start") return;
      const { kind, name, epoch } = action;
      const last = givenUp.get(name);
      if (last === undefined) return;
      this.checks += 1;
      if (epoch <= last)
        violateLease(() => `worker ${worker.id} is told to ${kind} ${name}/${epoch}, a run that has been given up`);
    },
  };
}
