/**
 * Checks that a finished history is linearizable, each key apart.
 *
 * What it checks: that every answer could have been given by one copy of the object that carries out one operation at
 * a time, each at an instant between its call and its return. What it does not: anything between keys (linearizability
 * is local, so checking each key apart loses nothing: Herlihy & Wing 1990; Horn & Kroening 2015, "Faster
 * linearizability checking via P-compositionality"), and whether operations that were not in the history happened, for
 * instance those reported as failed.
 *
 * The question is NP-complete (Gibbons & Korach 1997). The search is made so that real histories are decided quickly,
 * and its memory has a limit: past it the verdict is "undecided", never "linearizable".
 */

import type { Model, Operation } from "./model.ts";
import { Searcher } from "./search.ts";
import type { Furthest, SearchLimits } from "./segment.ts";

/** How much of the longest order a message shows. */
const PLACED_SHOWN_MAX = 8;
/** How many operations without a place a message shows. */
const UNPLACED_SHOWN_MAX = 24;

/** What a search may use up, for one key, before it answers "undecided". */
export const DEFAULT_SEARCH_LIMITS: SearchLimits = { configurationsMax: 2_000_000, endsMax: 4096 };

export type Verdict = "linearizable" | "violated" | "undecided";

/** Why one key's history cannot be ordered. */
export interface Violation<State, Input, Output> {
  readonly key: string;
  /** For people: several lines, the first complete in itself. */
  readonly message: string;
  /** Some operations checked and forgotten before `from`: none where the whole history was checked at once. */
  readonly earlier: readonly Operation<Input, Output>[];
  /**
   * The state before `placed`: the model's initial state, unless earlier operations have been checked and forgotten.
   */
  readonly from: State;
  /** The longest order found: as far into the history as any order can go. */
  readonly placed: readonly Operation<Input, Output>[];
  /** The state after `placed`. */
  readonly state: State;
  /** The operation that had to come next, because it is the next to return, and finds no place. */
  readonly blocked: Operation<Input, Output>;
  /** `blocked` and whatever else had been called when it returned and is not in `placed`. */
  readonly unplaced: readonly Operation<Input, Output>[];
}

/** Why one key's history was given up. */
export interface Undecided {
  readonly key: string;
  readonly message: string;
  readonly limit: "configurations" | "ends" | "operations";
}

export interface HistoryResult<State, Input, Output> {
  /** "violated" if any key is; else "undecided" if any key is; else "linearizable". */
  readonly verdict: Verdict;
  readonly keys: number;
  readonly operations: number;
  /** Configurations explored: what the search cost. */
  readonly configurations: number;
  /** One for each key that is violated, in order of the keys' first appearance. */
  readonly violations: readonly Violation<State, Input, Output>[];
  readonly undecided: readonly Undecided[];
}

/** Checks a whole history. Operations may come in any order: their indexes count. */
export function checkHistory<State, Input, Output>(
  model: Model<State, Input, Output>,
  operations: Iterable<Operation<Input, Output>>,
  limits: Partial<SearchLimits> = {},
): HistoryResult<State, Input, Output> {
  const searchLimits = { ...DEFAULT_SEARCH_LIMITS, ...limits };
  const searcher = new Searcher(model, searchLimits);
  const start = { state: model.initial, spent: [], covered: 0 };
  const violations: Violation<State, Input, Output>[] = [];
  const undecided: Undecided[] = [];
  let count = 0;

  const keys = partition(operations);
  for (const [key, unsorted] of keys) {
    count += unsorted.length;
    const ofKey = inOrderOfCalls(unsorted);
    const segment = { operations: ofKey, carried: 0, events: eventsInOrder(ofKey) };
    const result = searcher.search(segment, [start], false);
    if (result.verdict === "violated") violations.push(explainViolation(model, key, ofKey, result.furthest));
    if (result.verdict === "undecided")
      undecided.push(explainUndecided(key, result.limit, searchLimits[LIMITS[result.limit]]));
  }
  return {
    verdict: violations.length > 0 ? "violated" : undecided.length > 0 ? "undecided" : "linearizable",
    keys: keys.size,
    operations: count,
    configurations: searcher.explored,
    violations,
    undecided,
  };
}

const LIMITS = { configurations: "configurationsMax", ends: "endsMax" } as const;

function partition<Input, Output>(
  operations: Iterable<Operation<Input, Output>>,
): ReadonlyMap<string, Operation<Input, Output>[]> {
  const keys = new Map<string, Operation<Input, Output>[]>();
  for (const operation of operations) {
    const ofKey = keys.get(operation.key);
    if (ofKey === undefined) keys.set(operation.key, [operation]);
    else ofKey.push(operation);
  }
  return keys;
}

function inOrderOfCalls<Input, Output>(operations: Operation<Input, Output>[]): Operation<Input, Output>[] {
  let last = Number.NEGATIVE_INFINITY;
  for (const operation of operations) {
    if (operation.index < last) return operations.toSorted((left, right) => left.index - right.index);
    last = operation.index;
  }
  return operations;
}

/** Calls and returns in order, calls first where indexes are equal: such operations are concurrent. */
function eventsInOrder<Input, Output>(operations: readonly Operation<Input, Output>[]): number[] {
  const returns: { readonly code: number; readonly index: number }[] = [];
  let sorted = true;
  operations.forEach(({ reply, index }, operation) => {
    if (reply === null) return;
    if (!(reply.index >= index)) {
      throw new RangeError(
        `operation called at index ${index} returns at ${reply.index}: a return cannot come before its call`,
      );
    }
    sorted &&= returns.length === 0 || (returns.at(-1)?.index ?? 0) <= reply.index;
    returns.push({ code: 2 * operation + 1, index: reply.index });
  });
  if (!sorted) returns.sort((left, right) => left.index - right.index);

  const events: number[] = [];
  let call = 0;
  for (const { code, index } of returns) {
    while (call < operations.length && (operations[call]?.index ?? 0) <= index) events.push(2 * call++);
    events.push(code);
  }
  while (call < operations.length) events.push(2 * call++);
  return events;
}

/**
 * Words for a violation found in a segment of one key's history; `earlier` are operations checked and forgotten before
 * it.
 */
export function explainViolation<State, Input, Output>(
  model: Model<State, Input, Output>,
  key: string,
  operations: readonly Operation<Input, Output>[],
  furthest: Furthest<State>,
  earlier: readonly Operation<Input, Output>[] = [],
): Violation<State, Input, Output> {
  const choose = (places: readonly number[]): Operation<Input, Output>[] =>
    places.flatMap((place) => operations[place] ?? []);
  const placed = choose(furthest.placed);
  const unplaced = choose(furthest.unplaced);
  const blocked = operations[furthest.blocked];
  if (blocked === undefined) throw new RangeError(`key ${key}: the blocked operation is not in its history`);

  const from = furthest.start.state;
  const state = model.describeState(furthest.state);
  const line = (operation: Operation<Input, Output>): string => {
    const name = model.describe(operation.input, operation.reply);
    const mark = operation === blocked ? "!" : " ";
    return `  ${mark} process ${String(operation.process).padEnd(4)} ${name.padEnd(20)} ${when(operation)}`;
  };
  const hidden = placed.length - PLACED_SHOWN_MAX;
  const lines = [
    `key ${key} is not linearizable: ${model.describe(blocked.input, blocked.reply)} by process ${blocked.process} ` +
      `(${when(blocked)}) fits into no order`,
  ];
  if (earlier.length > 0) lines.push("  checked before, the last of many:", ...earlier.map(line));
  lines.push(
    `  the longest order places ${placed.length} of ${operations.length} operations, from ` +
      `${model.describeState(from)} to ${state}:`,
  );
  if (hidden > 0) lines.push(`    ${hidden} operations, then`);
  lines.push(
    ...placed.slice(-PLACED_SHOWN_MAX).map(line),
    `  called before ! returned, and without a place after ${state}:`,
    ...unplaced.slice(0, UNPLACED_SHOWN_MAX).map(line),
  );
  if (unplaced.length > UNPLACED_SHOWN_MAX) lines.push(`    and ${unplaced.length - UNPLACED_SHOWN_MAX} more`);
  return { key, message: lines.join("\n"), earlier, from, placed, state: furthest.state, blocked, unplaced };
}

/** Words for a key that was given up. */
export function explainUndecided(key: string, limit: Undecided["limit"], max: number): Undecided {
  const what = {
    configurations: "configurations remembered by one search (configurationsMax)",
    ends: "situations that one segment may leave behind (endsMax)",
    operations: "operations that must be kept because the key never came to rest (segmentOperationsMax)",
  }[limit];
  const message =
    `key ${key} is undecided: the limit of ${max} ${what} was reached; raise it, or make the history shorter or ` +
    "less concurrent";
  return { key, message, limit };
}

function when<Input, Output>({ time, reply }: Operation<Input, Output>): string {
  return reply === null ? `called ${time}, outcome unknown` : `called ${time}, returned ${reply.time}`;
}
