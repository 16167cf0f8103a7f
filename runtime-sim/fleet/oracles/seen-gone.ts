/**
 * A place is given up, by a VM that moves or is deleted, only when its machine is seen gone. While the cluster relies
 * on a worker, a VM leaves it when nothing of its run is on that host any more, disk included; and nothing of a run
 * that has been given up is built or started later, by an agent that has not heard of it.
 *
 * Not checked: workers that are lost, on which nobody can look: what still executes there is for `one-place` to see.
 */
import { workerOf } from "../../../core/index.ts";
import { type Moment, momentText } from "../../world/index.ts";
import type { FleetContext, FleetOracle } from "./oracle.ts";

interface GivenUp {
  readonly epoch: number;
  /** The entry that gave it up. */
  readonly index: number;
  readonly at: Moment;
}

export function seenGone({ placements, findWorker, violate, violateLease, now }: FleetContext): FleetOracle {
  /** The last run that each VM has given up. */
  const givenUp = new Map<string, GivenUp>();
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
      givenUp.set(name, { epoch, index: event.index, at: now() });
      if (workerOf(state, workerId)?.isOnline !== true) return;
      this.checks += 1;
      for (const machine of findWorker(workerId)?.hypervisor.machines() ?? []) {
        if (machine.name === name && machine.epoch === epoch)
          violate(
            () =>
              `VM ${name} gave up worker ${workerId} by entry ${event.index}, applied at ${momentText(now())}, where ` +
              `its machine of run ${epoch} is ${machine.phase}`,
          );
      }
    },
    acted(worker, action) {
      if (action.kind !== "build" && action.kind !== "start") return;
      const { kind, name, epoch } = action;
      const last = givenUp.get(name);
      if (last === undefined) return;
      this.checks += 1;
      if (epoch <= last.epoch)
        violateLease(
          () =>
            `worker ${worker.id} is told to ${kind} run ${epoch} of VM ${name} at ${momentText(now())}; run ` +
            `${last.epoch} was given up by entry ${last.index}, applied at ${momentText(last.at)}`,
        );
    },
  };
}
