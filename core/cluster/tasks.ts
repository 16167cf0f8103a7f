/** Tasks: commands that run to completion on a worker that has the room. At most one attempt runs at a time, each at most once. */
import { judge, type PlacementRequest, type Resources } from "../scheduler/index.ts";
import type { Batch } from "./batch.ts";
import type { Command } from "./command.ts";
import { LIMITS } from "./limits.ts";
import { placementContext } from "./placement.ts";
import type { CommandResult } from "./result.ts";
import { workerView } from "./workers.ts";

export const TASK_STATES = ["Pending", "Running", "Succeeded", "Failed", "TimedOut", "Cancelled"] as const;
export type TaskState = (typeof TASK_STATES)[number];

export interface TaskSpec {
  /** An absolute path or a name; never a shell line. */
  readonly command: string;
  readonly args: readonly string[];
  readonly resources: Resources;
  readonly features: readonly string[];
  readonly tenant: string;
  readonly timeoutMs: number;
  /** 1 to 100. */
  readonly attemptsMax: number;
}

/** Immutable. */
export interface TaskRecord extends TaskSpec {
  readonly id: string;
  readonly state: TaskState;
  /** Attempts so far. */
  readonly attempt: number;
  readonly workerId: number | null;
  /** Somebody wants it to end. */
  readonly isCancelled: boolean;
  /** Of the last attempt that ended by itself. */
  readonly exitCode: number | null;
  readonly output: string;
  readonly reason: string;
  readonly createdIndex: number;
  readonly updatedIndex: number;
  readonly updatedAtMs: number;
}

export function isOver({ state }: TaskRecord): boolean {
  return state !== "Pending" && state !== "Running";
}

/** As placement sees it: without rules of its own, and of the lowest priority that VMs have by default. */
export function taskRequest(task: TaskRecord): PlacementRequest {
  const { id, tenant, resources, features } = task;
  return {
    name: id,
    tenant,
    resources,
    features,
    antiAffinity: [],
    locality: null,
    priority: 0,
    pinnedTo: null,
    avoid: null,
    nominatedTo: null,
  };
}

export function submitTask(
  batch: Batch,
  { id, spec }: Extract<Command, { readonly kind: "submitTask" }>,
): CommandResult {
  if (batch.task(id) !== null) return refused({ kind: "taskExists" });
  if (batch.taskCount >= LIMITS.tasks) return refused({ kind: "limitReached", limit: "tasks", maximum: LIMITS.tasks });
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
}

/** A task that runs ends when its worker says so. One that is over is forgotten. */
export function cancelTask(batch: Batch, id: string): CommandResult {
  const task = batch.task(id);
  if (task === null) return refused({ kind: "taskNotFound" });
  if (isOver(task)) batch.removeTask(id);
  else if (task.state === "Pending") put(batch, { ...task, state: "Cancelled", isCancelled: true });
  else put(batch, { ...task, isCancelled: true, reason: "asked to end" });
  return Object.freeze({ ok: true, kind: "taskCancelled" });
}

export function placeTask(batch: Batch, command: Extract<Command, { readonly kind: "placeTask" }>): CommandResult {
  const task = batch.task(command.id);
  if (task === null) return refused({ kind: "taskNotFound" });
  if (task.state !== "Pending" || task.attempt !== command.attempt) return refused({ kind: "taskHasChanged" });
  const worker = batch.workers.get(command.workerId);
  if (worker === null) return refused({ kind: "workerNotFound", workerId: command.workerId });
  const { refusal } = judge(placementContext(batch), workerView(worker), taskRequest(task));
  if (refusal !== null) return refused({ kind: "doesNotFit", workerId: worker.id, why: refusal.kind });
  put(batch, { ...task, state: "Running", attempt: task.attempt + 1, workerId: worker.id, reason: "" });
  return Object.freeze({ ok: true, kind: "taskChanged" });
}

/** What the worker has seen of one attempt. */
export interface JobObservation {
  readonly id: string;
  readonly attempt: number;
  /** absent: the worker knows of no such attempt, though it has been told to run it. */
  readonly phase: "exited" | "failed" | "absent";
  readonly exitCode: number;
  readonly output: string;
}

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

/** What a host says of a job that it has ended for taking too long. */
export const TIMED_OUT = "timed out";

export function put(batch: Batch, task: TaskRecord): void {
  const { id, state, attempt, workerId, reason } = task;
  batch.putTask(Object.freeze({ ...task, updatedIndex: batch.appliedIndex, updatedAtMs: batch.timeMs }));
  batch.happened({ kind: "taskState", id, state, attempt, workerId, reason });
}

function refused(refusal: Extract<CommandResult, { readonly ok: false }>["refusal"]): CommandResult {
  return Object.freeze({ ok: false, refusal: Object.freeze(refusal) });
}
