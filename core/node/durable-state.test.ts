import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Entry, HardState, Snapshot } from "../raft/index.ts";
import type { Restored, Write } from "../runtime.ts";
import { DurableState, HARD_STATE, SNAPSHOT } from "./durable-state.ts";
import { Node } from "./node.ts";

const GENESIS = Node.genesis("test", 1, [{ id: 1, peerId: "peer-1" }]);

function entry(index: number, term = 1): Entry {
  return { index, term, kind: "command", data: new Uint8Array(), chain: `${index}/${term}` };
}

function entries(first: number, last: number, term = 1): Entry[] {
  return Array.from({ length: last - first + 1 }, (_, at) => entry(first + at, term));
}

function snapshot(index: number, term = 1): Snapshot {
  return { ...GENESIS.snapshot, meta: { ...GENESIS.snapshot.meta, index, term, chain: `${index}/${term}` } };
}

function write(parts: Partial<Write>): Write {
  return { id: 1, hardState: null, entries: null, snapshot: null, ...parts };
}

function holding(last: number): DurableState {
  const state = new DurableState(GENESIS);
  state.apply(write({ entries: entries(1, last) }));
  return state;
}

const indexesOf = (state: DurableState): number[] => state.restored().entries.map(({ index }) => index);

test("entries replace what was stored from their first index on", () => {
  const state = holding(5);
  state.apply(write({ entries: entries(3, 4, 2) }));
  expect(state.restored().entries).toEqual([...entries(1, 2), ...entries(3, 4, 2)]);
  expect(state.lastIndex).toBe(4);
});

describe("a snapshot", () => {
  test("that is kept with what follows takes the place of the entries up to there", () => {
    const state = holding(5);
    state.apply(write({ snapshot: { snapshot: snapshot(3), keepAfter: 2 } }));
    expect(indexesOf(state)).toEqual([3, 4, 5]);
    expect([state.termAt(2), state.termAt(3), state.chainAt(3)]).toEqual([null, 1, "3/1"]);
  });

  test("that is kept with nothing takes the place of the whole log", () => {
    const state = holding(5);
    state.apply(write({ snapshot: { snapshot: snapshot(9, 2), keepAfter: null } }));
    expect(indexesOf(state)).toEqual([]);
    expect([state.lastIndex, state.termAt(9), state.chainAt(9)]).toEqual([9, 2, "9/2"]);
    state.apply(write({ entries: entries(10, 11, 2) }));
    expect(indexesOf(state)).toEqual([10, 11]);
  });
});

test("its records are where it says", () => {
  const state = holding(2);
  const hardState: HardState = { term: 4, votedFor: 1, proof: null };
  expect([state.holds(HARD_STATE), state.record(HARD_STATE)]).toEqual([GENESIS.hardState !== null, GENESIS.hardState]);
  state.apply(write({ hardState, snapshot: { snapshot: snapshot(2), keepAfter: 2 } }));
  expect(state.places()).toEqual([SNAPSHOT, HARD_STATE]);
  expect([state.record(HARD_STATE), state.hardState]).toEqual([hardState, hardState]);
  expect(state.record(SNAPSHOT)).toEqual(snapshot(2));
  // No entry is there any more: the snapshot answers for it.
  expect([state.placeOf(2), state.holds(2), state.record(2)]).toEqual([SNAPSHOT, false, null]);
  state.apply(write({ entries: [entry(3)] }));
  expect([state.placeOf(3), state.record(3)]).toEqual([3, entry(3)]);
});

test("a write that would leave a gap, or holds no entry, is refused", () => {
  expect(() => holding(2).apply(write({ entries: [entry(4)] }))).toThrow("entry 4 after entry 2");
  expect(() => holding(2).apply(write({ entries: [entry(3), entry(5)] }))).toThrow("entry 5 after entry 3");
  expect(() => new DurableState(GENESIS).apply(write({ entries: [entry(2)] }))).toThrow("entry 2 after entry 0");
  expect(() => holding(2).apply(write({ entries: [] }))).toThrow("holds none");
});

/** The same by the rule of `Write`, word for word. */
function after({ hardState, snapshot: kept, entries: log }: Restored, done: Write): Restored {
  const from = done.snapshot === null ? 0 : (done.snapshot.keepAfter ?? Number.POSITIVE_INFINITY);
  const left = log.filter(({ index }) => index > from);
  const added = done.entries ?? [];
  const firstAdded = added[0]?.index ?? Number.POSITIVE_INFINITY;
  return {
    hardState: done.hardState ?? hardState,
    snapshot: done.snapshot?.snapshot ?? kept,
    entries: [...left.filter(({ index }) => index < firstAdded), ...added],
  };
}

test("after any writes it is what a slow obvious version is, and a new process finds the same", () => {
  const step = fc.record({
    back: fc.nat(4),
    count: fc.nat(4),
    compacts: fc.option(fc.nat(6)),
    keeps: fc.nat(3),
    votes: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const state = new DurableState(GENESIS);
      let slow: Restored = GENESIS;
      for (const [at, { back, count, compacts, keeps, votes }] of steps.entries()) {
        const term = at + 1;
        const first = slow.entries[0]?.index ?? state.lastIndex + 1;
        const from = Math.max(first, state.lastIndex + 1 - back);
        const compactedTo = Math.min(state.lastIndex, slow.snapshot.meta.index + (compacts ?? 0));
        const done = write({
          hardState: votes ? { term, votedFor: 1, proof: null } : null,
          ...(count > 0 ? { entries: entries(from, from + count - 1, term) } : {}),
          ...(count === 0 && compacts !== null && compactedTo > 0
            ? { snapshot: { snapshot: snapshot(compactedTo), keepAfter: Math.max(0, compactedTo - keeps) } }
            : {}),
        });
        state.apply(done);
        slow = after(slow, done);
        expect(state.restored()).toEqual(slow);
        expect(new DurableState(state.restored()).restored()).toEqual(slow);
        expect(state.places().every((place) => state.holds(place) && state.record(place) !== null)).toBe(true);
      }
    }),
  );
});
