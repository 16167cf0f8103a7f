/**
 * The oracles of a fleet. To add one: a file that opens with what it checks and what it does not, a factory in the
 * list below, and a test beside it in which a planted bug makes it fire.
 */
import { addresses } from "./addresses.ts";
import { antiAffinity } from "./anti-affinity.ts";
import { begunOnce } from "./begun-once.ts";
import { desiredRuns } from "./desired-runs.ts";
import { healingTarget } from "./healing-target.ts";
import { hostCapacity } from "./host-capacity.ts";
import { leases } from "./leases.ts";
import { leasesWaitedFor } from "./leases-waited-for.ts";
import { legalMoves } from "./legal-moves.ts";
import { noOrphans } from "./no-orphans.ts";
import { oneAttempt } from "./one-attempt.ts";
import { onePlace } from "./one-place.ts";
import type { FleetOracleFactory } from "./oracle.ts";
import { quotas } from "./quotas.ts";
import { recoveryCounts } from "./recovery-counts.ts";
import { recoveryPace } from "./recovery-pace.ts";
import { removedWorkers } from "./removed-workers.ts";
import { seenGone } from "./seen-gone.ts";
import { trulyRunning } from "./truly-running.ts";

export type { EntryContext, FleetContext, FleetOracle, FleetOracleFactory, WorkerView } from "./oracle.ts";
export { Placements } from "./placements.ts";

/** All of them, in the order in which a report lists them. */
export const FLEET_ORACLES: readonly FleetOracleFactory[] = [
  onePlace,
  begunOnce,
  oneAttempt,
  leases,
  leasesWaitedFor,
  seenGone,
  trulyRunning,
  hostCapacity,
  quotas,
  antiAffinity,
  addresses,
  legalMoves,
  healingTarget,
  recoveryPace,
  recoveryCounts,
  removedWorkers,
  desiredRuns,
  noOrphans,
];
