import { expect, test } from "vitest";
import { electionSafety } from "./election-safety.ts";
import { FakeCluster, lead } from "./testing/index.ts";

test("leaders of different terms are fine, and so is one that leads on", () => {
  const cluster = new FakeCluster(3, [electionSafety]);
  cluster.step(1, lead(1));
  cluster.step(1, (node) => node.log.append(1));
  cluster.step(2, lead(2));
  cluster.step(1, (node) => {
    node.role = "follower";
    node.term = 2;
  });
  cluster.step(1, lead(3));
  expect(cluster.violations).toEqual([]);
  expect(cluster.oracle("election-safety").checks).toBe(3);
});

test("two leaders in one term", () => {
  const cluster = new FakeCluster(3, [electionSafety]);
  cluster.step(1, lead(7));
  cluster.step(2, lead(7));
  expect(cluster.violations).toEqual([
    "election-safety: two nodes were elected in term 7: node 1 at event 1, 0.000000 s, and node " +
      "2 at event 2, 0.000000 s",
  ]);
});

test("a second leader in a term after the first has crashed", () => {
  const cluster = new FakeCluster(3, [electionSafety]);
  cluster.step(1, lead(7));
  cluster.crash(1);
  cluster.step(2, lead(7));
  expect(cluster.violations).toHaveLength(1);
});

test("a Byzantine peer may play the leader of any term", () => {
  const cluster = new FakeCluster(3, [electionSafety], [3]);
  cluster.step(1, lead(7));
  cluster.step(3, lead(7));
  expect(cluster.violations).toEqual([]);
});

test("old terms are forgotten, new ones are not", () => {
  const cluster = new FakeCluster(3, [electionSafety]);
  for (let term = 1; term <= 20_000; term++) cluster.step(1, lead(term));
  cluster.step(2, lead(19_999));
  expect(cluster.violations).toHaveLength(1);
});
