/**
 * Leases of workers (Gray and Cheriton, SOSP 1989). An agent may rely on its assignment until `LEASE_TTL_MS` after it
 * sent the report that was answered, by its own monotonic clock. Then its host ends everything. The leader counts from
 * when it heard or answered the report, which is later. It waits for the lease, for the host to have ended
 * everything, and for the drift that two clocks may have, and only then lets others take over.
 *
 * All nodes of a cluster need the same constants: a leader with others would break the promises of the one before it.
 */
export const LEASE_TTL_MS = 10_000;
/** Between two reports when nothing happens. */
export const REPORT_EVERY_MS = 1000;
/** How long a host may take to end its machines when its fence falls. */
export const FENCE_GRACE_MS = 2000;

/**
 * How long after a report of a worker, or after it began to lead, a leader counts on that worker.
 *
 * @param driftBound largest relative rate error of two clocks.
 */
export function waitForLeaseMs(driftBound: number): number {
  return Math.ceil((LEASE_TTL_MS + FENCE_GRACE_MS) * (1 + driftBound) * (1 + driftBound)) + 1;
}
