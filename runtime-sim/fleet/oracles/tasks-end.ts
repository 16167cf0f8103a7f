/**
 * In the end every task is over, or waits because no worker would take it, and no host has a job that nobody wants: of
 * a replaced attempt, or of a task that is no more. Tasks queue for room, so the bound counts from the last attempt
 * that began or ended.
 *
 * Not checked: what an attempt has led to. Nor a host that nobody tells anything, see `no-orphans`.
 */
import { type ClusterState, isOver, tableValues, taskExplainer, taskOf } from "../../../core/index.ts";
import { isToldNothing } from "./no-orphans.ts";
import type { FleetContext, FleetOracle } from "./oracle.ts";

export function tasksEnd({ workers }: FleetContext): FleetOracle {
  return {
    name: "tasks-end",
    summary: "in the end every task is over or has no place, and there is no job that nobody wants",
    checks: 0,
    missing(state) {
      const explain = taskExplainer(state);
      for (const { id, state: now, workerId, attempt } of tableValues(state.tasks)) {
        this.checks += 1;
        if (now === "Running") return `task ${id} still counts as running on worker ${workerId}, in attempt ${attempt}`;
        const where = now === "Pending" ? (explain(id)?.workerId ?? null) : null;
        if (where !== null) return `task ${id} waits, though worker ${where} would take it`;
      }
      for (const worker of workers) {
        if (isToldNothing(state, worker)) continue;
        for (const { id, attempt } of worker.hypervisor.jobs()) {
          const task = taskOf(state, id);
          if (task?.workerId !== worker.id || task.attempt !== attempt)
            return `worker ${worker.id} has attempt ${attempt} of task ${id}, which nobody wants there`;
        }
      }
      return null;
    },
    progress: attemptsOf,
  };
}

/** How many have begun and how many tasks are over: it only grows, but for tasks that are forgotten. */
export function attemptsOf({ tasks }: ClusterState): number {
  return tableValues(tasks).reduce((sum, task) => sum + task.attempt + (isOver(task) ? 1 : 0), 0);
}
