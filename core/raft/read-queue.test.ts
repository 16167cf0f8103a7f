import { expect, test } from "vitest";
import { type ReadOrigin, ReadQueue } from "./read-queue.ts";

const client = (ticket: number): ReadOrigin => ({ kind: "client", ticket });

test("a round releases the reads that wait for it and for those before it, and no later ones", () => {
  const reads = new ReadQueue();
  reads.add(client(1), 10, 4);
  reads.add(client(2), 11, 5);
  reads.add(client(3), 12, 6);
  expect(reads.release(5, 6)).toEqual({ released: true, wantedRound: 6 });
  expect(reads.takeReady()).toEqual([
    { origin: client(1), index: 10 },
    { origin: client(2), index: 11 },
  ]);
  expect(reads.length).toBe(1);
});

test("a read that waits for the term's first commit waits for a round after it", () => {
  const reads = new ReadQueue();
  reads.add(client(1), 10, 0);
  expect(reads.waitsForRound).toBe(false);
  expect(reads.release(7, 8)).toEqual({ released: false, wantedRound: 8 });
  expect(reads.waitsForRound).toBe(true);
  expect(reads.release(8, 9)).toEqual({ released: true, wantedRound: 0 });
});

test("a leader that steps down refuses what waits, and keeps what was confirmed", () => {
  const reads = new ReadQueue();
  reads.add(client(1), 10, 1);
  reads.add(client(2), 10, 2);
  reads.release(1, 2);
  reads.refuseAll();
  expect(reads.takeReady()).toEqual([
    { origin: client(1), index: 10 },
    { origin: client(2), index: null },
  ]);
  expect(reads.takeReady()).toEqual([]);
  expect(reads.length).toBe(0);
});
