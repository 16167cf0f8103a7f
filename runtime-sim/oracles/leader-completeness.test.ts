import { expect, test } from "vitest";
import { leaderCompleteness } from "./leader-completeness.ts";
import { FakeCluster, lead } from "./testing/index.ts";

function committed(): FakeCluster {
  const cluster = new FakeCluster(3, [leaderCompleteness]);
  cluster.step(1, lead(1));
  for (const id of [1, 2]) {
    cluster.step(id, (node) => {
      node.term = 1;
      node.log.append(1, 1, 1);
      node.commitIndex = 3;
    });
  }
  return cluster;
}

test("a leader that has everything", () => {
  const cluster = committed();
  cluster.step(2, lead(2));
  expect(cluster.violations).toEqual([]);
  expect(cluster.oracle("leader-completeness").checks).toBe(1);
});

test("a leader that has it in its snapshot", () => {
  const cluster = committed();
  cluster.step(2, (node) => node.log.compactTo(3));
  cluster.step(2, lead(2));
  expect(cluster.violations).toEqual([]);
});

test("a leader whose log is too short", () => {
  const cluster = committed();
  cluster.step(3, (node) => node.log.append(1, 1));
  cluster.step(3, lead(2));
  expect(cluster.violations).toEqual([
    "leader-completeness: index 3 was committed by node 1 at event 2, 0.000000 s, but the log " +
      "of the leader of term 2 ends at 2: node 3 at event 5, 0.000000 s",
  ]);
});

test("a leader with another entry in its place", () => {
  const cluster = committed();
  cluster.step(3, (node) => node.log.append(1, 1, 2));
  cluster.step(3, lead(3));
  expect(cluster.violations).toEqual([
    "leader-completeness: chain genesis/1/1/1 was committed at index 3 by node 1 at event 2, " +
      "0.000000 s, but the leader of term 3 has genesis/1/1/2 there: node 3 at event 5, " +
      "0.000000 s",
  ]);
});

test("a leader of an old term, elected late, owes only what was committed before its term", () => {
  const cluster = committed();
  cluster.step(1, lead(5));
  cluster.step(1, (node) => {
    node.log.append(5);
    node.commitIndex = 4;
  });
  cluster.step(2, lead(4));
  expect(cluster.violations).toEqual([]);
  cluster.step(2, lead(6));
  expect(cluster.violations).toHaveLength(1);
});
