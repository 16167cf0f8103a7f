/**
 * The history of one family of records, each record apart.
 *
 * The order of the log is tried first: where the model allows every answer in it, and it does not contradict the order
 * of calls and answers, nothing has to be searched, however many operations are of unknown outcome. Only where that
 * fails, the history of that record is given to the search, which decides.
 */
import { type ApplyResult, type Command, decodeEntryData, type Entry } from "../../core/index.ts";
import { ContinuousChecker, type Finding, type Pending, Witness } from "../history/index.ts";
import type { ClientOperation } from "../workload/index.ts";
import { momentText } from "../world/index.ts";
import { type Family, type Known, knownOf } from "./family.ts";
import { isSame } from "./same.ts";

/** A search that goes beyond this is given up: that counts as a violation. */
const CONFIGURATIONS_MAX = 50_000;
/** Settled operations that a message shows. */
const SHOWN_MAX = 12;

interface Call<Input, Output> {
  readonly operation: ClientOperation;
  readonly input: Input;
  /** Committed when it was called. */
  readonly commitIndex: number;
  /** The highest position that had been answered on this record when it was called. */
  readonly floor: number;
  known: Known<Output> | null;
  /** Once the search has it. */
  pending: Pending | null;
  /** Of the first entry that holds it: a retry's has no effect, though it may be the one that is answered. */
  effectIndex: number | null;
  /** Whether it has its place in the order of the log. */
  isPlaced: boolean;
}

/** A first entry of late. `call`: whose it is, if it says so. */
interface Committed<Input, Output> {
  readonly index: number;
  readonly call: Call<Input, Output> | null;
  readonly command: Command;
}

interface Key<State, Input, Output> {
  readonly key: string;
  readonly witness: Witness<State, Input, Output>;
  /** Calls and returns in the order in which they happened, for a search. */
  readonly events: Call<Input, Output>[];
  readonly underWay: Set<Call<Input, Output>>;
  /** Writes of unknown outcome that have not been seen in the log. */
  readonly unknown: Set<Call<Input, Output>>;
  /** Answered and not placed yet. */
  answered: Call<Input, Output>[];
  /** Committed and not placed yet, in order. */
  entries: Committed<Input, Output>[];
  /** Their indexes, of entries whose callers were told that they had no effect on the record. */
  readonly withoutEffect: Set<number>;
  /** The highest position that has been answered. */
  highest: number;
  /** By session and sequence. */
  readonly bySequence: Map<string, Call<Input, Output>>;
  isSearched: boolean;
}

export interface HistoryListener {
  nowMs(): number;
  commitIndex(): number;
  /** What the first node that applied the entry got; undefined: nobody has, or it is too long ago. */
  resultAt(index: number): ApplyResult | null | undefined;
  violated(message: () => string): void;
}

export class FamilyHistory<State, Input, Output> {
  readonly #family: Family<State, Input, Output>;
  readonly #listener: HistoryListener;
  readonly #checker: ContinuousChecker<State, Input, Output>;
  readonly #keys = new Map<string, Key<State, Input, Output>>();
  /** Under way, by the number of the operation. */
  readonly #calls = new Map<number, { readonly key: Key<State, Input, Output>; readonly call: Call<Input, Output> }>();

  constructor(family: Family<State, Input, Output>, listener: HistoryListener) {
    this.#family = family;
    this.#listener = listener;
    this.#checker = new ContinuousChecker(family.model, { configurationsMax: CONFIGURATIONS_MAX });
  }

  invoked(operation: ClientOperation): void {
    const { asked, id, session, sequence } = operation;
    if (asked.kind === "read" && asked.consistency === "stale") return;
    const about = this.#family.callOf(asked);
    if (about === null) return;
    const key = this.#keyOf(about.key);
    const call: Call<Input, Output> = {
      operation,
      input: about.input,
      commitIndex: this.#listener.commitIndex(),
      floor: key.highest,
      known: null,
      pending: null,
      effectIndex: null,
      isPlaced: false,
    };
    this.#calls.set(id, { key, call });
    key.underWay.add(call);
    key.events.push(call);
    const request = `${session}/${sequence}`;
    // One that asks for what is gone may have the number of an earlier one.
    if (session !== 0 && !key.bySequence.has(request)) key.bySequence.set(request, call);
    if (key.isSearched) this.#beginSearch(key, call);
  }

  /** Whether it was about a record of the family. */
  completed(operation: ClientOperation): boolean {
    const found = this.#calls.get(operation.id);
    if (found === undefined) return false;
    this.#calls.delete(operation.id);
    const { key, call } = found;
    key.underWay.delete(call);
    key.events.push(call);
    call.known = knownOf(this.#family, operation);
    if (call.known === "unknown") {
      if (operation.asked.kind === "write" && !call.isPlaced) key.unknown.add(call);
    } else if (call.known === "failed") {
      const { answer } = operation;
      if (answer?.kind === "applied") key.withoutEffect.add(answer.index);
    } else {
      key.answered.push(call);
      key.highest = Math.max(key.highest, positionOf(call));
    }
    if (key.isSearched) this.#endSearch(call);
    else this.#place(key, false);
    return true;
  }

  committedEntry({ data, index }: Entry): void {
    const { request } = decodeEntryData(data);
    if (request === undefined) return;
    const about = this.#family.callOf({ kind: "write", command: request.command });
    if (about === null) return;
    const key = this.#keys.get(about.key);
    // Before the first call nobody can have asked.
    if (key === undefined || key.isSearched) return;
    const { session } = request;
    const call = session === null ? null : (key.bySequence.get(`${session.id}/${session.sequence}`) ?? null);
    if (call !== null && call.effectIndex !== null) return;
    if (call !== null) call.effectIndex = index;
    key.entries.push({ index, call, command: request.command });
  }

  finished(): void {
    for (const key of this.#keys.values()) {
      for (const call of key.underWay) if (call.operation.asked.kind === "write") key.unknown.add(call);
      key.underWay.clear();
      if (!key.isSearched) this.#place(key, true);
    }
    for (const finding of this.#checker.finish()) this.#report(finding);
  }

  #keyOf(name: string): Key<State, Input, Output> {
    const known = this.#keys.get(name);
    if (known !== undefined) return known;
    const key: Key<State, Input, Output> = {
      key: name,
      witness: new Witness(this.#family.model),
      events: [],
      underWay: new Set(),
      unknown: new Set(),
      answered: [],
      entries: [],
      withoutEffect: new Set(),
      highest: 0,
      bySequence: new Map(),
      isSearched: false,
    };
    this.#keys.set(name, key);
    return key;
  }

  // ---- In the order of the log

  /** Places what can have nothing before it any more: whatever is under way takes effect after its call. */
  #place(key: Key<State, Input, Output>, isLast: boolean): void {
    let until = Number.POSITIVE_INFINITY;
    for (const { commitIndex } of key.underWay) until = Math.min(until, commitIndex);
    // What became of the last entries may not be known yet.
    for (const { index } of isLast ? [] : key.entries)
      if (this.#listener.resultAt(index) === undefined) until = Math.min(until, index - 1);
    const due = key.answered.filter((call) => positionOf(call) <= 2 * until + 1);
    const entries = key.entries.filter(({ index }) => index <= until);
    if (due.length > 0) key.answered = key.answered.filter((call) => positionOf(call) > 2 * until + 1);
    if (entries.length > 0) key.entries = key.entries.slice(entries.length);
    due.sort((left, right) => positionOf(left) - positionOf(right));
    let next = 0;
    const placeEntriesBefore = (position: number): void => {
      for (; next < entries.length && 2 * (entries[next]?.index ?? 0) < position; next++) {
        const entry = entries[next];
        if (entry !== undefined) this.#placeUnknown(key, entry);
      }
    };
    for (const call of due) {
      const position = positionOf(call);
      placeEntriesBefore(position);
      // Its own entry.
      if (2 * (entries[next]?.index ?? 0) === position) next += 1;
      const { known } = call;
      const output = known !== null && typeof known === "object" ? known.output : null;
      if (!this.#placeAt(key, call, position, output)) {
        this.#search(key);
        return;
      }
    }
    placeEntriesBefore(Number.POSITIVE_INFINITY);
  }

  /** An entry that nobody was told of. */
  #placeUnknown(key: Key<State, Input, Output>, { index, call, command }: Committed<Input, Output>): void {
    if (key.withoutEffect.delete(index)) return;
    const whose = call ?? this.#whoseIs(key, command);
    if (whose === null || !key.unknown.has(whose)) return;
    // It may have been refused for what has nothing to do with this record.
    const result = this.#listener.resultAt(index) ?? null;
    const output = result === null ? null : this.#family.outputOf(result);
    if (result !== null && output === null) {
      whose.isPlaced = true;
      key.unknown.delete(whose);
    } else {
      this.#placeAt(key, whose, 2 * index, output);
    }
  }

  /** Who may have asked for this without a session. */
  #whoseIs(key: Key<State, Input, Output>, command: Command): Call<Input, Output> | null {
    for (const call of key.unknown) {
      const { session, asked } = call.operation;
      if (session === 0 && asked.kind === "write" && isSame(asked.command, command)) return call;
    }
    return null;
  }

  #placeAt(
    key: Key<State, Input, Output>,
    call: Call<Input, Output>,
    position: number,
    output: Output | null,
  ): boolean {
    call.isPlaced = true;
    key.unknown.delete(call);
    const { operation, input, floor } = call;
    return key.witness.place({
      input,
      answer: output === null ? null : { output },
      position,
      floor,
      isRead: operation.asked.kind === "read",
    });
  }

  // ---- By a search

  /** Begins to search on this record, from the beginning. */
  #search(key: Key<State, Input, Output>): void {
    key.isSearched = true;
    key.answered = [];
    key.entries = [];
    const begun = new Set<Call<Input, Output>>();
    for (const call of key.events) {
      if (begun.has(call)) this.#endSearch(call);
      else this.#beginSearch(key, call);
      begun.add(call);
    }
  }

  #beginSearch(key: Key<State, Input, Output>, call: Call<Input, Output>): void {
    const { client, invokedAtMs } = call.operation;
    call.pending = this.#checker.begin({ process: client, key: key.key, input: call.input, time: invokedAtMs });
  }

  #endSearch({ pending, known, operation }: Call<Input, Output>): void {
    if (pending === null || known === null) return;
    if (known === "unknown") this.#report(this.#checker.unknown(pending));
    else if (known === "failed") this.#report(this.#checker.fail(pending));
    else this.#report(this.#checker.end(pending, known.output, operation.completedAtMs ?? this.#listener.nowMs()));
  }

  #report(finding: Finding<State, Input, Output> | null): void {
    if (finding === null) return;
    this.#listener.violated(() => {
      const calls = new Set((this.#keys.get(finding.key)?.events ?? []).filter(({ known }) => known !== null));
      const lines = [...calls].slice(-SHOWN_MAX).map((call) => `    ${this.#describe(call)}`);
      return [finding.message, "  the latest on this key:", ...lines].join("\n");
    });
  }

  #describe({ operation, input, known }: Call<Input, Output>): string {
    const { id, client, invokedAtMs, invokedEvent, completedAtMs, completedEvent, answer } = operation;
    const { model } = this.#family;
    const what =
      known === "failed"
        ? `${model.describe(input, null)} (without effect)`
        : model.describe(input, typeof known === "string" ? null : known);
    const index = answer !== null && "index" in answer ? `, index ${answer.index}` : "";
    const called = momentText({ event: invokedEvent, atMs: invokedAtMs });
    const settled =
      completedAtMs === null || completedEvent === null
        ? "never"
        : `at ${momentText({ event: completedEvent, atMs: completedAtMs })}`;
    return `operation ${id} of client ${client}: ${what}, called at ${called}, settled ${settled}${index}`;
  }
}

/** A read comes after the entry at whose index it was served. */
function positionOf<Input, Output>({ effectIndex, operation: { answer, asked } }: Call<Input, Output>): number {
  const index = answer !== null && "index" in answer ? answer.index : 0;
  return asked.kind === "read" ? 2 * index + 1 : 2 * (effectIndex ?? index);
}
