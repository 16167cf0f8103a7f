/**
 * Linearizability of client histories: checked afterwards (`checkHistory`) or while they happen (`ContinuousChecker`).
 */

export {
  DEFAULT_HISTORY_LIMITS,
  eventLines,
  type Fields,
  fieldError,
  HistoryError,
  type HistoryErrorKind,
  type HistoryLimits,
  isFields,
  isOneOf,
  isProcess,
  orderError,
} from "./history-lines.ts";
export {
  type Call,
  ContinuousChecker,
  type ContinuousCounts,
  type ContinuousLimits,
  DEFAULT_CONTINUOUS_LIMITS,
  type Finding,
  type Pending,
} from "./incremental.ts";
export { type JepsenHistory, parseJepsenHistory } from "./jepsen.ts";
export {
  checkHistory,
  DEFAULT_SEARCH_LIMITS,
  type HistoryResult,
  type Undecided,
  type Verdict,
  type Violation,
} from "./linearizability.ts";
export type { Answer, Model, Operation, OperationKind, Reply, Step } from "./model.ts";
export { type RegisterInput, type RegisterModel, register, type Scalar } from "./register.ts";
export type { SearchLimits } from "./segment.ts";
export { type PlacedOperation, Witness } from "./witness.ts";
