/**
 * Leases of workers (Gray and Cheriton, SOSP 1989). An agent may rely on what it has been told until `LEASE_TTL_MS` after it sent the report that was answered,
 * by its own monotonic clock; then its host ends everything. The leader counts from when a report reached it, which is later, waits for the drift that any
 * two clocks are allowed and for the host to have ended everything, and only then has others take over.
 *
 * Constants of the state machine's kind: leaders with different ones would undo each other's promises.
 */
export const LEASE_TTL_MS = 10_000;
/** Between two reports when nothing happens. */
export const REPORT_EVERY_MS = 1000;
/** How long a host may take to end its machines when its switch falls. */
export const FENCE_GRACE_MS = 2000;

/** How long a leader that heard a report, or started to lead, just now relies on that worker. `driftBound`: largest relative rate error of two clocks. */
export function waitForLeaseMs(driftBound: number): number {
  return Math.ceil((LEASE_TTL_MS + FENCE_GRACE_MS) * (1 + driftBound) * (1 + driftBound)) + 1;
}
