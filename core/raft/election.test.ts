import { expect, test } from "vitest";
import { Cluster } from "../testing/index.ts";

test("the member that waits least is elected, and everyone follows it", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(2);
  expect([1, 2, 3].map((id) => cluster.node(id).leaderId)).toEqual([2, 2, 2]);
  cluster.propose(2, "a");
  cluster.run(200);
  expect([1, 2, 3].map((id) => cluster.names(id))).toEqual([["a"], ["a"], ["a"]]);
});

test("leadership moves from node to node", () => {
  const cluster = new Cluster([1, 2, 3]);
  for (const id of [1, 2, 3, 1]) {
    cluster.elect(id);
    expect(cluster.leader.id).toBe(id);
  }
});
