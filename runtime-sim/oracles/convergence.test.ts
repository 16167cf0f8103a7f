import { expect, test } from "vitest";
import { whyNotConverged } from "./convergence.ts";
import { configurationOf, FakeCluster, lead } from "./testing/index.ts";

function settled(): FakeCluster {
  const cluster = new FakeCluster(3, []);
  lead(4)(cluster.node(1));
  for (const { up } of cluster.members) {
    up.term = 4;
    up.leaderId = 1;
    up.log.append(4);
    up.commitIndex = 1;
    up.appliedIndex = 1;
  }
  return cluster;
}

test("all follow one leader and have applied as much", () => {
  expect(whyNotConverged(settled().members)).toBeNull();
});

test("each thing that may be missing", () => {
  const reason = (change: (cluster: FakeCluster) => void): string | null => {
    const cluster = settled();
    change(cluster);
    return whyNotConverged(cluster.members);
  };
  expect(reason((cluster) => cluster.crash(2))).toBe("node 2 is down");
  expect(reason((cluster) => Object.assign(cluster.node(2), { halted: true }))).toBe("node 2 has stopped itself");
  expect(reason((cluster) => Object.assign(cluster.node(1), { role: "follower" }))).toBe("nobody leads");
  expect(reason((cluster) => Object.assign(cluster.node(3), { role: "leader" }))).toBe("nodes 1 and 3 both lead");
  expect(reason((cluster) => Object.assign(cluster.node(3), { term: 3 }))).toContain("node 3 follows 1 in term 3");
  expect(reason((cluster) => Object.assign(cluster.node(3), { appliedIndex: 0 }))).toBe(
    "node 3 has applied 0 and its leader 1",
  );
  expect(reason((cluster) => cluster.node(1).log.append(4))).toBe("the leader has committed 1 of 2");
  expect(reason((cluster) => Object.assign(cluster.node(2), { configuration: configurationOf([1, 2]) }))).toBe(
    "not all act by the same configuration: node 1 that of index 0, node 2 that of index 0, node 3 that of index 0",
  );
  expect(reason((cluster) => Object.assign(cluster.node(2), { configurationIndex: 1 }))).toContain(
    "node 2 that of index 1",
  );
});
