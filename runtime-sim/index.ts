/** The door of the simulator: runs, what they yield, and what goes into them. */
export {
  ACT_NAMES,
  type ActName,
  type ActVerdict,
  ANY_LIAR,
  type LiarShape,
  type Outcome,
  type PlannedLiar,
  VERDICTS,
} from "./byzantine/index.ts";
export {
  FAULTS,
  type FaultKind,
  type ParameterSpec,
  type Range,
} from "./faults/index.ts";
export { CALM_FLEET, type FleetShape } from "./fleet/index.ts";
export {
  checkHistory,
  DEFAULT_JEPSEN_LIMITS,
  DEFAULT_SEARCH_LIMITS,
  type HistoryResult,
  JepsenError,
  type JepsenErrorKind,
  type JepsenHistory,
  type JepsenLimits,
  type Operation,
  parseJepsenHistory,
  register,
  type SearchLimits,
  type Undecided,
  type Verdict,
  type Violation as HistoryViolation,
} from "./history/index.ts";
export { VM_MODEL, type VmInput, type VmOutput } from "./oracles/index.ts";
export { FaultScheduleError, parseFaultSchedule } from "./parse-schedule.ts";
export type { LatencySummary, RunReport, VerdictReport, Violation as RunViolation } from "./report.ts";
export { Run, type RunOptions } from "./run.ts";
export {
  CALM_CLOCKS,
  CALM_DISKS,
  CALM_NETWORK,
  type ClockRanges,
  type DiskRanges,
  type FaultMix,
  IDLE_OPERATOR,
  type NetworkRanges,
  NO_CLIENTS,
  type OperatorShape,
  type Scenario,
  STEADY_WORKLOAD,
  scenario,
  type WorkloadShape,
} from "./scenario.ts";
export {
  type BaseConditions,
  type FaultSchedule,
  type FaultTarget,
  type PlannedFault,
  SCHEDULE_LIMITS,
} from "./schedule.ts";
export { formatTransition, type TraceEvent, type Transition, type TransitionKind } from "./transition.ts";
