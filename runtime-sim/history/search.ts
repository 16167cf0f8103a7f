/**
 * The search behind both checkers: can the operations of one key be put in an order that the model allows?
 *
 * Just-in-time linearization with memory (Wing & Gong 1993; Lowe 2016, "Testing for linearizability"). A configuration
 * is where the first return of an operation not yet placed stands (its *front*), which of the operations called before
 * it are left to place, and the state; the search places one of those left and goes on, and explores no configuration
 * twice. It goes depth first, which finds the order of a good history quickly. A history that resists is searched
 * front by front instead, which costs least when there is no order to find.
 *
 * Five rules keep the configurations few. Each drops only orders for which another, kept, does as well (the property
 * tests compare with a search that has no such rules):
 *
 * 1. Whatever only observes is placed as soon as the state allows it.
 * 2. Of operations left that are alike, the one that must return first goes first.
 * 3. An operation that overwrites may hide immediately before another that overwrites. So once one is placed, all the
 *    others left are *covered*: they need not be placed, and lapse when they return. They no longer double the
 *    configurations each.
 * 4. An operation that need not be placed (covered, or of unknown outcome) is placed only if the next one could not do
 *    without it.
 * 5. A configuration is dropped for another with the same front, state and operations that must return, if at least as
 *    many are covered there and no operation of unknown outcome is left here but not there.
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
  item,
  LEFT,
  Memory,
  NONE,
  PARENT,
  PLACED,
  STATE,
} from "./configurations.ts";
import { Ends } from "./ends.ts";
import { furthestOf } from "./furthest.ts";
import type { Model } from "./model.ts";
import { OBSERVES, OperationTables, OVERWRITES } from "./operation-tables.ts";
import type { SearchLimits, SearchResult, Segment, Start } from "./segment.ts";
import { REFUSED, States } from "./states.ts";

/** After so many configurations without coming further, the search goes front by front. */
const STUCK_MAX = 20_000;

/**
 * Searches one segment after another, with one set of buffers. Synchronous and deterministic: the same segment gives
 * the same result whatever was searched before.
 */
export class Searcher<State, Input, Output> {
  /** Configurations explored since it was made. */
  explored = 0;

  private readonly limits: SearchLimits;
  private readonly memory = new Memory();
  private readonly agenda = new Agenda(this.memory);
  private readonly states: States<State, Input, Output>;
  private readonly tables: OperationTables<State, Input, Output>;
  private starts: readonly Start<State>[] = [];
  private readonly ends = new Ends<State>();

  // Scratch of one configuration: what may be placed next, and the words that say what is left.
  private candidates = new Int32Array(0);
  private candidateStates = new Int32Array(0);
  private candidatesLength = 0;
  private candidateOfAlike = new Int32Array(0);
  private words = new Int32Array(0);

  /** The furthest front so far, and how many configurations were known when it was reached. */
  private furthestFront = 0;
  private countAtFurthest = 0;

  constructor(model: Model<State, Input, Output>, limits: SearchLimits) {
    this.limits = limits;
    this.states = new States(model);
    this.tables = new OperationTables(model);
  }

  /**
   * Whether the segment can be ordered from at least one of `starts`. With `allEnds` it goes on until it knows every
   * situation that the segment can leave behind, without those that another one can stand in for.
   */
  search(segment: Segment<Input, Output>, starts: readonly Start<State>[], allEnds: boolean): SearchResult<State> {
    this.prepare(segment, starts);
    // The last one pushed is explored first.
    for (let start = starts.length - 1; start >= 0; start--) this.begin(start);
    for (;;) {
      if (this.ends.all.length > this.limits.endsMax) return { verdict: "undecided", limit: "ends" };
      if (this.ends.all.length > 0 && !allEnds) break;
      if (this.memory.full) return { verdict: "undecided", limit: "configurations" };
      if (this.memory.count - this.countAtFurthest > STUCK_MAX) this.agenda.goFrontByFront();
      const row = this.agenda.pop();
      if (row === NONE) break;
      // Another may have come to stand in for it since.
      if (!this.memory.isDominated(row)) this.expand(row, allEnds);
    }
    if (this.ends.all.length > 0) return { verdict: "linearizable", open: this.tables.open, ends: this.ends.all };
    return {
      verdict: "violated",
      furthest: furthestOf({ memory: this.memory, tables: this.tables, states: this.states, starts }),
    };
  }

  // --- Setting up
  // -----------------------------------------------------------------------------------------------------

  private prepare(segment: Segment<Input, Output>, starts: readonly Start<State>[]): void {
    const { tables } = this;
    tables.prepare(segment);
    this.starts = starts;
    this.states.clear();
    this.ends.clear();
    this.agenda.clear();
    this.furthestFront = 0;
    this.countAtFurthest = 0;
    const operations = segment.operations.length;
    if (this.candidates.length < operations) {
      const size = Math.max(16, 2 * operations);
      this.candidates = new Int32Array(size);
      this.candidateStates = new Int32Array(size);
      this.candidateOfAlike = new Int32Array(size);
    }
    this.candidateOfAlike.fill(NONE, 0, operations);
    if (this.words.length !== tables.words) this.words = new Int32Array(tables.words);
    this.memory.clear(tables.knownWords, tables.words, this.limits.configurationsMax);
  }

  // --- Searching
  // ------------------------------------------------------------------------------------------------------

  /** Puts the configuration of one start on the agenda. */
  private begin(start: number): void {
    const { tables } = this;
    const { state, spent, covered } = item(this.starts, start);
    const stateId = this.states.idOf(state);
    this.words.fill(0);
    let coveredCall = 0;
    for (let operation = 0; operation < tables.carried; operation++) {
      if (spent.includes(operation) || !this.mustWait(stateId, operation)) continue;
      this.setLeft(operation);
      if (operation < covered && tables.canBeCovered(operation)) coveredCall = at(tables.callEvent, operation);
    }
    this.arrive(tables.carried, stateId, FREE, coveredCall, NONE, start);
  }

  private expand(row: number, allEnds: boolean): void {
    const { memory, tables } = this;
    const front = memory.field(row, FRONT);
    const state = memory.field(row, STATE);
    const covered = memory.field(row, COVERED);
    tables.readLeft(memory, row, front);
    this.collectCandidates(state, memory.field(row, BEFORE), covered);

    // The most promising last, so that depth first explores it first: what must be placed, by deadline; best of all, a
    // lapse.
    for (let candidate = this.candidatesLength - 1; candidate >= 0; candidate--) {
      this.place(row, at(this.candidates, candidate), at(this.candidateStates, candidate));
      if (memory.full || (this.ends.all.length > 0 && !allEnds)) return;
    }
    const returning = ~at(tables.eventOperation, front);
    if (tables.isOptional(returning, covered)) this.lapse(row, returning);
  }

  /** Collects what may be placed next: what must be placed at all, by deadline, then what is optional. */
  private collectCandidates(state: number, before: number, covered: number): void {
    const { tables } = this;
    this.candidatesLength = 0;
    for (let index = 0; index < tables.leftLength; index++) {
      const operation = at(tables.left, index);
      const kind = at(tables.kind, operation);
      // What observes and could be placed is placed already.
      if (kind === OBSERVES) continue;
      const after = this.states.step(state, item(tables.operations, operation));
      if (after === REFUSED) continue;
      if (kind !== OVERWRITES && after === state && tables.isOptional(operation, covered)) continue;
      // Rule 4, unless the optional operation before this one may have been placed for what it covers.
      if (
        before !== FREE &&
        (kind === OVERWRITES || (before & 1) === 0) &&
        this.states.step(before >> 1, item(tables.operations, operation)) === after
      ) {
        continue;
      }
      this.addAmongAlike(operation, after);
    }
    for (let place = 0; place < this.candidatesLength; place++) {
      this.candidateOfAlike[at(tables.alike, at(this.candidates, place))] = NONE;
    }
    this.sortCandidates(covered);
  }

  private addAmongAlike(operation: number, after: number): void {
    const { tables } = this;
    const alike = at(tables.alike, operation);
    const place = at(this.candidateOfAlike, alike);
    if (place === NONE) {
      this.candidateOfAlike[alike] = this.candidatesLength;
      this.candidates[this.candidatesLength] = operation;
      this.candidateStates[this.candidatesLength] = after;
      this.candidatesLength += 1;
    } else if (tables.isDueBefore(operation, at(this.candidates, place))) {
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
    const { tables } = this;
    const leftOptional = tables.isOptional(left, covered);
    if (leftOptional !== tables.isOptional(right, covered)) return !leftOptional;
    return tables.isDueBefore(left, right);
  }

  /** Goes from a configuration to the one after an operation is placed in it. */
  private place(row: number, placed: number, state: number): void {
    const { memory, tables } = this;
    const front = memory.field(row, FRONT);
    const stateBefore = memory.field(row, STATE);
    const coveredBefore = memory.field(row, COVERED);
    const overwrites = at(tables.kind, placed) === OVERWRITES;
    let before = FREE;
    if (tables.isOptional(placed, coveredBefore)) before = 2 * stateBefore + (overwrites ? 1 : 0);
    this.words.fill(0);
    let covered = 0;
    for (let index = 0; index < tables.leftLength; index++) {
      const operation = at(tables.left, index);
      if (operation === placed) continue;
      if (at(tables.kind, operation) === OBSERVES && this.states.allows(state, item(tables.operations, operation))) {
        before = FREE;
        continue;
      }
      this.setLeft(operation);
      const call = at(tables.callEvent, operation);
      if ((overwrites || call <= coveredBefore) && call > covered && tables.canBeCovered(operation)) covered = call;
    }
    this.arrive(placed === ~at(tables.eventOperation, front) ? front : front - 1, state, before, covered, row, placed);
  }

  /**
   * Goes from a configuration to the one after its front, where a covered operation returns without having been
   * placed.
   */
  private lapse(row: number, lapsed: number): void {
    const { memory, tables } = this;
    const coveredBefore = memory.field(row, COVERED);
    this.words.fill(0);
    let covered = 0;
    for (let index = 0; index < tables.leftLength; index++) {
      const operation = at(tables.left, index);
      if (operation === lapsed) continue;
      this.setLeft(operation);
      const call = at(tables.callEvent, operation);
      if (call <= coveredBefore && call > covered && tables.canBeCovered(operation)) covered = call;
    }
    this.arrive(memory.field(row, FRONT), memory.field(row, STATE), memory.field(row, BEFORE), covered, row, ~lapsed);
  }

  /**
   * From `passed`, the last event dealt with, goes to the next return of an operation that is left. Puts the
   * configuration there on the agenda unless it is known; past the last event, notes what the segment leaves behind.
   * What is left is in `words`.
   */
  private arrive(passed: number, state: number, before: number, covered: number, parent: number, placed: number): void {
    const { memory, tables } = this;
    let free = before === FREE;
    let event = passed + 1;
    for (; event <= tables.lastEvent; event++) {
      const operation = at(tables.eventOperation, event);
      if (operation >= 0) {
        if (this.mustWait(state, operation)) this.setLeft(operation);
        else if (!tables.isUnknown(operation)) free = true;
      } else if (this.isLeft(~operation)) {
        break;
      }
    }
    if (event > tables.lastEvent) {
      this.recordEnd(state, covered);
      return;
    }
    this.explored += 1;
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

  /**
   * False for an operation that is over as soon as it is called: seen at once (rule 1), or an observation that nobody
   * saw.
   */
  private mustWait(state: number, operation: number): boolean {
    const { tables } = this;
    return (
      at(tables.kind, operation) !== OBSERVES ||
      !(tables.isUnknown(operation) || this.states.allows(state, item(tables.operations, operation)))
    );
  }

  private setLeft(operation: number): void {
    const bit = at(this.tables.bit, operation);
    this.words[bit >>> 5] = at(this.words, bit >>> 5) | (1 << (bit & 31));
  }

  private isLeft(operation: number): boolean {
    const bit = at(this.tables.bit, operation);
    return (at(this.words, bit >>> 5) & (1 << (bit & 31))) !== 0;
  }

  /** Notes what the segment leaves behind, past its last event. */
  private recordEnd(state: number, coveredCall: number): void {
    const { tables } = this;
    const { open } = tables;
    const spent: number[] = [];
    let covered = 0;
    for (let place = 0; place < open.length; place++) {
      const operation = open[place] ?? 0;
      if (!this.isLeft(operation)) spent.push(place);
      if (at(tables.callEvent, operation) === coveredCall) covered = place + 1;
    }
    const isUnknown = (place: number): boolean => tables.isUnknown(open[place] ?? 0);
    this.ends.add(state, { state: this.states.get(state), spent, covered }, isUnknown);
  }
}

function countBits(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
