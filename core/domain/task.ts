/** A task: a command that runs to completion on a worker that has the room. */
import type { Resources } from "./resources.ts";

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

/** What a host says of a job that it has ended for taking too long. */
export const TIMED_OUT = "timed out";
