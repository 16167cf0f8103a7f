/**
 * A worker acts only under a lease. Its switch is never set to later than a lease after it sent a report that was
 * answered by a lease: what it has asked for since, and the time that the answer took, are no part of it. And nothing
 * is built, started or run on a host whose switch has fallen, or was never set since it came up.
 *
 * Not checked: that whoever granted the lease waits for its end: see `leases-waited-for`.
 */
import { LEASE_TTL_MS } from "../../../core/index.ts";
import type { FleetContext, FleetOracle } from "./oracle.ts";

export function leases({ violate }: FleetContext): FleetOracle {
  return {
    name: "leases",
    summary: "hosts begin nothing without a lease, and take none for longer than it is",
    checks: 0,
    acted(worker, action) {
      const { nowMs, leasedAtMs, switchAtMs } = worker;
      switch (action.kind) {
        case "fenceAt": {
          this.checks += 1;
          // The same sum as in the core, so that rounding makes no difference.
          if (action.atMs > leasedAtMs + LEASE_TTL_MS)
            violate(() => {
              const overMs = Math.round(action.atMs - leasedAtMs - LEASE_TTL_MS);
              return (
                `worker ${worker.id} has a lease for ${overMs} ms longer than it can have been given: its clock ` +
                `showed ${leasedAtMs} ms when it sent the newest report that was answered`
              );
            });
          return;
        }
        case "build":
        case "start":
        case "runJob":
          this.checks += 1;
          if (nowMs >= switchAtMs)
            violate(
              () =>
                `worker ${worker.id} is told to ${action.kind} something at ${nowMs} ms of its clock, and ${fallen(switchAtMs)}`,
            );
          return;
        default:
          return;
      }
    },
  };
}

function fallen(switchAtMs: number): string {
  return Number.isFinite(switchAtMs) ? `its lease ended at ${switchAtMs} ms` : "has had no lease since it came up";
}
