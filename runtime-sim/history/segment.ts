/**
 * What a search is asked, and what it answers: a part of one key's history, from where to search, and how it can end.
 */
import type { Operation } from "./model.ts";

/** A situation to search from: the first operations of the list may have been placed already. */
export interface Start<State> {
  readonly state: State;
  /** Places, in the list of operations carried in, of those that have already taken effect. */
  readonly spent: readonly number[];
  /** So many of the operations carried in, counted from the first, are covered (rule 3) if they overwrite. */
  readonly covered: number;
}

/** Part of one key's history, in the order in which it happened. */
export interface Segment<Input, Output> {
  /** In order of their calls. The first `carried` were called before the segment began. */
  readonly operations: readonly Operation<Input, Output>[];
  readonly carried: number;
  /**
   * Calls (`2 * operation`) and returns (`2 * operation + 1`) in order, without the calls of what is carried in. An
   * operation whose reply is unknown has no return; one whose reply is known may return after the segment.
   */
  readonly events: readonly number[];
}

/** How far the best attempt came. */
export interface Furthest<State> {
  readonly start: Start<State>;
  /** Operations in an order that the model allows. */
  readonly placed: readonly number[];
  readonly state: State;
  /** The operation that must be placed now, because it returns next, and cannot. */
  readonly blocked: number;
  /** All that had been called by then and is not placed, in order of calls, `blocked` among them. */
  readonly unplaced: readonly number[];
}

export type SearchResult<State> =
  | { readonly verdict: "linearizable"; readonly open: readonly number[]; readonly ends: readonly Start<State>[] }
  | { readonly verdict: "violated"; readonly furthest: Furthest<State> }
  | { readonly verdict: "undecided"; readonly limit: "configurations" | "ends" };

export interface SearchLimits {
  /**
   * How many configurations one search may remember. Each takes 40 bytes or a little more; all together never over 256
   * MiB.
   */
  readonly configurationsMax: number;
  /** How many situations one search for all ends may leave behind. */
  readonly endsMax: number;
}
