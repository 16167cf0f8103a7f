import { expect, test } from "vitest";
import { committedImmutable } from "./committed-immutable.ts";
import { entries, FakeCluster } from "./testing/index.ts";

function committed(): FakeCluster {
  const cluster = new FakeCluster(3, [committedImmutable]);
  for (const id of [1, 2]) {
    cluster.step(id, (node) => {
      node.log.append(1, 1, 1);
      node.commitIndex = 2;
    });
  }
  return cluster;
}

test("nodes commit the same, and replace only what is not committed", () => {
  const cluster = committed();
  cluster.step(1, (node) => {
    node.log.truncateAfter(2);
    node.log.append(2, 2);
    node.commitIndex = 4;
  });
  cluster.step(1, (node) => node.log.compactTo(3));
  cluster.step(1, (node) => node.log.append(2));
  expect(cluster.violations).toEqual([]);
  expect(cluster.oracle("committed-immutable").checks).toBe(7);
});

test("another entry committed at the same index", () => {
  const cluster = committed();
  cluster.step(3, (node) => {
    node.log.append(1, 2);
    node.commitIndex = 2;
  });
  expect(cluster.violations).toEqual([
    "committed-immutable: two entries were committed at index 2: chain genesis/1/1, first " +
      "committed by node 1 at event 1, 0.000000 s, and genesis/1/2 by node 3 at event 3, 0.000000 s",
  ]);
});

test("a committed entry replaced on the node that knew of it", () => {
  const cluster = committed();
  cluster.step(1, (node) => {
    node.log.entries = entries(1, [1, 2, 2]);
  });
  expect(cluster.violations).toEqual([
    "committed-immutable: node 1 replaced the entry at its commit index 2: chain genesis/1/1, " +
      "first committed by node 1 at event 1, 0.000000 s, is genesis/1/2 at event 3, 0.000000 s",
  ]);
});

test("a log cut back below the commit index", () => {
  const cluster = committed();
  cluster.step(1, (node) => node.log.truncateAfter(1));
  expect(cluster.violations[0]).toContain(
    "node 1 cut its log back to 1, below its commit index 2: first committed by node 1 at event 1,",
  );
});

test("a commit index beyond the log", () => {
  const cluster = committed();
  cluster.step(1, (node) => {
    node.commitIndex = 9;
  });
  expect(cluster.violations).toEqual(["committed-immutable: node 1 knows 9 to be committed, but its log ends at 3"]);
});
