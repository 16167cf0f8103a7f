/**
 * The simulator: what goes into a run, runs, and what they report.
 *
 *   random/                what is drawn from the seed: named streams, ranges
 *   hardware/, network/    clocks and disks, links and partitions, each with what may go wrong with it
 *   world/                 virtual time, hosts, the processes of members, their messages and their clients
 *   history/               linearizability of what clients saw; knows nothing of the simulator
 *   faults/                every kind of fault, and what begins and ends them
 *   workload/              clients, and the operator of the members
 *   oracles/               what must hold of the members
 *   byzantine/             lying members, and the verdicts on them
 *   fleet/                 workers with their hypervisors, tenants, and what must hold of them
 *   scenario/              scenarios, and the fault schedules that seeds draw from them
 *   trace/                 a run as text
 *   run/                   one run, put together from all of these
 *
 * A room imports only from those above it.
 */
export {
  ACT_NAMES,
  type ActName,
  type ActVerdict,
  ANY_LIAR,
  actsTo,
  type LiarShape,
  type Outcome,
  type PlannedLiar,
  VERDICTS,
  type VerdictReport,
  verdictOf,
} from "./byzantine/index.ts";
export { FAULTS, type FaultKind, type FaultTarget, type ParameterSpec, type PlannedFault } from "./faults/index.ts";
export { CALM_FLEET, type FleetShape, type FleetVariety, WISHES } from "./fleet/index.ts";
export {
  checkHistory,
  DEFAULT_HISTORY_LIMITS,
  DEFAULT_SEARCH_LIMITS,
  HistoryError,
  type HistoryErrorKind,
  type HistoryLimits,
  type HistoryResult,
  type JepsenHistory,
  type Operation,
  parseJepsenHistory,
  register,
  type SearchLimits,
  type Undecided,
  type Verdict,
  type Violation as HistoryViolation,
} from "./history/index.ts";
export { VM_MODEL, type VmInput, type VmOutput } from "./oracles/index.ts";
export type { Range } from "./random/index.ts";
export { Run, type RunOptions, type RunReport, type Violation as RunViolation } from "./run/index.ts";
export {
  CALM_CLOCKS,
  CALM_DISKS,
  CALM_NETWORK,
  type ClockRanges,
  type DiskRanges,
  type FaultMix,
  type FaultSchedule,
  FaultScheduleError,
  LEASE_LONG_ABSENCES,
  LOWERED_LIMITS,
  LOWERED_OPTIONS,
  type NetworkRanges,
  parseFaultSchedule,
  rareAndOften,
  SCHEDULE_LIMITS,
  type Scenario,
  SWARM_CONDITIONS,
  scenario,
  settled,
  type Variety,
} from "./scenario/index.ts";
export {
  ClientHistory,
  formatTransition,
  HISTORY_FORMS,
  type HistoryForm,
  historyFormOf,
  type OwnHistory,
  parseOwnHistory,
  type TraceEvent,
  type Transition,
  type TransitionKind,
} from "./trace/index.ts";
export {
  IDLE_OPERATOR,
  type LatencySummary,
  NO_CLIENTS,
  type OperatorShape,
  STEADY_WORKLOAD,
  type WorkloadShape,
} from "./workload/index.ts";
export type { BaseConditions } from "./world/index.ts";
