import { expect, test } from "vitest";
import type { NodeView } from "../world/index.ts";
import { CommittedLedger } from "./ledger.ts";
import { configurationOf, FakeConditions, FakeNode } from "./testing/index.ts";

function node(terms: readonly number[], commitIndex: number, term = terms.at(-1) ?? 0): FakeNode {
  const made = new FakeNode(1, configurationOf([1]));
  made.log.append(...terms);
  made.commitIndex = commitIndex;
  made.term = term;
  return made;
}

test("the first to commit an index decides what is there", () => {
  const ledger = new CommittedLedger(new FakeConditions());
  ledger.feed(node([1, 1, 2], 2));
  ledger.feed(node([1, 3, 3], 3));
  expect(ledger.commitIndex).toBe(2);
  expect(ledger.termAt(2)).toBe(1);
  expect(ledger.chainAt(3)).toBeNull();
  ledger.feed(node([1, 1, 2], 3));
  expect(ledger.commitIndex).toBe(3);
  expect(ledger.chainAt(3)).toBe("genesis/1/1/2");
  expect(ledger.commitChain).toBe("genesis/1/1/2");
});

test("readers get each entry once, in order", () => {
  const ledger = new CommittedLedger(new FakeConditions());
  const seen: number[] = [];
  ledger.subscribe({ committedEntry: ({ index }) => seen.push(index), skippedTo: () => seen.push(-1) });
  ledger.feed(node([1, 1, 2], 2));
  ledger.feed(node([1, 1, 2], 2));
  ledger.feed(node([1, 1, 2, 2], 4));
  expect(seen).toEqual([1, 2, 3, 4]);
});

test("entries older than the window are forgotten", () => {
  const ledger = new CommittedLedger(new FakeConditions(), 4);
  ledger.feed(node([1, 1, 1, 1, 1, 1], 6));
  expect([1, 2, 3, 4, 5, 6].map((index) => ledger.termAt(index))).toEqual([null, null, 1, 1, 1, 1]);
});

test("the first result of an entry stays", () => {
  const ledger = new CommittedLedger(new FakeConditions());
  const made = node([1], 1);
  ledger.feed(made);
  const [entry] = made.log.entries;
  if (entry === undefined) throw new Error("no entry");
  expect(ledger.resultAt(1)).toBeUndefined();
  const first = { ok: true, kind: "vmCreated", generation: 1 } as const;
  ledger.record({ id: 1, lastApplied: [{ entry, result: first }] });
  ledger.record({ id: 2, lastApplied: [{ entry, result: { ok: true, kind: "vmCreated", generation: 2 } }] });
  expect(ledger.resultAt(1)).toBe(first);
});

test("what was committed before a term", () => {
  const ledger = new CommittedLedger(new FakeConditions());
  ledger.feed(node([1, 1, 2], 1, 1));
  ledger.feed(node([1, 1, 2], 2, 2));
  ledger.feed(node([1, 1, 2], 3, 2));
  ledger.feed(node([1, 1, 2, 5], 4, 5));
  expect(ledger.boundaryBefore(1)).toBeNull();
  expect(ledger.boundaryBefore(2)?.index).toBe(1);
  expect(ledger.boundaryBefore(4)?.index).toBe(3);
  expect(ledger.boundaryBefore(6)?.index).toBe(4);
});

test("entries that nobody honest holds any more are skipped, and said to be", () => {
  const ledger = new CommittedLedger(new FakeConditions());
  ledger.feed(node([1, 1], 2));
  const skipped: NodeView[] = [];
  ledger.subscribe({ committedEntry: () => {}, skippedTo: (view) => skipped.push(view) });
  const later = node([1, 1, 1, 1, 1, 1], 6);
  later.log.compactTo(4);
  ledger.feed(later);
  expect(skipped).toEqual([later]);
  expect(ledger.gaps).toBe(1);
  expect(ledger.commitIndex).toBe(6);
  expect(ledger.chainAt(6)).toBe("genesis/1/1/1/1/1/1");
  expect(ledger.chainAt(5)).toBeNull();
});
