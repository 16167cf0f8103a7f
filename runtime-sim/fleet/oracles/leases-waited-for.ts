/**
 * The cluster declares a worker lost only when everything on it has surely ended: a lease and the grace of the host
 * after the worker sent the last report that any server has answered by a lease, by the worker's own clock. Answers
 * count from when they are given, whether they arrive or not. And once a worker is lost, no report of before is
 * answered by a lease that is longer than that.
 *
 * Not checked: deaths that an operator confirms, and hosts that have lost their power meanwhile: nothing is left
 * there.
 */
import { FENCE_GRACE_MS, LEASE_TTL_MS } from "../../../core/index.ts";
import { type Moment, momentText } from "../../world/index.ts";
import type { FleetContext, FleetOracle, WorkerView } from "./oracle.ts";

/** A moment on a worker, by its own clock, which begins anew each time that the host goes down. */
interface HostMoment {
  readonly atMs: number;
  readonly downs: number;
  /** When anybody knew of it. */
  readonly known: Moment;
}

export function leasesWaitedFor({ findWorker, violateLease, now }: FleetContext): FleetOracle {
  /** When each worker sent the newest report that was answered by a lease, and when it was declared lost. */
  const granted = new Map<WorkerView, HostMoment>();
  const lost = new Map<WorkerView, HostMoment>();
  const untilMs = ({ atMs }: HostMoment): number => atMs + LEASE_TTL_MS + FENCE_GRACE_MS;
  return {
    name: "leases-waited-for",
    summary: "no worker is declared lost before everything on it has surely ended",
    checks: 0,
    granted(worker, sentAtMs) {
      const { downs } = worker;
      const before = granted.get(worker);
      const grant = { atMs: sentAtMs, downs, known: now() };
      if (before?.downs !== downs || before.atMs < sentAtMs) granted.set(worker, grant);
      const lostAt = lost.get(worker);
      if (lostAt?.downs !== downs) return;
      this.checks += 1;
      if (untilMs(grant) > lostAt.atMs)
        violateLease(
          () =>
            `worker ${worker.id}, declared lost at ${momentText(lostAt.known)}, is given a lease at ` +
            `${momentText(grant.known)} that ends ${Math.round(untilMs(grant) - lostAt.atMs)} ms after that`,
        );
    },
    happened(event, _, { command }) {
      if (event.kind === "workerRegistered") {
        const worker = findWorker(event.workerId);
        if (worker !== null) lost.delete(worker);
      }
      if (event.kind !== "workerStatus" || event.status !== "offline" || command?.kind !== "workerLost") return;
      const worker = findWorker(event.workerId);
      if (worker === null || worker.isDown) return;
      const { downs, nowMs } = worker;
      lost.set(worker, { atMs: nowMs, downs, known: now() });
      const grant = granted.get(worker);
      if (grant?.downs !== downs) return;
      this.checks += 1;
      if (nowMs < untilMs(grant))
        violateLease(
          () =>
            `worker ${worker.id} is declared lost by entry ${event.index}, applied at ${momentText(now())}, ` +
            `${Math.round(untilMs(grant) - nowMs)} ms before everything on it has ended: a lease was given at ` +
            momentText(grant.known),
        );
    },
  };
}
