/** A run as text: transitions and trace events. */

export { Recorder } from "./recorder.ts";
export { formatTransition, type TraceEvent, type Transition, type TransitionKind } from "./transition.ts";
