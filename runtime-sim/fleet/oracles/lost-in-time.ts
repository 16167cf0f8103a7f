/**
 * A worker is declared lost when it is time, and not later: one of which no server has heard for twenty seconds, while
 * one leader led that could commit without a break, by the simulator's own records, is not relied on any more. What
 * else changes about a worker is no sign of life.
 *
 * Heard means: a report of it has come to some server, from itself or passed on, or was answered by a lease, or it has
 * been registered. "Can commit" is as in `placed-in-time`; with another leader the time begins anew.
 *
 * The bound: a lease and the grace of the host, 13 seconds, by the slowest clock that leases allow for, below 14; then
 * an entry of the log has to be applied, for which so much is left as for a leader that has just been elected.
 *
 * Not checked: that it is not declared lost too early, see `leases-waited-for`.
 */
import { workerOf } from "../../../core/index.ts";
import type { FleetContext, FleetOracle, WorkerView } from "./oracle.ts";

const LOST_WITHIN_MS = 20_000;
/** After such a gap nothing is known of what was between. */
const UNSEEN_MAX_MS = 1000;

export function lostInTime(context: FleetContext): FleetOracle {
  const { workers, findWorker, leadership, canCommit, state, nowMs, violateLease } = context;
  const heardMs = new Map<WorkerView, number>();
  let lookedMs = 0;
  /** Since when the present leader has been able to commit. */
  let sinceMs = 0;
  let ledBy = 0;
  return {
    name: "lost-in-time",
    summary: "a worker that nobody has heard for long is declared lost",
    checks: 0,
    reported(worker) {
      heardMs.set(worker, nowMs());
    },
    granted(worker) {
      heardMs.set(worker, nowMs());
    },
    happened(event) {
      if (event.kind !== "workerRegistered") return;
      const worker = findWorker(event.workerId);
      if (worker !== null) heardMs.set(worker, nowMs());
    },
    looked() {
      const by = leadership();
      if (by !== ledBy || !canCommit() || nowMs() - lookedMs > UNSEEN_MAX_MS) sinceMs = nowMs();
      ledBy = by;
      lookedMs = nowMs();
      const now = state();
      if (now === null || nowMs() - sinceMs < LOST_WITHIN_MS) return;
      for (const worker of workers) {
        const silentMs = nowMs() - Math.max(sinceMs, heardMs.get(worker) ?? 0);
        if (silentMs < LOST_WITHIN_MS) continue;
        this.checks += 1;
        if (workerOf(now, worker.id)?.isOnline === true)
          violateLease(
            () =>
              `worker ${worker.id} counts as online, and no server has heard of it for ${Math.round(silentMs)} ms, ` +
              "under a leader that could have declared it lost",
          );
      }
    },
  };
}
