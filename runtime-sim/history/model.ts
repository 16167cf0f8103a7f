/**
 * What a history is made of: operations on an object, and the model that says what the object may answer.
 *
 * A history is linearizable when its operations can be put in one order in which each takes effect at one instant
 * between its call and its return, and the model allows every answer (Herlihy & Wing 1990).
 */

/** What came back from an operation, and when. */
export interface Reply<Output> {
  readonly output: Output;
  /** Place of the return in the history, on the same scale as `Operation.index`. */
  readonly index: number;
  /** For messages only, in whatever unit the history uses: order comes from `index`. */
  readonly time: number;
}

/** One call on one key. An operation known not to have happened does not belong in a history: leave it out. */
export interface Operation<Input, Output> {
  readonly process: number | string;
  readonly key: string;
  readonly input: Input;
  /**
   * Place of the call in the history: any scale that only grows. An operation comes before another when its reply's
   * index is less than the other's call index; equal indexes are concurrent.
   */
  readonly index: number;
  /** For messages only, in whatever unit the history uses: order comes from `index`. */
  readonly time: number;
  /** Null when the outcome is not known: the operation may take effect at any time after its call, or never. */
  readonly reply: Reply<Output> | null;
}

/** The reply a model is shown: what was answered, or null when nobody knows. */
export type Answer<Output> = { readonly output: Output } | null;

/** Result of one step: refused, or allowed and then this state. */
export type Step<State> = { readonly ok: true; readonly state: State } | { readonly ok: false };

/**
 * What the search may assume of an operation. A wrong answer makes the verdict wrong; "other" is always right.
 *
 * - `observes`: in every state that allows it, it leaves the state as it was. Such an operation is placed as soon as
 *   it is allowed.
 * - `overwrites`: every state allows it, and the state after does not depend on the state before. Such an operation
 *   may hide immediately before another of its kind, so it need not be tried in every place.
 */
export type OperationKind = "observes" | "overwrites" | "other";

/** A sequential, deterministic object: one per key, all alike. States are immutable values. */
export interface Model<State, Input, Output> {
  readonly initial: State;
  /**
   * Whether the object in `state` may carry out `input` with this answer, and its state afterwards. With an unknown
   * answer (null) say what the operation does if it takes effect here, and refuse where it would have none.
   */
  step(state: State, input: Input, answer: Answer<Output>): Step<State>;
  /** Equal for two states exactly when no later operation can tell them apart. */
  stateKey(state: State): string | number;
  /** See {@link OperationKind}. Without it every operation is "other". */
  kind?(input: Input, answer: Answer<Output>): OperationKind;
  /**
   * Equal for two operations only when each could stand in the other's place in every state. Pending operations that
   * are alike then cost as one. Without it no two operations are alike.
   */
  operationKey?(input: Input, answer: Answer<Output>): string | number;
  /** An operation for people, such as `write 3` or `read -> 3`. */
  describe(input: Input, answer: Answer<Output>): string;
  /** A state for people. */
  describeState(state: State): string;
}
