/**
 * Of a task at most one attempt runs at a time, on all hosts together, and no attempt is begun twice.
 *
 * Not checked: that a task is run at all, and what comes of it.
 */
import type { FleetContext, FleetOracle } from "./oracle.ts";

export function oneAttempt({ violateLease }: FleetContext): FleetOracle {
  const running = new Map<string, Set<string>>();
  /** The highest attempt of each task that has been begun. */
  const begun = new Map<string, number>();
  return {
    name: "one-attempt",
    summary: "no two attempts of a task run at once, and none twice",
    checks: 0,
    jobBegan(worker, { id, attempt }) {
      const attempts = running.get(id) ?? new Set();
      running.set(id, attempts);
      attempts.add(`attempt ${attempt} on worker ${worker.id}`);
      this.checks += 1;
      if (attempts.size > 1) violateLease(() => `task ${id} runs as ${[...attempts].join(" and ")}`);
      const before = begun.get(id) ?? 0;
      if (attempt <= before)
        violateLease(
          () => `attempt ${attempt} of task ${id} begins on worker ${worker.id} after attempt ${before} had`,
        );
      begun.set(id, Math.max(before, attempt));
    },
    jobEnded(worker, { id, attempt }) {
      const attempts = running.get(id);
      attempts?.delete(`attempt ${attempt} on worker ${worker.id}`);
      if (attempts?.size === 0) running.delete(id);
    },
  };
}
