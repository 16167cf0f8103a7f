/** A task's state in words. */
import type { AnswerOf } from "../../../runtime-real/index.ts";
import { size } from "../../output/index.ts";

export type Task = AnswerOf<"task.show">["task"];

export function isOver({ state }: Task): boolean {
  return state !== "Pending" && state !== "Running";
}

export function stateWords(task: Task): string {
  const { id, state, attempt, attemptsMax, workerId } = task;
  const where = workerId === null ? "" : ` on worker ${workerId}`;
  const again = attempt > 0 && attemptsMax > 1 ? `, attempt ${attempt} of ${attemptsMax}` : "";
  const why = whyWords(task);
  return `task ${id} is ${state}${where}${again}${why === "" ? "" : `: ${why}`}`;
}

/** Why the task is in its state. A pending task waits for a worker: what that worker must have. */
export function whyWords({ state, reason, resources, features }: Task): string {
  if (state !== "Pending") return reason;
  const offers = features.length === 0 ? "" : ` that offers ${features.join(", ")}`;
  const waits = `waits for a worker${offers} with ${size(resources)} free`;
  return reason === "" ? waits : `${reason}; ${waits}`;
}
