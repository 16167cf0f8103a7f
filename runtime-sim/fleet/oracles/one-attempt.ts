/**
 * Of a task at most one attempt runs at a time, on all hosts together, and no attempt is begun twice.
 *
 * Not checked: that a task is run at all, and what comes of it.
 */
import { type Moment, momentText } from "../../world/index.ts";
import type { FleetContext, FleetOracle } from "./oracle.ts";

interface Attempt {
  readonly attempt: number;
  readonly workerId: number;
  readonly since: Moment;
}

const describe = ({ attempt, workerId, since }: Attempt): string =>
  `attempt ${attempt} on worker ${workerId} since ${momentText(since)}`;

export function oneAttempt({ violateLease, now }: FleetContext): FleetOracle {
  const running = new Map<string, Attempt[]>();
  /** The highest attempt of each task that has been begun. */
  const begun = new Map<string, Attempt>();
  return {
    name: "one-attempt",
    summary: "no two attempts of a task run at once, and none twice",
    checks: 0,
    jobBegan(worker, { id, attempt }) {
      const attempts = running.get(id) ?? [];
      running.set(id, attempts);
      const begins = { attempt, workerId: worker.id, since: now() };
      attempts.push(begins);
      this.checks += 1;
      if (attempts.length > 1)
        violateLease(() => `task ${id} runs twice at once: ${attempts.map(describe).join(", and ")}`);
      const before = begun.get(id);
      if (before !== undefined && attempt <= before.attempt)
        violateLease(() => `task ${id}: ${describe(begins)} begins after ${describe(before)} had`);
      else begun.set(id, begins);
    },
    jobEnded(worker, { id, attempt }) {
      const attempts = running.get(id);
      const at = attempts?.findIndex((one) => one.attempt === attempt && one.workerId === worker.id) ?? -1;
      if (at !== -1) attempts?.splice(at, 1);
      if (attempts?.length === 0) running.delete(id);
    },
  };
}
