/** A run as text: transitions, trace events, and what its clients asked and were told. */

export { ClientHistory, HISTORY_FORMS, type HistoryForm } from "./client-history.ts";
export { historyFormOf, type OwnHistory, parseOwnHistory } from "./own-history.ts";
export { Recorder } from "./recorder.ts";
export { formatTransition, type TraceEvent, type Transition, type TransitionKind } from "./transition.ts";
