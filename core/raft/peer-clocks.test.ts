import { expect, test } from "vitest";
import { Cluster } from "../testing/index.ts";
import { PeerClocks } from "./peer-clocks.ts";
import type { Configuration, NodeId } from "./records.ts";

const HOUR_MS = 3_600_000;
const fiveVoters: Configuration = { voters: [1, 2, 3, 4, 5], outgoing: [], learners: [6], members: [], retired: [] };

/** What the clocks of 1, the leader, and of the others show at 1000 ms of its monotonic clock. */
function reached(own: number, others: Readonly<Record<NodeId, number>>, configuration = fiveVoters): number {
  const clocks = new PeerClocks();
  for (const [id, wallMs] of Object.entries(others)) clocks.heard(Number(id), wallMs, 1000);
  return clocks.reachedMs(configuration, { id: 1, wallMs: own }, 1000, 500);
}

test("what three of five have reached: two that are wrong change nothing", () => {
  expect(reached(100, { 2: 101, 3: 102, 4: 103, 5: 104 })).toBe(102);
  expect(reached(HOUR_MS, { 2: 101, 3: 102, 4: 103, 5: HOUR_MS })).toBe(103);
  expect(reached(0, { 2: 101, 3: 102, 4: 103, 5: 0 })).toBe(101);
  // Who has no vote has no say.
  expect(reached(100, { 2: 101, 3: 102, 4: 103, 5: 104, 6: HOUR_MS })).toBe(102);
});

test("while too few are known, time stands still", () => {
  expect(reached(HOUR_MS, { 2: HOUR_MS })).toBe(0);
  expect(reached(100, { 2: 101, 3: 102 })).toBe(100);
});

test("in a joint configuration both halves must have reached it", () => {
  const joint = { ...fiveVoters, voters: [1, 2, 3], outgoing: [1, 4, 5] };
  expect(reached(HOUR_MS, { 2: HOUR_MS, 3: 100, 4: 103, 5: 101 }, joint)).toBe(103);
});

test("a clock that is heard no more goes on for a while only", () => {
  const clocks = new PeerClocks();
  clocks.heard(2, 5000, 1000);
  const alone: Configuration = { ...fiveVoters, voters: [2] };
  const at = (nowMs: number): number => clocks.reachedMs(alone, { id: 1, wallMs: 0 }, nowMs, 500);
  expect([at(1000), at(1300), at(1500), at(9000)]).toEqual([5000, 5300, 5500, 5500]);
  clocks.clear();
  expect(at(1000)).toBe(0);
});

test("a leader whose clock is hours off stamps what the others' clocks show, ahead and behind", () => {
  for (const aheadMs of [HOUR_MS, -HOUR_MS]) {
    const cluster = new Cluster([1, 2, 3]);
    cluster.wallAheadMs.set(1, aheadMs);
    cluster.elect(1);
    cluster.run(1000);
    cluster.propose(1, "a");
    cluster.settle();
    expect(Math.abs(cluster.node(1).state.timeMs - cluster.wallMs)).toBeLessThan(200);
  }
});

test("its first entry is stamped right too: votes tell of clocks", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.wallAheadMs.set(1, HOUR_MS);
  cluster.wallAheadMs.set(2, -HOUR_MS);
  cluster.elect(1);
  cluster.propose(1, "a");
  cluster.settle();
  expect(Math.abs(cluster.node(1).state.timeMs - cluster.wallMs)).toBeLessThan(200);
});

test("a voter alone follows its own clock", () => {
  const cluster = new Cluster([1]);
  cluster.wallAheadMs.set(1, HOUR_MS);
  cluster.elect(1);
  cluster.propose(1, "a");
  cluster.settle();
  expect(cluster.node(1).state.timeMs).toBe(cluster.wallMs + HOUR_MS);
});
