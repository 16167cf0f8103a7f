/** Tasks where no worker runs any: they wait, or have been cancelled. */
import type { TaskRecord } from "../../../core/index.ts";
import { type Rules, refused } from "./rules.ts";
import type { Tables } from "./tables.ts";

function put(tables: Tables, task: TaskRecord): void {
  const { index, timeMs } = tables;
  tables.tasks.set(task.id, index, { ...task, updatedIndex: index, updatedAtMs: timeMs });
  const { id, state, attempt, workerId, reason } = task;
  tables.happened({ kind: "taskState", id, state, attempt, workerId, reason });
}

export const taskRules = {
  submitTask(tables, { id, spec }) {
    if (tables.tasks.get(id) !== null) return refused({ kind: "taskExists" });
    if (tables.tasks.count >= tables.limits.tasks)
      return refused({ kind: "limitReached", limit: "tasks", maximum: tables.limits.tasks });
    put(tables, {
      id,
      ...spec,
      state: "Pending",
      attempt: 0,
      workerId: null,
      isCancelled: false,
      exitCode: null,
      output: "",
      reason: "",
      createdIndex: tables.index,
      updatedIndex: 0,
      updatedAtMs: 0,
    });
    return { ok: true, kind: "taskSubmitted" };
  },
  cancelTask(tables, { id }) {
    const task = tables.tasks.get(id);
    if (task === null) return refused({ kind: "taskNotFound" });
    if (task.state === "Pending") put(tables, { ...task, state: "Cancelled", isCancelled: true });
    else tables.tasks.set(id, tables.index, null);
    return { ok: true, kind: "taskCancelled" };
  },
} satisfies Rules;
