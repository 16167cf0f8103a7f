import { expect, test } from "vitest";
import {
  applyEntries,
  type ClusterState,
  type Command,
  DEFAULT_COUNT_LIMITS,
  type Entry,
  emptyState,
  encodeRequest,
  isReplicated,
  replicatedEntry,
  stampRequest,
  vmOf,
  vmSpec,
} from "../../core/index.ts";
import type { LedgerReader } from "../oracles/index.ts";
import { EntryStates, type StateListener } from "./entry-states.ts";

const create = (name: string): Command => ({ kind: "createVm", name, spec: vmSpec() });
const remove = (name: string): Command => ({ kind: "deleteVm", name, expectedGeneration: null });

class Told {
  readonly all: string[] = [];
  readonly #entries: Entry[] = [];
  readonly states: EntryStates;
  readonly #readers: LedgerReader[] = [];
  #reached: ClusterState;

  constructor(limits = DEFAULT_COUNT_LIMITS) {
    this.#reached = emptyState(limits);
    const ledger = { subscribe: (reader: LedgerReader) => void this.#readers.push(reader) };
    const listener: StateListener = {
      applied: (state, entry) => void this.all.push(described(state, entry)),
      lostTrack: () => void this.all.push("lost"),
    };
    this.states = new EntryStates(ledger, listener, limits);
  }

  get reader(): LedgerReader {
    const [reader] = this.#readers;
    if (reader === undefined) throw new Error("nobody reads");
    return reader;
  }

  /** Null: an entry that no state is told of. */
  commit(...commands: readonly (Command | null)[]): void {
    for (const command of commands) {
      const request = command === null ? null : encodeRequest({ session: null, command });
      const data = request === null ? new Uint8Array() : stampRequest(request, { wallMs: 1, proposer: 1 });
      const kind = command === null ? "noop" : "command";
      const entry: Entry = { index: this.#entries.length + 1, term: 1, kind, data, chain: "" };
      this.#entries.push(entry);
      this.reader.committedEntry(entry);
    }
  }

  /** A replica applies all that is committed, at once. */
  apply(): void {
    const entries = this.#entries.filter(({ index }) => index > this.#reached.appliedIndex).filter(isReplicated);
    this.#reached = applyEntries(this.#reached, entries.map(replicatedEntry)).state;
    this.states.reached(this.#reached);
  }
}

function described(state: ClusterState, entry: Entry | null): string {
  const vms = ["a", "b"].filter((name) => vmOf(state, name) !== null).join("");
  return `${state.appliedIndex} [${vms}] ${entry === null ? "none" : entry.index}`;
}

test("a replica that applies one entry has made the state", () => {
  const told = new Told();
  told.commit(create("a"));
  told.apply();
  told.commit(null, remove("a"));
  told.apply();
  expect(told.all).toEqual(["1 [a] 1", "3 [] 3"]);
});

test("of entries that were applied at once each has the state right after it", () => {
  const told = new Told();
  told.commit(create("a"), remove("a"), create("a"), create("b"));
  told.apply();
  expect(told.all).toEqual(["1 [a] 1", "2 [] 2", "3 [a] 3", "4 [ab] 4"]);
});

test("those without events are taken together, and the state right before an event is told", () => {
  const told = new Told();
  // Refused, and no actor is known: no event.
  told.commit(remove("a"), remove("a"), null, create("a"), remove("b"), remove("b"));
  told.apply();
  expect(told.all).toEqual(["2 [] none", "4 [a] 4", "6 [a] none"]);
});

test("a snapshot that jumps over entries is told like the entries themselves", () => {
  const told = new Told();
  told.commit(create("a"));
  told.apply();
  told.commit(remove("a"));
  told.commit(create("b"));
  told.apply();
  expect(told.all).toEqual(["1 [a] 1", "2 [] 2", "3 [b] 3"]);
});

test("nothing is left out where the log of events has forgotten the oldest of them", () => {
  const told = new Told({ ...DEFAULT_COUNT_LIMITS, events: 64 });
  const all = Array.from({ length: 100 }, () => [create("a"), remove("a")]).flat();
  told.commit(...all);
  told.apply();
  expect(told.all).toEqual(all.map((_, at) => `${at + 1} [${at % 2 === 0 ? "a" : ""}] ${at + 1}`));
});

test("where entries are missing nothing more is told", () => {
  const told = new Told();
  told.commit(create("a"));
  told.states.skippedTo();
  told.states.skippedTo();
  told.apply();
  expect(told.all).toEqual(["lost"]);
});
