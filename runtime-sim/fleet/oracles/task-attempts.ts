/**
 * A task is begun no oftener than it may be, with numbers that count up by one; and never again once it is over, or
 * somebody has asked that it ends. Counted from what was asked for and from the events; the record of the task is not
 * believed.
 *
 * Not checked: that an attempt which fails is followed by another, and on which worker attempts are.
 */
import type { FleetContext, FleetOracle } from "./oracle.ts";

interface Task {
  readonly attemptsMax: number;
  attempts: number;
  /** The state it ended in, or that its end was asked for; null: neither. */
  over: string | null;
}

const OVER: readonly string[] = ["Succeeded", "Failed", "TimedOut", "Cancelled"];

export function taskAttempts({ violate }: FleetContext): FleetOracle {
  const tasks = new Map<string, Task>();
  return {
    name: "task-attempts",
    summary: "a task is begun no oftener than it may be, and not once it is over",
    checks: 0,
    happened(event, _, { command }) {
      if (event.kind !== "taskState") return;
      const { id, state, attempt, index } = event;
      if (command?.kind === "submitTask") {
        tasks.set(id, { attemptsMax: command.spec.attemptsMax, attempts: 0, over: null });
        return;
      }
      const task = tasks.get(id);
      if (task === undefined) return;
      if (command?.kind === "cancelTask") task.over = "Cancelled";
      else if (OVER.includes(state)) task.over = state;
      if (state !== "Running" || command?.kind === "cancelTask") return;
      task.attempts += 1;
      const { attempts, attemptsMax, over } = task;
      this.checks += 1;
      if (attempts > attemptsMax)
        violate(() => `task ${id} is begun by entry ${index} as attempt ${attempts} of ${attemptsMax}`);
      if (attempt !== attempts)
        violate(() => `task ${id} is begun by entry ${index} as attempt ${attempt}, and it is attempt ${attempts}`);
      if (over !== null) violate(() => `task ${id} is begun by entry ${index}, and is over: ${over}`);
    },
  };
}
