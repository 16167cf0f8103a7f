/**
 * While faults last: no VM waits that a worker would take. One that could have been placed at each look for fifteen
 * seconds, while one leader led that could commit without a break, by the simulator's own records, is placed. "Can
 * commit" is as in `keeps-lease`, and what was in the log of the leader three seconds ago is committed: a new leader
 * that has to bring a quorum up to date first decides nothing.
 *
 * One waiting VM is looked at in a second, and every worker is asked about it: one after the other, until one is found
 * that somebody would take, and then that one until it is placed. The time is far above what the leader needs to try
 * all of them: it tries dozens in a step.
 *
 * Not checked: times in which more than a hundred VMs wait; tasks; VMs for which room is kept on a worker.
 */
import { type ClusterState, explainer, vmOf } from "../../../core/index.ts";
import type { FleetContext, FleetOracle } from "./oracle.ts";

const PLACED_WITHIN_MS = 15_000;
const LOOK_EVERY_MS = 1000;
/** After such a gap nothing is known of what was between. */
const UNSEEN_MAX_MS = 3000;
const WAITING_MAX = 100;

interface Suspect {
  readonly name: string;
  readonly sinceMs: number;
}

export function placedInTime({ state, leadership, canCommit, nowMs, violate }: FleetContext): FleetOracle {
  /** VMs that nobody has placed, the one that was looked at the longest ago first. */
  const waiting = new Set<string>();
  let suspect: Suspect | null = null;
  let lookedMs = 0;
  let ledBy = 0;

  /** Where it would go; null: nowhere, or it does not wait. */
  function placeFor(now: ClusterState, name: string): number | null {
    return isWaiting(now, name) ? (explainer(now)(name)?.workerId ?? null) : null;
  }

  return {
    name: "placed-in-time",
    summary: "no VM waits for long that a worker would take",
    checks: 0,
    happened(event, now) {
      if (event.kind !== "vmCreated" && event.kind !== "vmState" && event.kind !== "vmDeleted") return;
      const { name } = event;
      if (name === suspect?.name) suspect = null;
      if (isWaiting(now, name)) waiting.add(name);
      else waiting.delete(name);
    },
    looked() {
      if (!canCommit() || leadership() !== ledBy || nowMs() - lookedMs > UNSEEN_MAX_MS) {
        ledBy = leadership();
        lookedMs = nowMs();
        suspect = null;
        return;
      }
      const now = state();
      if (now === null || nowMs() - lookedMs < LOOK_EVERY_MS) return;
      lookedMs = nowMs();
      const [longest] = waiting;
      const name = suspect?.name ?? longest;
      if (name === undefined || waiting.size > WAITING_MAX) return;
      this.checks += 1;
      const workerId = placeFor(now, name);
      if (workerId === null) {
        suspect = null;
        waiting.delete(name);
        if (isWaiting(now, name)) waiting.add(name);
        return;
      }
      suspect ??= { name, sinceMs: nowMs() };
      const waitedMs = nowMs() - suspect.sinceMs;
      if (waitedMs >= PLACED_WITHIN_MS)
        violate(() => `VM ${name} waits, and worker ${workerId} would have taken it for ${Math.round(waitedMs)} ms`);
    },
  };
}

function isWaiting(state: ClusterState, name: string): boolean {
  const vm = vmOf(state, name);
  if (vm === null || vm.desired !== "running" || vm.workerId !== null || vm.targetId !== null) return false;
  return vm.state === "Pending" || vm.state === "Lost";
}
