/** Durations at which absences are decided: around the end of a lease, and around the end of waiting for it. */
import {
  DEFAULT_RAFT_OPTIONS,
  FENCE_GRACE_MS,
  LEASE_TTL_MS,
  REPORT_EVERY_MS,
  waitForLeaseMs,
} from "../../core/index.ts";
import type { Range } from "../random/index.ts";

/** A lease counts from a report, and the last report before an absence may be this old. */
const EARLIER_MS = 1.5 * REPORT_EVERY_MS;
const LATER_MS = 500;

export const LEASE_LONG_ABSENCES: readonly Range[] = [
  LEASE_TTL_MS - FENCE_GRACE_MS,
  LEASE_TTL_MS,
  LEASE_TTL_MS + FENCE_GRACE_MS,
  waitForLeaseMs(DEFAULT_RAFT_OPTIONS.clockDriftBound),
].map((atMs) => [atMs - EARLIER_MS, atMs + LATER_MS]);
