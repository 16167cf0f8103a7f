import { expect, test } from "vitest";
import { monotonic } from "./monotonic.ts";
import { configurationOf, FakeCluster, grant } from "./testing/index.ts";

test("terms, votes and indexes that only rise, over a restart too", () => {
  const cluster = new FakeCluster(3, [monotonic]);
  cluster.step(1, (node, { disk }) => {
    node.term = 2;
    node.votedFor = 3;
    disk.durableTerm = 2;
    disk.durableVote = 3;
  });
  cluster.step(1, () => {}, [grant(1, 3, 2)]);
  cluster.step(1, (node) => {
    node.log.append(2, 2);
    node.commitIndex = 2;
    node.appliedIndex = 2;
  });
  cluster.crash(1);
  cluster.boot(1, (node) => {
    node.term = 2;
    node.votedFor = 3;
  });
  cluster.step(1, (node) => {
    node.term = 4;
    node.votedFor = 0;
  });
  expect(cluster.violations).toEqual([]);
  expect(cluster.oracle("monotonic").checks).toBeGreaterThan(5);
});

test("a term that goes back", () => {
  const cluster = new FakeCluster(1, [monotonic]);
  cluster.step(1, (node) => {
    node.term = 5;
  });
  cluster.step(1, (node) => {
    node.term = 4;
  });
  expect(cluster.violations).toEqual(["monotonic: the term of node 1 went back from 5 to 4"]);
});

test("a vote that changes within a term", () => {
  const cluster = new FakeCluster(1, [monotonic]);
  for (const candidate of [2, 3]) {
    cluster.step(1, (node) => {
      node.term = 5;
      node.votedFor = candidate;
    });
  }
  expect(cluster.violations).toEqual(["monotonic: the vote of node 1 in term 5 changed from 2 to 3"]);
});

test("commit and applied indexes that go back, or ahead of what they rest on", () => {
  const cluster = new FakeCluster(1, [monotonic]);
  cluster.step(1, (node) => {
    node.log.append(1, 1, 1);
    node.commitIndex = 3;
    node.appliedIndex = 3;
  });
  cluster.step(1, (node) => {
    node.commitIndex = 2;
    node.appliedIndex = 1;
  });
  expect(cluster.violations).toEqual([
    "monotonic: the commit index of node 1 went back from 3 (at event 1, 0.000000 s) to 2",
    "monotonic: the applied index of node 1 went back from 3 (at event 1, 0.000000 s) to 1",
  ]);
  cluster.step(1, (node) => {
    node.appliedIndex = 3;
  });
  expect(cluster.violations[2]).toBe("monotonic: node 1 has applied 3 and committed 2 of a log that ends at 3");
});

test("two candidates told in one term, with a restart in between", () => {
  const cluster = new FakeCluster(3, [monotonic]);
  cluster.step(1, () => {}, [grant(1, 2, 5)]);
  cluster.crash(1);
  cluster.boot(1, (node) => {
    node.term = 5;
    node.votedFor = 2;
  });
  cluster.step(1, () => {}, [grant(1, 3, 5)]);
  expect(cluster.violations).toEqual([
    "monotonic: node 1 votes for 3 in term 5 after it voted for 2 (at event 1, 0.000000 s)",
  ]);
});

test("a vote forgotten over a restart", () => {
  const cluster = new FakeCluster(3, [monotonic]);
  cluster.step(1, () => {}, [grant(1, 2, 5)]);
  cluster.crash(1);
  cluster.boot(1, (node) => {
    node.term = 5;
  });
  expect(cluster.violations).toEqual([
    "monotonic: node 1 restarted in term 5 with its vote for 0 after it had told 2 that it votes for it in term 5 (at event 1, 0.000000 s)",
  ]);
});

test("a durable vote that changes", () => {
  const cluster = new FakeCluster(3, [monotonic]);
  for (const vote of [2, 3]) {
    cluster.step(1, (node, { disk }) => {
      node.term += 1;
      disk.durableTerm = 1;
      disk.durableVote = vote;
    });
  }
  expect(cluster.violations).toEqual([
    "monotonic: the durable vote of node 1 in term 1 changed from 2 (at event 1, 0.000000 s) to 3",
  ]);
});

test("a damaged disk is no excuse", () => {
  const cluster = new FakeCluster(3, [monotonic]);
  cluster.step(1, () => {}, [grant(1, 2, 5)]);
  cluster.crash(1);
  cluster.member(1).disk.faults = 1;
  cluster.boot(1, () => {});
  expect(cluster.violations).toHaveLength(1);
});

test("who begins again from nothing: with a vote it would vote twice; without one it may, but for a second vote", () => {
  const outcomes = [
    [1, 2, 3],
    [2, 3],
  ].map((voters) => {
    const cluster = new FakeCluster(3, [monotonic]);
    cluster.step(1, (node, { disk }) => {
      node.term = 5;
      node.votedFor = 3;
      disk.durableTerm = 5;
      disk.durableVote = 3;
    });
    cluster.step(1, () => {}, [grant(1, 3, 5)]);
    cluster.crash(1);
    const { disk } = cluster.member(1);
    disk.durableTerm = 0;
    disk.durableVote = 0;
    disk.startsAnew = 1;
    cluster.boot(1, (node) => {
      node.configuration = configurationOf(voters);
    });
    // It may end before it has heard of any term.
    cluster.crash(1);
    cluster.boot(1, (node) => {
      node.configuration = configurationOf(voters);
    });
    const atBoot = cluster.violations.length;
    cluster.step(1, () => {}, [grant(1, 2, 5)]);
    return [atBoot > 0, cluster.violations.length > atBoot];
  });
  expect(outcomes).toEqual([
    [true, true],
    [false, true],
  ]);
});
