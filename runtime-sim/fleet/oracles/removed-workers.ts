/**
 * A worker that was removed is gone for ever. Nothing is placed on it when it goes, and no machine of the cluster
 * executes there; after that it is never registered, never given anything, and its host is never told to begin
 * anything.
 *
 * Not checked: how soon its host ends a machine that nobody asked for. That there is none in the end is for
 * `no-orphans` to see.
 */
import { tableValues } from "../../../core/index.ts";
import { type Moment, momentText } from "../../world/index.ts";
import type { FleetContext, FleetOracle } from "./oracle.ts";

export function removedWorkers({ findWorker, now, violate, violateLease }: FleetContext): FleetOracle {
  const removed = new Map<number, Moment>();
  return {
    name: "removed-workers",
    summary: "a worker is removed when nothing of the cluster's is there, and never comes back",
    checks: 0,
    happened(event, state) {
      if (event.kind === "workerRemoved") {
        const { workerId, index } = event;
        removed.set(workerId, now());
        this.checks += 1;
        const left =
          tableValues(state.vms).find((vm) => vm.workerId === workerId || vm.targetId === workerId)?.name ??
          tableValues(state.tasks).find((task) => task.workerId === workerId)?.id;
        if (left !== undefined) violate(() => `worker ${workerId} is removed by entry ${index}, and ${left} is there`);
        const worker = findWorker(workerId);
        const machine = worker?.hypervisor.running().find(({ spec }) => spec !== null);
        if (worker?.hasMisreported === false && machine !== undefined)
          violateLease(
            () =>
              `worker ${workerId} is removed by entry ${index}, and ${machine.name}/${machine.epoch} executes there`,
          );
        return;
      }
      if (removed.size === 0 || !("workerId" in event) || event.workerId === null) return;
      this.checks += 1;
      const { kind, workerId, index } = event;
      const since = removed.get(workerId);
      if (since !== undefined)
        violate(() => `worker ${workerId} was removed at ${momentText(since)}, and has ${kind} by entry ${index}`);
    },
    acted(worker, { kind }) {
      const since = removed.get(worker.id);
      if (since === undefined || (kind !== "build" && kind !== "start" && kind !== "runJob")) return;
      this.checks += 1;
      violateLease(() => `worker ${worker.id} was removed at ${momentText(since)}, and is told to ${kind} something`);
    },
  };
}
