/**
 * Checks linearizability while the history happens, each key apart, in memory that does not grow with time.
 *
 * Whenever no operation is under way on a key, what happened on it since the last time is checked at once and
 * forgotten: only the situations that it can have left behind are kept (states, and which operations of unknown
 * outcome have already taken effect in each). A key that never comes to rest is cut where the operation longest under
 * way was called, so that a violation is found at most a segment after it happens. The verdict is the one that
 * `checkHistory` gives on the whole history.
 *
 * What it does not check: anything between keys; and a key once it is violated or undecided, where each further
 * operation is only counted as `unchecked`.
 */

import {
  DEFAULT_SEARCH_LIMITS,
  explainUndecided,
  explainViolation,
  type Undecided,
  type Violation,
} from "./linearizability.ts";
import type { Model, Operation, Reply } from "./model.ts";
import { Searcher } from "./search.ts";
import type { SearchLimits, Start } from "./segment.ts";

/** How many of the operations already forgotten a message shows. */
const RECENT_SHOWN_MAX = 4;

export interface ContinuousLimits extends SearchLimits {
  /** A key that does not come to rest is cut when it has this many events (a call and a return are two). */
  readonly segmentEvents: number;
  /**
   * A key that can neither come to rest nor be cut, or that has this many operations of unknown outcome, is given up
   * ("undecided").
   */
  readonly segmentOperationsMax: number;
}

export const DEFAULT_CONTINUOUS_LIMITS: ContinuousLimits = {
  ...DEFAULT_SEARCH_LIMITS,
  segmentEvents: 256,
  segmentOperationsMax: 16_384,
};

/** What a call, a return or the end of the run brought to light. */
export type Finding<State, Input, Output> =
  | ({ readonly verdict: "violated" } & Violation<State, Input, Output>)
  | ({ readonly verdict: "undecided" } & Undecided);

/** A call as the checker is told of it; `time` is for messages only, in whatever unit the run uses. */
export interface Call<Input> {
  readonly process: number | string;
  readonly key: string;
  readonly input: Input;
  readonly time: number;
}

/** An operation under way. It belongs to the checker that gave it out, and is handed back once. */
export interface Pending {
  readonly key: string;
}

/** What the checker has done so far. */
export interface ContinuousCounts {
  /** Operations begun. */
  readonly operations: number;
  /** Segments checked. */
  readonly checks: number;
  /** Configurations explored: what the checks cost. */
  readonly configurations: number;
  /** Operations begun on a key after it was found violated or undecided. */
  readonly unchecked: number;
  readonly violated: number;
  readonly undecided: number;
}

type Status = "under way" | "returned" | "unknown" | "failed";

/** An operation as it is while its outcome is awaited. */
class Entry<Input, Output> implements Pending, Operation<Input, Output> {
  readonly process: number | string;
  readonly key: string;
  readonly input: Input;
  readonly index: number;
  readonly time: number;
  reply: Reply<Output> | null = null;
  status: Status = "under way";
  /** Whether it has taken effect in every situation: nothing is left of it but perhaps its return. */
  isSpent = false;
  /** Its place among the operations of the segment that is being checked, while one is. */
  place: number | null = null;

  constructor(call: Call<Input>, index: number) {
    this.process = call.process;
    this.key = call.key;
    this.input = call.input;
    this.index = index;
    this.time = call.time;
  }
}

/** What is known of one key. */
interface KeyState<State, Input, Output> {
  /**
   * Called before `events`, and perhaps not placed yet: of unknown outcome, or to return in `events`. In order of
   * calls.
   */
  carried: Entry<Input, Output>[];
  /** Every situation in which the events may begin. */
  starts: readonly Start<State>[];
  /** What happened since, in order: an operation where it is called, and again where it returns. */
  events: Entry<Input, Output>[];
  /** Operations checked and forgotten last, for messages. */
  recent: Entry<Input, Output>[];
  underWay: number;
  /**
   * Number of events from which on the key is checked when it comes to rest: more than 0 after a check that was put
   * off.
   */
  restAt: number;
  /** Number of events at which the key is cut although it is not at rest. */
  cutAt: number;
  closed: boolean;
}

/** A checker for one run. Indexes come from the order of the calls of its methods. */
export class ContinuousChecker<State, Input, Output> {
  private readonly model: Model<State, Input, Output>;
  private readonly limits: ContinuousLimits;
  private readonly searcher: Searcher<State, Input, Output>;
  private readonly keys = new Map<string, KeyState<State, Input, Output>>();
  private index = 0;
  private operations = 0;
  private checks = 0;
  private unchecked = 0;
  private violated = 0;
  private undecided = 0;

  constructor(model: Model<State, Input, Output>, limits: Partial<ContinuousLimits> = {}) {
    this.model = model;
    this.limits = { ...DEFAULT_CONTINUOUS_LIMITS, ...limits };
    this.searcher = new Searcher(model, this.limits);
  }

  get counts(): ContinuousCounts {
    return {
      operations: this.operations,
      checks: this.checks,
      configurations: this.searcher.explored,
      unchecked: this.unchecked,
      violated: this.violated,
      undecided: this.undecided,
    };
  }

  /** A client calls. */
  begin(call: Call<Input>): Pending {
    const entry = new Entry<Input, Output>(call, this.index++);
    this.operations += 1;
    const state = this.keyState(call.key);
    if (state.closed) {
      this.unchecked += 1;
    } else {
      state.events.push(entry);
      state.underWay += 1;
    }
    return entry;
  }

  /** The call returned with this answer. */
  end(pending: Pending, output: Output, time: number): Finding<State, Input, Output> | null {
    const entry = this.settle(pending, "returned");
    const state = this.keyState(entry.key);
    entry.reply = { output, index: this.index++, time };
    if (!state.closed) state.events.push(entry);
    return this.settled(entry.key, state);
  }

  /** The outcome will never be known: the call may take effect at any time from its beginning on, or never. */
  unknown(pending: Pending): Finding<State, Input, Output> | null {
    const entry = this.settle(pending, "unknown");
    return this.settled(entry.key, this.keyState(entry.key));
  }

  /** The call is known not to have happened, and never will. */
  fail(pending: Pending): Finding<State, Input, Output> | null {
    const entry = this.settle(pending, "failed");
    return this.settled(entry.key, this.keyState(entry.key));
  }

  /** The run is over: whatever is under way has an unknown outcome, and every key is checked to its end. */
  finish(): Finding<State, Input, Output>[] {
    const findings: Finding<State, Input, Output>[] = [];
    for (const [key, state] of this.keys) {
      if (state.closed) continue;
      for (const entry of state.events) if (entry.status === "under way") entry.status = "unknown";
      const finding = this.check(key, state, state.events.length, true);
      if (finding !== null) findings.push(finding);
      this.close(state);
    }
    return findings;
  }

  private settle(pending: Pending, status: Status): Entry<Input, Output> {
    if (!(pending instanceof Entry) || this.keys.get(pending.key) === undefined) {
      throw new TypeError("this operation was not begun by this checker");
    }
    const entry: Entry<Input, Output> = pending;
    if (entry.status !== "under way") {
      throw new Error(
        `operation of process ${entry.process} on key ${entry.key} is settled twice: "${status}" after ` +
          `"${entry.status}"`,
      );
    }
    entry.status = status;
    return entry;
  }

  private keyState(key: string): KeyState<State, Input, Output> {
    const known = this.keys.get(key);
    if (known !== undefined) return known;
    const state: KeyState<State, Input, Output> = {
      carried: [],
      starts: [{ state: this.model.initial, spent: [], covered: 0 }],
      events: [],
      recent: [],
      underWay: 0,
      restAt: 0,
      cutAt: this.limits.segmentEvents,
      closed: false,
    };
    this.keys.set(key, state);
    return state;
  }

  private settled(key: string, state: KeyState<State, Input, Output>): Finding<State, Input, Output> | null {
    if (state.closed) return null;
    state.underWay -= 1;
    if (state.underWay === 0 && state.events.length >= state.restAt) {
      return this.check(key, state, state.events.length, false);
    }
    if (state.events.length < state.cutAt) return null;
    const cut = state.events.findIndex((entry) => entry.status === "under way");
    return this.check(key, state, cut < 0 ? state.events.length : cut, false);
  }

  /**
   * Checks the first `cut` events, of which every operation is settled, and forgets them. When that leaves too many
   * situations behind and more events may come, the check is put off.
   */
  private check(
    key: string,
    state: KeyState<State, Input, Output>,
    cut: number,
    last: boolean,
  ): Finding<State, Input, Output> | null {
    const { operations, events } = this.segment(state, cut);
    let putOff = false;
    if (events.length > 0) {
      this.checks += 1;
      const segment = { operations, carried: state.carried.length, events };
      const result = this.searcher.search(segment, state.starts, !last);
      if (result.verdict === "violated") {
        this.violated += 1;
        const earlier = state.recent.slice(-RECENT_SHOWN_MAX);
        const violation = explainViolation(this.model, key, operations, result.furthest, earlier);
        this.close(state);
        return { verdict: "violated", ...violation };
      }
      if (result.verdict === "undecided" && result.limit === "configurations") {
        return this.giveUp(key, state, result.limit, this.limits.configurationsMax);
      }
      putOff = result.verdict === "undecided";
      if (result.verdict === "linearizable" && !last) {
        this.remember(state, operations);
        this.carry(state, operations, result.open, result.ends);
        state.events.splice(0, cut);
      }
    }
    // Twice as much each time, so that what is put off costs no more than a constant factor.
    state.restAt = putOff ? 2 * state.events.length : 0;
    state.cutAt = Math.max(this.limits.segmentEvents, 2 * state.events.length);
    if (state.carried.length + state.events.length > this.limits.segmentOperationsMax && !last) {
      return this.giveUp(key, state, "operations", this.limits.segmentOperationsMax);
    }
    return null;
  }

  /** The first `cut` events as the search wants them. Failed operations are left out. */
  private segment(
    state: KeyState<State, Input, Output>,
    cut: number,
  ): { readonly operations: Entry<Input, Output>[]; readonly events: number[] } {
    const operations = [...state.carried];
    const events: number[] = [];
    operations.forEach((entry, place) => {
      entry.place = place;
    });
    for (let index = 0; index < cut; index++) {
      const entry = state.events[index];
      if (entry === undefined || entry.status === "failed" || entry.isSpent) continue;
      if (entry.place === null) {
        entry.place = operations.length;
        events.push(2 * entry.place);
        operations.push(entry);
      } else {
        events.push(2 * entry.place + 1);
      }
    }
    for (const entry of operations) entry.place = null;
    return { operations, events };
  }

  private remember(state: KeyState<State, Input, Output>, operations: readonly Entry<Input, Output>[]): void {
    for (
      let place = Math.max(state.carried.length, operations.length - RECENT_SHOWN_MAX);
      place < operations.length;
      place++
    ) {
      const entry = operations[place];
      if (entry !== undefined) state.recent.push(entry);
    }
    if (state.recent.length > 8 * RECENT_SHOWN_MAX) state.recent.splice(0, state.recent.length - RECENT_SHOWN_MAX);
  }

  /** Keeps what the segment leaves behind, without the operations that have taken effect in every situation. */
  private carry(
    state: KeyState<State, Input, Output>,
    operations: readonly Entry<Input, Output>[],
    open: readonly number[],
    ends: readonly Start<State>[],
  ): void {
    if (open.length === 0) {
      state.carried = [];
      state.starts = ends;
      return;
    }
    const timesSpent = open.map(() => 0);
    for (const end of ends) for (const place of end.spent) timesSpent[place] = (timesSpent[place] ?? 0) + 1;

    const carried: Entry<Input, Output>[] = [];
    // For each of the open operations: how many are carried on, up to and with it.
    const carriedSoFar = open.map((operation, place) => {
      const entry = operations[operation];
      if (entry !== undefined) {
        entry.isSpent = timesSpent[place] === ends.length;
        if (!entry.isSpent) carried.push(entry);
      }
      return carried.length;
    });
    state.carried = carried;
    state.starts = ends.map((end) => ({
      state: end.state,
      spent: end.spent.flatMap((place) => (timesSpent[place] === ends.length ? [] : (carriedSoFar[place] ?? 0) - 1)),
      covered: end.covered === 0 ? 0 : (carriedSoFar[end.covered - 1] ?? 0),
    }));
  }

  private giveUp(
    key: string,
    state: KeyState<State, Input, Output>,
    limit: Undecided["limit"],
    max: number,
  ): Finding<State, Input, Output> {
    this.undecided += 1;
    this.close(state);
    return { verdict: "undecided", ...explainUndecided(key, limit, max) };
  }

  private close(state: KeyState<State, Input, Output>): void {
    state.closed = true;
    state.carried = [];
    state.starts = [];
    state.events = [];
    state.recent = [];
  }
}
