/**
 * Tasks: commands that run to completion on a worker that has room for them. At most one attempt runs at a time, and
 * each attempt runs at most once.
 */
import {
  countSchema,
  isOver,
  type JobObservation,
  nameSchema,
  nodeIdSchema,
  refused,
  type TaskRecord,
  type TaskState,
  TIMED_OUT,
  taskSpecSchema,
} from "../domain/index.ts";
import { judge } from "../scheduler/index.ts";
import type { Batch } from "./batch.ts";
import { command } from "./command-definition.ts";
import { placementContext, taskRequest, workerView } from "./placement.ts";

export function observeJob(batch: Batch, workerId: number, seen: JobObservation): void {
  const task = batch.task(seen.id);
  if (task === null || task.workerId !== workerId || task.attempt !== seen.attempt || task.state !== "Running") return;
  if (seen.phase === "exited" && seen.exitCode === 0) {
    put(batch, { ...task, state: "Succeeded", workerId: null, exitCode: 0, output: seen.output, reason: "" });
    return;
  }
  const exitCode = seen.phase === "exited" ? seen.exitCode : null;
  const reason =
    seen.phase === "exited"
      ? `exit code ${seen.exitCode}`
      : seen.phase === "absent"
        ? "vanished with its host"
        : seen.output;
  attemptEnded(batch, { ...task, exitCode, output: seen.output }, reason);
}

/** With its worker. */
export function lostTask(batch: Batch, id: string): void {
  const task = batch.task(id);
  if (task !== null && task.state === "Running") attemptEnded(batch, task, `worker ${task.workerId} was lost`);
}

function attemptEnded(batch: Batch, task: TaskRecord, reason: string): void {
  const over: TaskState = task.isCancelled ? "Cancelled" : reason === TIMED_OUT ? "TimedOut" : "Failed";
  const state = task.isCancelled || task.attempt >= task.attemptsMax ? over : "Pending";
  put(batch, { ...task, state, workerId: null, reason });
}

function put(batch: Batch, task: TaskRecord): void {
  const { id, state, attempt, workerId, reason } = task;
  batch.putTask(Object.freeze({ ...task, updatedIndex: batch.appliedIndex, updatedAtMs: batch.timeMs }));
  batch.happened({ kind: "taskState", id, state, attempt, workerId, reason });
}

export const taskCommands = {
  placeTask: command({
    askedBy: "leader",
    number: [9, 8],
    fields: { id: nameSchema, attempt: countSchema, workerId: nodeIdSchema },
    refusals: ["taskNotFound", "taskHasChanged", "workerNotFound", "doesNotFit"],
    audit: { number: 15, target: ({ id }) => id },
    apply(batch, { id, attempt, workerId }) {
      const task = batch.task(id);
      if (task === null) return refused({ kind: "taskNotFound" });
      if (task.state !== "Pending" || task.attempt !== attempt) return refused({ kind: "taskHasChanged" });
      const worker = batch.workers.get(workerId);
      if (worker === null) return refused({ kind: "workerNotFound", workerId });
      const { refusal } = judge(placementContext(batch), workerView(worker), taskRequest(task));
      if (refusal !== null) return refused({ kind: "doesNotFit", workerId: worker.id, why: refusal.kind });
      put(batch, { ...task, state: "Running", attempt: task.attempt + 1, workerId: worker.id, reason: "" });
      return Object.freeze({ ok: true, kind: "taskChanged" });
    },
  }),
  submitTask: command({
    askedBy: "client",
    number: [9, 18],
    fields: { id: nameSchema, spec: taskSpecSchema },
    refusals: ["taskExists", "limitReached"],
    audit: { number: 25, target: ({ id }) => id },
    tenant: (_batch, { spec }) => spec.tenant,
    apply(batch, { id, spec }) {
      if (batch.task(id) !== null) return refused({ kind: "taskExists" });
      if (batch.taskCount >= batch.limits.tasks)
        return refused({ kind: "limitReached", limit: "tasks", maximum: batch.limits.tasks });
      put(batch, {
        id,
        ...spec,
        state: "Pending",
        attempt: 0,
        workerId: null,
        isCancelled: false,
        exitCode: null,
        output: "",
        reason: "",
        createdIndex: batch.appliedIndex,
        updatedIndex: 0,
        updatedAtMs: 0,
      });
      return Object.freeze({ ok: true, kind: "taskSubmitted" });
    },
  }),
  /** A task that runs ends when its worker says so. One that is over is forgotten. */
  cancelTask: command({
    askedBy: "client",
    number: [9, 19],
    fields: { id: nameSchema },
    refusals: ["taskNotFound"],
    audit: { number: 26, target: ({ id }) => id },
    tenant: (batch, { id }) => batch.task(id)?.tenant ?? null,
    apply(batch, { id }) {
      const task = batch.task(id);
      if (task === null) return refused({ kind: "taskNotFound" });
      if (isOver(task)) batch.removeTask(id);
      else if (task.state === "Pending") put(batch, { ...task, state: "Cancelled", isCancelled: true });
      else put(batch, { ...task, isCancelled: true, reason: "asked to end" });
      return Object.freeze({ ok: true, kind: "taskCancelled" });
    },
  }),
};
