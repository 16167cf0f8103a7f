/**
 * The oracles of a fleet. To add one: a file that opens with what it checks and what it does not, a factory in the
 * list below, and a test beside it in which a planted bug makes it fire.
 */
import { addresses } from "./addresses.ts";
import { answersAsApplied } from "./answers-as-applied.ts";
import { answersFresh } from "./answers-fresh.ts";
import { antiAffinity } from "./anti-affinity.ts";
import { begunOnce } from "./begun-once.ts";
import { bestPlace } from "./best-place.ts";
import { desiredRuns } from "./desired-runs.ts";
import { drainBudget } from "./drain-budget.ts";
import { eventStreams } from "./event-streams.ts";
import { hardRules } from "./hard-rules.ts";
import { healingTarget } from "./healing-target.ts";
import { hostCapacity } from "./host-capacity.ts";
import { keepsLease } from "./keeps-lease.ts";
import { leases } from "./leases.ts";
import { leasesWaitedFor } from "./leases-waited-for.ts";
import { legalMoves } from "./legal-moves.ts";
import { lostInTime } from "./lost-in-time.ts";
import { noOrphans } from "./no-orphans.ts";
import { nothingPromised } from "./nothing-promised.ts";
import { oneAttempt } from "./one-attempt.ts";
import { onePlace } from "./one-place.ts";
import type { FleetOracleFactory } from "./oracle.ts";
import { placedInTime } from "./placed-in-time.ts";
import { preemption } from "./preemption.ts";
import { quotas } from "./quotas.ts";
import { recoveryCounts } from "./recovery-counts.ts";
import { recoveryPace } from "./recovery-pace.ts";
import { removedWorkers } from "./removed-workers.ts";
import { seenGone } from "./seen-gone.ts";
import { taskAttempts } from "./task-attempts.ts";
import { tasksEnd } from "./tasks-end.ts";
import { trulyRunning } from "./truly-running.ts";
import { unhealthyInARow } from "./unhealthy-in-a-row.ts";
import { waitsForWorker } from "./waits-for-worker.ts";

export type {
  Decision,
  EntryContext,
  FleetContext,
  FleetOracle,
  FleetOracleFactory,
  LeadingOrchestrator,
  WorkerView,
} from "./oracle.ts";
export { Placements } from "./placements.ts";

/** All of them, in the order in which a report lists them. */
export const FLEET_ORACLES: readonly FleetOracleFactory[] = [
  onePlace,
  begunOnce,
  oneAttempt,
  taskAttempts,
  leases,
  leasesWaitedFor,
  lostInTime,
  keepsLease,
  seenGone,
  waitsForWorker,
  trulyRunning,
  hostCapacity,
  quotas,
  hardRules,
  antiAffinity,
  bestPlace,
  placedInTime,
  preemption,
  drainBudget,
  addresses,
  legalMoves,
  healingTarget,
  unhealthyInARow,
  recoveryPace,
  recoveryCounts,
  removedWorkers,
  desiredRuns,
  noOrphans,
  tasksEnd,
  answersAsApplied,
  answersFresh,
  eventStreams,
  // Last: to ask costs as much as what the leader knows.
  nothingPromised,
];
