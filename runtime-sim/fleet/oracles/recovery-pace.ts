/**
 * A VM that failed is started again after its back-off and not before, and on one worker no oftener than its policy
 * says: each failure in a row waits longer, and then it has to move. Back-off is measured in true time, which the
 * leader's clock may be a little ahead of.
 *
 * Not checked: VMs that somebody has ever asked something of, and whether it moves then: that it runs in the end is
 * for `desired-runs` to see.
 */
import { type RecoveryPolicy, vmOf } from "../../../core/index.ts";
import { type Moment, momentText } from "../../world/index.ts";
import type { FleetContext, FleetOracle } from "./oracle.ts";

/** Clocks of leaders keep to the bound that leases rest on, and so to this. */
const SLACK = 0.9;

export function recoveryPace({ placements, touched, nowMs, now, violate, violateLease }: FleetContext): FleetOracle {
  const failedAt = new Map<string, Moment>();
  return {
    name: "recovery-pace",
    summary: "a failed VM is started again after its back-off, and no oftener than it may be",
    checks: 0,
    happened(event, state) {
      if (event.kind === "vmDeleted") failedAt.delete(event.name);
      if (event.kind !== "vmState") return;
      const { name, from, state: to } = event;
      if (to === "Failed" && from !== "Failed") failedAt.set(name, now());
      if (from !== "Failed" || to !== "Scheduled" || touched.has(name)) return;
      const vm = vmOf(state, name);
      const since = failedAt.get(name);
      if (vm === null || since === undefined || placements.of(name)?.workerId !== event.workerId) return;
      this.checks += 1;
      const { restarts, spec } = vm;
      const waitedMs = nowMs() - since.atMs;
      const dueMs = backoffMs(spec.recovery, restarts);
      if (restarts > spec.recovery.restartsMax)
        violate(
          () =>
            `VM ${name}, which failed at ${momentText(since)}, is started again ${restarts} times, and may be ` +
            `${spec.recovery.restartsMax} times`,
        );
      else if (waitedMs < SLACK * dueMs)
        violateLease(
          () =>
            `VM ${name} is started again (${restarts}) ${Math.round(waitedMs)} ms after it failed at ${momentText(since)}, ` +
            `and should be after ${dueMs} ms`,
        );
    },
  };
}

/** Before the restart of that number, from 1. */
function backoffMs({ backoffMs: first, backoffFactor, backoffMaxMs }: RecoveryPolicy, restart: number): number {
  let waitMs = first;
  for (let at = 1; at < restart && waitMs < backoffMaxMs; at++) waitMs *= backoffFactor;
  return Math.min(backoffMaxMs, waitMs);
}
