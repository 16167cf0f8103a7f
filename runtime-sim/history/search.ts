/**
 * The search behind both checkers: can the operations of one key be put in an order that the model allows?
 *
 * Just-in-time linearization with memory (Wing & Gong 1993; Lowe 2016, "Testing for linearizability"). A configuration is where the
 * first return of an operation not yet placed stands (its *front*), which of the operations called before it are left to place, and
 * the state; the search places one of those left and goes on, and explores no configuration twice. It goes depth first, which
 * finds the order of a good history quickly. A history that resists is searched front by front instead, which costs least when
 * there is no order to find.
 *
 * Five rules keep the configurations few. Each drops only orders for which another, kept, does as well (the property tests
 * compare with a search that has no such rules):
 *
 * 1. Whatever only observes is placed as soon as the state allows it.
 * 2. Of operations left that are alike, the one that must return first goes first.
 * 3. An operation that overwrites may hide immediately before another that overwrites. So once one is placed, all the others left
 *    are *covered*: they need not be placed, and lapse when they return. They no longer double the configurations each.
 * 4. An operation that need not be placed (covered, or of unknown outcome) is placed only if the next one could not do without it.
 * 5. A configuration is dropped for another with the same front, state and operations that must return, if at least as many
 *    are covered there and no operation of unknown outcome is left here but not there.
 *
 * It does not partition by key, sort events, or word messages: see `linearizability.ts` and `incremental.ts`.
 */

import {
  Agenda,
  at,
  BEFORE,
  COVERED,
  FREE,
  FRONT,
  LEFT,
  Memory,
  NONE,
  PARENT,
  PLACED,
  STATE,
} from "./configurations.ts";
import type { Model, Operation, OperationKind } from "./model.ts";

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
  /** How many configurations one search may remember. Each takes 40 bytes or a little more; all together never over 256 MiB. */
  readonly configurationsMax: number;
  /** How many situations one search for all ends may leave behind. */
  readonly endsMax: number;
}

const OTHER = 0;
const OBSERVES = 1;
const OVERWRITES = 2;
const KINDS: Readonly<Record<OperationKind, number>> = { other: OTHER, observes: OBSERVES, overwrites: OVERWRITES };

/** State id of a step that the model refuses. */
const REFUSED = -1;
/** After so many configurations without coming further, the search goes front by front. */
const STUCK_MAX = 20_000;

function item<T extends object>(array: readonly T[], index: number): T {
  const value = array[index];
  if (value === undefined) throw new RangeError(`history search: index ${index} outside of ${array.length}`);
  return value;
}

/**
 * Searches one segment after another, with one set of buffers. Synchronous and deterministic: the same segment gives the same
 * result whatever was searched before.
 */
export class Searcher<State, Input, Output> {
  /** Configurations explored since it was made. */
  explored = 0;

  private readonly model: Model<State, Input, Output>;
  private readonly limits: SearchLimits;
  private readonly memory = new Memory();
  private readonly agenda = new Agenda(this.memory);

  private readonly states: { readonly state: State }[] = [];
  private readonly stateIds = new Map<string | number, number>();
  private readonly operationIds = new Map<string | number, number>();
  private operations: readonly Operation<Input, Output>[] = [];
  private starts: readonly Start<State>[] = [];
  private carried = 0;

  // By operation. A return event of 0 means that it does not return in this segment.
  private kind = new Uint8Array(0);
  private alike = new Int32Array(0);
  private callEvent = new Int32Array(0);
  private returnEvent = new Int32Array(0);
  private deadline = new Float64Array(0);
  /** Its bit among the words that say what is left: operations that are open at once never share one. */
  private bit = new Int32Array(0);
  private previousWithBit = new Int32Array(0);

  /** By event, from 1: the operation called, or the complement of the one that returns. */
  private eventOperation = new Int32Array(0);
  private lastEvent = 0;

  /** What the bits stand for before event `bitsEvent`. */
  private operationOfBit = new Int32Array(0);
  private bitsEvent = 0;

  // Scratch of one configuration: what is left there, and what may be placed next.
  private left = new Int32Array(0);
  private leftLength = 0;
  private candidates = new Int32Array(0);
  private candidateStates = new Int32Array(0);
  private candidatesLength = 0;
  private candidateOfAlike = new Int32Array(0);
  private words = new Int32Array(0);

  /** The furthest front so far, and how many configurations were known when it was reached. */
  private furthestFront = 0;
  private countAtFurthest = 0;

  // What is found.
  private open: number[] = [];
  private ends: Start<State>[] = [];
  private readonly endsByState = new Map<number, Start<State>[]>();

  constructor(model: Model<State, Input, Output>, limits: SearchLimits) {
    this.model = model;
    this.limits = limits;
  }

  /**
   * Whether the segment can be ordered from at least one of `starts`. With `allEnds` it goes on until it knows every situation that
   * the segment can leave behind, without those that another one can stand in for.
   */
  search(segment: Segment<Input, Output>, starts: readonly Start<State>[], allEnds: boolean): SearchResult<State> {
    this.prepare(segment, starts);
    // The last one pushed is explored first.
    for (let start = starts.length - 1; start >= 0; start--) this.begin(start);
    for (;;) {
      if (this.ends.length > this.limits.endsMax) return { verdict: "undecided", limit: "ends" };
      if (this.ends.length > 0 && !allEnds) break;
      if (this.memory.full) return { verdict: "undecided", limit: "configurations" };
      if (this.memory.count - this.countAtFurthest > STUCK_MAX) this.agenda.goFrontByFront();
      const row = this.agenda.pop();
      if (row === NONE) break;
      // Another may have come to stand in for it since.
      if (!this.memory.isDominated(row)) this.expand(row, allEnds);
    }
    if (this.ends.length > 0) return { verdict: "linearizable", open: this.open, ends: this.ends };
    return { verdict: "violated", furthest: this.describeFurthest() };
  }

  // --- Setting up -----------------------------------------------------------------------------------------------------

  private prepare({ operations, carried, events }: Segment<Input, Output>, starts: readonly Start<State>[]): void {
    this.operations = operations;
    this.starts = starts;
    this.carried = carried;
    this.lastEvent = carried + events.length;
    this.reserve(operations.length, this.lastEvent);
    this.states.length = 0;
    this.stateIds.clear();
    this.operationIds.clear();
    this.open = [];
    this.ends = [];
    this.endsByState.clear();
    this.agenda.clear();
    this.furthestFront = 0;
    this.countAtFurthest = 0;

    for (let operation = 0; operation < operations.length; operation++) this.classify(operation);
    const knownWords = this.readEvents(carried, events);
    for (let operation = 0; operation < operations.length; operation++) {
      if (at(this.returnEvent, operation) === 0) this.open.push(operation);
    }
    this.memory.clear(knownWords, this.words.length, this.limits.configurationsMax);
  }

  private classify(operation: number): void {
    const { input, reply } = item(this.operations, operation);
    this.kind[operation] = this.model.kind === undefined ? OTHER : KINDS[this.model.kind(input, reply)];
    this.deadline[operation] = reply === null ? Number.POSITIVE_INFINITY : reply.index;
    this.returnEvent[operation] = 0;
    this.candidateOfAlike[operation] = NONE;
    if (this.model.operationKey === undefined) {
      this.alike[operation] = operation;
      return;
    }
    const key = this.model.operationKey(input, reply);
    const known = this.operationIds.get(key);
    if (known === undefined) this.operationIds.set(key, operation);
    this.alike[operation] = known ?? operation;
  }

  /**
   * Notes where each operation is called and returns, and gives it a bit: in the first words if its reply is known, in further words if
   * not. Says how many the first words are.
   */
  private readEvents(carried: number, events: readonly number[]): number {
    const freeBits: number[] = [];
    let known = 0;
    let unknown = 0;
    for (let event = 1; event <= this.lastEvent; event++) {
      const code = event <= carried ? 2 * (event - 1) : events[event - carried - 1];
      if (code === undefined) throw new RangeError("history search: an event is missing");
      const operation = code >> 1;
      if ((code & 1) === 0) {
        this.callEvent[operation] = event;
        this.eventOperation[event] = operation;
        this.bit[operation] = this.isUnknown(operation) ? unknown++ : (freeBits.pop() ?? known++);
      } else {
        this.returnEvent[operation] = event;
        this.eventOperation[event] = ~operation;
        freeBits.push(at(this.bit, operation));
      }
    }
    const knownWords = (known + 31) >>> 5;
    if (unknown > 0) {
      for (let operation = 0; operation < this.operations.length; operation++) {
        if (this.isUnknown(operation)) this.bit[operation] = at(this.bit, operation) + 32 * knownWords;
      }
    }
    const words = knownWords + ((unknown + 31) >>> 5);
    if (this.words.length !== words) this.words = new Int32Array(words);
    if (this.operationOfBit.length < 32 * words) this.operationOfBit = new Int32Array(64 * words);
    this.bitsEvent = 1;
    return knownWords;
  }

  private reserve(operations: number, events: number): void {
    if (this.kind.length < operations) {
      const size = Math.max(16, 2 * operations);
      this.kind = new Uint8Array(size);
      this.alike = new Int32Array(size);
      this.callEvent = new Int32Array(size);
      this.returnEvent = new Int32Array(size);
      this.deadline = new Float64Array(size);
      this.bit = new Int32Array(size);
      this.previousWithBit = new Int32Array(size);
      this.left = new Int32Array(size);
      this.candidates = new Int32Array(size);
      this.candidateStates = new Int32Array(size);
      this.candidateOfAlike = new Int32Array(size);
    }
    if (this.eventOperation.length <= events) this.eventOperation = new Int32Array(2 * events + 1);
  }

  // --- Searching ------------------------------------------------------------------------------------------------------

  /** Puts the configuration of one start on the agenda. */
  private begin(start: number): void {
    const { state, spent, covered } = item(this.starts, start);
    const stateId = this.stateId(state);
    this.words.fill(0);
    let coveredCall = 0;
    for (let operation = 0; operation < this.carried; operation++) {
      if (spent.includes(operation) || !this.mustWait(stateId, operation)) continue;
      this.setLeft(operation);
      if (operation < covered && this.canBeCovered(operation)) coveredCall = at(this.callEvent, operation);
    }
    this.arrive(this.carried, stateId, FREE, coveredCall, NONE, start);
  }

  private expand(row: number, allEnds: boolean): void {
    const { memory } = this;
    const front = memory.field(row, FRONT);
    const state = memory.field(row, STATE);
    const covered = memory.field(row, COVERED);
    this.readLeft(row, front);
    this.collectCandidates(state, memory.field(row, BEFORE), covered);

    // The most promising last, so that depth first explores it first: what must be placed, by deadline; best of all, a lapse.
    for (let candidate = this.candidatesLength - 1; candidate >= 0; candidate--) {
      this.place(row, at(this.candidates, candidate), at(this.candidateStates, candidate));
      if (memory.full || (this.ends.length > 0 && !allEnds)) return;
    }
    const returning = ~at(this.eventOperation, front);
    if (this.isOptional(returning, covered)) this.lapse(row, returning);
  }

  private readLeft(row: number, front: number): void {
    this.seek(front);
    this.leftLength = 0;
    for (let word = 0; word < this.words.length; word++) {
      for (let bits = this.memory.word(row, word); bits !== 0; bits &= bits - 1) {
        const bit = 32 * word + 31 - Math.clz32(bits & -bits);
        this.left[this.leftLength] = at(this.operationOfBit, bit);
        this.leftLength += 1;
      }
    }
  }

  /** Moves to before an event, so that each bit stands for the operation that has it there. */
  private seek(event: number): void {
    for (; this.bitsEvent < event; this.bitsEvent++) {
      const operation = at(this.eventOperation, this.bitsEvent);
      if (operation < 0) continue;
      const bit = at(this.bit, operation);
      this.previousWithBit[operation] = at(this.operationOfBit, bit);
      this.operationOfBit[bit] = operation;
    }
    while (this.bitsEvent > event) {
      this.bitsEvent -= 1;
      const operation = at(this.eventOperation, this.bitsEvent);
      if (operation >= 0) this.operationOfBit[at(this.bit, operation)] = at(this.previousWithBit, operation);
    }
  }

  /** Collects what may be placed next: what must be placed at all, by deadline, then what is optional. */
  private collectCandidates(state: number, before: number, covered: number): void {
    this.candidatesLength = 0;
    for (let index = 0; index < this.leftLength; index++) {
      const operation = at(this.left, index);
      const kind = at(this.kind, operation);
      // What observes and could be placed is placed already.
      if (kind === OBSERVES) continue;
      const after = this.step(state, operation);
      if (after === REFUSED) continue;
      if (kind !== OVERWRITES && after === state && this.isOptional(operation, covered)) continue;
      // Rule 4, unless the optional operation before this one may have been placed for what it covers.
      if (
        before !== FREE &&
        (kind === OVERWRITES || (before & 1) === 0) &&
        this.step(before >> 1, operation) === after
      ) {
        continue;
      }
      this.addAmongAlike(operation, after);
    }
    for (let place = 0; place < this.candidatesLength; place++) {
      this.candidateOfAlike[at(this.alike, at(this.candidates, place))] = NONE;
    }
    this.sortCandidates(covered);
  }

  private addAmongAlike(operation: number, after: number): void {
    const alike = at(this.alike, operation);
    const place = at(this.candidateOfAlike, alike);
    if (place === NONE) {
      this.candidateOfAlike[alike] = this.candidatesLength;
      this.candidates[this.candidatesLength] = operation;
      this.candidateStates[this.candidatesLength] = after;
      this.candidatesLength += 1;
    } else if (this.isDueBefore(operation, at(this.candidates, place))) {
      this.candidates[place] = operation;
    }
  }

  /** Insertion sort: there are as many candidates as clients at most, and seldom more than two or three. */
  private sortCandidates(covered: number): void {
    for (let from = 1; from < this.candidatesLength; from++) {
      const operation = at(this.candidates, from);
      const state = at(this.candidateStates, from);
      let to = from;
      while (to > 0 && this.precedes(operation, at(this.candidates, to - 1), covered)) {
        this.candidates[to] = at(this.candidates, to - 1);
        this.candidateStates[to] = at(this.candidateStates, to - 1);
        to -= 1;
      }
      this.candidates[to] = operation;
      this.candidateStates[to] = state;
    }
  }

  private precedes(left: number, right: number, covered: number): boolean {
    const leftOptional = this.isOptional(left, covered);
    if (leftOptional !== this.isOptional(right, covered)) return !leftOptional;
    return this.isDueBefore(left, right);
  }

  /** A total order, so that of operations alike it is always the same one that goes first. */
  private isDueBefore(left: number, right: number): boolean {
    const leftDeadline = at(this.deadline, left);
    const rightDeadline = at(this.deadline, right);
    return leftDeadline === rightDeadline ? left < right : leftDeadline < rightDeadline;
  }

  /** Goes from a configuration to the one after an operation is placed in it. */
  private place(row: number, placed: number, state: number): void {
    const { memory } = this;
    const front = memory.field(row, FRONT);
    const stateBefore = memory.field(row, STATE);
    const coveredBefore = memory.field(row, COVERED);
    const overwrites = at(this.kind, placed) === OVERWRITES;
    let before = FREE;
    if (this.isOptional(placed, coveredBefore)) before = 2 * stateBefore + (overwrites ? 1 : 0);
    this.words.fill(0);
    let covered = 0;
    for (let index = 0; index < this.leftLength; index++) {
      const operation = at(this.left, index);
      if (operation === placed) continue;
      if (at(this.kind, operation) === OBSERVES && this.allows(state, operation)) {
        before = FREE;
        continue;
      }
      this.setLeft(operation);
      const call = at(this.callEvent, operation);
      if ((overwrites || call <= coveredBefore) && call > covered && this.canBeCovered(operation)) covered = call;
    }
    this.arrive(placed === ~at(this.eventOperation, front) ? front : front - 1, state, before, covered, row, placed);
  }

  /** Goes from a configuration to the one after its front, where a covered operation returns without having been placed. */
  private lapse(row: number, lapsed: number): void {
    const { memory } = this;
    const coveredBefore = memory.field(row, COVERED);
    this.words.fill(0);
    let covered = 0;
    for (let index = 0; index < this.leftLength; index++) {
      const operation = at(this.left, index);
      if (operation === lapsed) continue;
      this.setLeft(operation);
      const call = at(this.callEvent, operation);
      if (call <= coveredBefore && call > covered && this.canBeCovered(operation)) covered = call;
    }
    this.arrive(memory.field(row, FRONT), memory.field(row, STATE), memory.field(row, BEFORE), covered, row, ~lapsed);
  }

  /**
   * From `passed`, the last event dealt with, goes to the next return of an operation that is left. Puts the configuration there on the
   * agenda unless it is known; past the last event, notes what the segment leaves behind. What is left is in `words`.
   */
  private arrive(passed: number, state: number, before: number, covered: number, parent: number, placed: number): void {
    let free = before === FREE;
    let event = passed + 1;
    for (; event <= this.lastEvent; event++) {
      const operation = at(this.eventOperation, event);
      if (operation >= 0) {
        if (this.mustWait(state, operation)) this.setLeft(operation);
        else if (!this.isUnknown(operation)) free = true;
      } else if (this.isLeft(~operation)) {
        break;
      }
    }
    if (event > this.lastEvent) {
      this.recordEnd(state, covered);
      return;
    }
    this.explored += 1;
    const { memory } = this;
    const row = memory.draft();
    memory.set(row, FRONT, event);
    memory.set(row, STATE, state);
    memory.set(row, BEFORE, free ? FREE : before);
    memory.set(row, COVERED, covered);
    memory.set(row, PARENT, parent);
    memory.set(row, PLACED, placed);
    let left = 0;
    for (let word = 0; word < this.words.length; word++) {
      const bits = at(this.words, word);
      memory.setWord(row, word, bits);
      left += countBits(bits);
    }
    memory.set(row, LEFT, left);
    if (memory.isDominated(row)) return;
    memory.keep(row);
    this.agenda.push(row);
    if (event > this.furthestFront) {
      this.furthestFront = event;
      this.countAtFurthest = row;
    }
  }

  /** False for an operation that is over as soon as it is called: seen at once (rule 1), or an observation that nobody saw. */
  private mustWait(state: number, operation: number): boolean {
    return at(this.kind, operation) !== OBSERVES || !(this.isUnknown(operation) || this.allows(state, operation));
  }

  /** Whether an operation that is left may stay so for ever. */
  private isOptional(operation: number, covered: number): boolean {
    if (this.isUnknown(operation)) return true;
    return at(this.kind, operation) === OVERWRITES && at(this.callEvent, operation) <= covered;
  }

  private canBeCovered(operation: number): boolean {
    return at(this.kind, operation) === OVERWRITES && !this.isUnknown(operation);
  }

  private isUnknown(operation: number): boolean {
    return at(this.deadline, operation) === Number.POSITIVE_INFINITY;
  }

  private setLeft(operation: number): void {
    const bit = at(this.bit, operation);
    this.words[bit >>> 5] = at(this.words, bit >>> 5) | (1 << (bit & 31));
  }

  private isLeft(operation: number): boolean {
    const bit = at(this.bit, operation);
    return (at(this.words, bit >>> 5) & (1 << (bit & 31))) !== 0;
  }

  private stateId(state: State): number {
    const key = this.model.stateKey(state);
    const known = this.stateIds.get(key);
    if (known !== undefined) return known;
    const id = this.states.length;
    this.states.push({ state });
    this.stateIds.set(key, id);
    return id;
  }

  private step(state: number, operation: number): number {
    const { input, reply } = item(this.operations, operation);
    const step = this.model.step(item(this.states, state).state, input, reply);
    return step.ok ? this.stateId(step.state) : REFUSED;
  }

  private allows(state: number, operation: number): boolean {
    const { input, reply } = item(this.operations, operation);
    return this.model.step(item(this.states, state).state, input, reply).ok;
  }

  // --- Reporting ------------------------------------------------------------------------------------------------------

  private recordEnd(state: number, coveredCall: number): void {
    const spent: number[] = [];
    let covered = 0;
    for (let place = 0; place < this.open.length; place++) {
      const operation = this.open[place] ?? 0;
      if (!this.isLeft(operation)) spent.push(place);
      if (at(this.callEvent, operation) === coveredCall) covered = place + 1;
    }
    const end: Start<State> = { state: item(this.states, state).state, spent, covered };
    const others = this.endsByState.get(state);
    if (others === undefined) {
      this.endsByState.set(state, [end]);
      this.ends.push(end);
      return;
    }
    if (others.some((other) => this.standsIn(other, end))) return;
    const kept = others.filter((other) => !this.standsIn(end, other));
    if (kept.length < others.length)
      this.ends = this.ends.filter((other) => !others.includes(other) || kept.includes(other));
    kept.push(end);
    this.endsByState.set(state, kept);
    this.ends.push(end);
  }

  /** Rule 5 for ends: whether everything possible after `right` is possible after `left`, both in the same state. */
  private standsIn(left: Start<State>, right: Start<State>): boolean {
    if (left.covered < right.covered) return false;
    const spentRight = new Set(right.spent);
    if (left.spent.some((place) => !spentRight.has(place))) return false;
    if (left.spent.length === right.spent.length) return true;
    const spentLeft = new Set(left.spent);
    return right.spent.every((place) => spentLeft.has(place) || this.isUnknown(this.open[place] ?? 0));
  }

  private describeFurthest(): Furthest<State> {
    const { memory } = this;
    let furthest = 0;
    for (let row = 1; row < memory.count; row++) {
      const ahead = memory.field(row, FRONT) - memory.field(furthest, FRONT);
      if (ahead > 0 || (ahead === 0 && memory.field(row, LEFT) < memory.field(furthest, LEFT))) furthest = row;
    }
    const path = [furthest];
    for (let row = memory.field(furthest, PARENT); row !== NONE; row = memory.field(row, PARENT)) path.push(row);
    path.reverse();

    const start = item(this.starts, memory.field(path[0] ?? 0, PLACED));
    const front = memory.field(furthest, FRONT);
    this.readLeft(furthest, front);
    const unplaced = [...this.left.subarray(0, this.leftLength)];
    unplaced.sort((left, right) => at(this.callEvent, left) - at(this.callEvent, right));
    return {
      start,
      placed: this.orderOf(path, start),
      state: item(this.states, memory.field(furthest, STATE)).state,
      blocked: ~at(this.eventOperation, front),
      unplaced,
    };
  }

  /** The operations placed on a path of configurations, with what observed or was hidden on the way. */
  private orderOf(path: readonly number[], start: Start<State>): number[] {
    const order: number[] = [];
    let lastOverwrite = NONE;
    let waiting: number[] = [];
    for (let operation = 0; operation < this.carried; operation++) {
      if (!start.spent.includes(operation)) waiting.push(operation);
    }
    let passed = this.carried;
    for (const row of path) {
      const placed = this.memory.field(row, PLACED);
      const isStart = this.memory.field(row, PARENT) === NONE;
      if (!isStart && placed >= 0) {
        if (at(this.kind, placed) === OVERWRITES) lastOverwrite = order.length;
        order.push(placed);
      } else if (!isStart && lastOverwrite !== NONE) {
        // What lapsed is hidden immediately before what covers it, unless that is before the segment.
        order.splice(lastOverwrite, 0, ~placed);
        lastOverwrite += 1;
      }
      const front = this.memory.field(row, FRONT);
      for (let event = passed + 1; event < front; event++) {
        const operation = at(this.eventOperation, event);
        if (operation >= 0) waiting.push(operation);
      }
      passed = front - 1;
      this.readLeft(row, front);
      const left = new Set(this.left.subarray(0, this.leftLength));
      for (const operation of waiting) {
        const isSeen = at(this.kind, operation) === OBSERVES && !this.isUnknown(operation) && !left.has(operation);
        if (isSeen) order.push(operation);
      }
      waiting = waiting.filter((operation) => left.has(operation));
    }
    return order;
  }
}

function countBits(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
