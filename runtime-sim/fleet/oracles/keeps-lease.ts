/**
 * While faults last: whoever can be served is served. A worker that, without a break for twenty seconds, whatever else
 * is wrong, has been connected both ways to a server of one leader that can commit, by the simulator's own records,
 * holds a lease.
 *
 * Servable means: the host is up and its agent runs, not paused, with a clock within the bound, and knows the server;
 * the leader has a quorum of honest members that run with working disks, and is connected to each both ways; the
 * server is one of them; it has committed what it had when it began to lead; and links lose next to nothing and delay
 * little. Each time that another leader leads, and that the agent or the host starts anew, the twenty seconds begin
 * anew.
 *
 * The bound: an agent waits for a second for an answer before it asks the next of at most seven servers, and one that
 * has been declared lost has to register by an entry of the log, and to be given an assignment: below twelve seconds.
 *
 * Not checked: workers that the cluster does not know, or has no room for, or that have been removed.
 */
import { nodeOf, workerOf } from "../../../core/index.ts";
import type { FleetContext, FleetOracle, WorkerView } from "./oracle.ts";

const SERVED_WITHIN_MS = 20_000;
/** After such a gap nothing is known of what was between. */
const UNSEEN_MAX_MS = 1000;

interface Stretch {
  readonly sinceMs: number;
  readonly leadership: number;
  readonly process: number;
  readonly downs: number;
}

export function keepsLease({ workers, isServable, leadership, state, nowMs, violateLease }: FleetContext): FleetOracle {
  const stretches = new Map<WorkerView, Stretch>();
  let lookedMs = 0;
  return {
    name: "keeps-lease",
    summary: "a worker that can be served holds a lease, whatever else is wrong",
    checks: 0,
    looked() {
      const now = state();
      if (now === null) return;
      if (nowMs() - lookedMs > UNSEEN_MAX_MS) stretches.clear();
      lookedMs = nowMs();
      for (const worker of workers) {
        const { id, process, downs } = worker;
        const role = nodeOf(now, id)?.role ?? "removed";
        const isOneTooMany = workerOf(now, id) === null && now.workerCount >= now.limits.workers;
        if (!isServable(worker) || role === "removed" || isOneTooMany) {
          stretches.delete(worker);
          continue;
        }
        const before = stretches.get(worker);
        const by = leadership();
        if (before?.leadership !== by || before.process !== process || before.downs !== downs) {
          stretches.set(worker, { sinceMs: nowMs(), leadership: by, process, downs });
          continue;
        }
        if (nowMs() - before.sinceMs < SERVED_WITHIN_MS) continue;
        this.checks += 1;
        if (worker.nowMs >= worker.switchAtMs)
          violateLease(() => {
            const servedMs = Math.round(nowMs() - before.sinceMs);
            const known = workerOf(now, id)?.isOnline === true ? "counts as online" : "does not count as online";
            return `worker ${id} holds no lease, ${known}, and could have been served for ${servedMs} ms`;
          });
      }
    },
  };
}
