import { expect, test } from "vitest";
import { DEFAULT_RAFT_OPTIONS, decodeSnapshot, type Entry, emptyState, Node } from "../index.ts";
import { SnapshotTaker } from "./snapshot-taker.ts";

const { snapshot } = Node.genesis("test", 1, [{ id: 1, peerId: "peer-1" }]);
const OPTIONS = { ...DEFAULT_RAFT_OPTIONS, snapshotAfterEntries: 10, snapshotEveryEntries: 5, snapshotChunkBytes: 20 };

function taker(sizeBytes = 0) {
  const stored: { readonly index: number; readonly chunks: readonly Uint8Array[] }[] = [];
  const base = { ...snapshot.meta, sizeBytes };
  const raft = {
    snapshot: { ...snapshot, meta: base },
    snapshotBaseAt: (index: number) => (index === 13 ? null : { ...base, index }),
    compact: ({ index }: { readonly index: number }, chunks: readonly Uint8Array[]) => stored.push({ index, chunks }),
  };
  return { taker: new SnapshotTaker(raft, OPTIONS), stored };
}

const ENTRIES: readonly Entry[] = [{ index: 1, term: 1, kind: "command", data: new Uint8Array(36), chain: "" }];

test("one is due after so many entries, takes a chunk a step, and is stored with its last", () => {
  const { taker: made, stored } = taker();
  made.step(emptyState(), 9);
  expect(made.isEncoding).toBe(false);
  made.step(emptyState(), 10);
  let steps = 1;
  // Of the state that was there when it began.
  for (; made.isEncoding; steps++) made.step({ ...emptyState(), appliedIndex: 99 }, 11);
  expect(stored.map(({ index }) => index)).toEqual([10]);
  expect(steps).toBe((stored[0]?.chunks.length ?? 0) + 1);
  expect(decodeSnapshot(stored[0]?.chunks ?? []).appliedIndex).toBe(0);
});

test("not before as much was written as the last one had", () => {
  const { taker: made } = taker(100);
  made.step(emptyState(), 12);
  expect(made.isEncoding).toBe(false);
  made.applied(ENTRIES);
  made.step(emptyState(), 12);
  expect(made.isEncoding).toBe(true);
});

test("not where the log cannot say what it stands on, and not beside one from elsewhere", () => {
  const { taker: made, stored } = taker();
  made.step(emptyState(), 13);
  expect(made.isEncoding).toBe(false);
  made.step(emptyState(), 14);
  made.reset();
  expect(made.isEncoding).toBe(false);
  expect(stored).toEqual([]);
});

test("one that is captured half way ends with the same chunks", () => {
  const { taker: made, stored } = taker();
  made.step(emptyState(), 10);
  made.step(emptyState(), 10);
  const other = taker();
  other.taker.restore(made.capture());
  while (made.isEncoding) made.step(emptyState(), 10);
  while (other.taker.isEncoding) other.taker.step(emptyState(), 10);
  expect(other.stored).toEqual(stored);
});
