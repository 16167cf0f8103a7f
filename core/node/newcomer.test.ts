import { expect, test } from "vitest";
import { Cluster } from "../testing/index.ts";

/** Three voters of which node 1 leads, and node 4, which was taken in and has not started. */
function withNewcomer(): Cluster {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  cluster.change({ kind: "addLearner", id: 4, peerId: "peer-4", promote: true });
  cluster.settle();
  return cluster;
}

test("one that has never run may start, as often as it asks", () => {
  const { leader } = withNewcomer();
  const first = leader.startOf(4);
  expect(first).toMatchObject({ restored: { hardState: null, entries: [], snapshot: { meta: { index: 0 } } } });
  expect(leader.startOf(4)).toEqual(first);
});

test("a voter may not, whether the leader has heard it or not: it would vote twice", () => {
  const cluster = withNewcomer();
  expect(cluster.leader.startOf(3)).toEqual({ refused: "hasRun" });
  cluster.crash(3);
  cluster.transfer(2);
  cluster.run(500);
  expect(cluster.leader.id).toBe(2);
  expect(cluster.leader.startOf(3)).toEqual({ refused: "hasRun" });
});

test("a learner that has answered may not: the leader counts what it has acknowledged", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  cluster.join(4);
  cluster.run(200);
  expect(cluster.leader.startOf(4)).toEqual({ refused: "hasRun" });
});

test("nobody may before the change is committed, or where somebody else leads", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  cluster.change({ kind: "addLearner", id: 4, peerId: "peer-4", promote: true });
  expect(cluster.leader.startOf(4)).toEqual({ refused: "notNow" });
  cluster.settle();
  expect(cluster.node(2).startOf(4)).toEqual({ refused: "notNow" });
  expect(cluster.leader.startOf(5)).toEqual({ refused: "notNow" });
});
