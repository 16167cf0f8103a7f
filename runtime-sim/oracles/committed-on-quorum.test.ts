import { expect, test } from "vitest";
import type { Configuration } from "../../core/index.ts";
import { committedOnQuorum } from "./committed-on-quorum.ts";
import { configurationOf, configure, FakeCluster, lead } from "./testing/index.ts";

function cluster(count: number, durable: readonly number[], liars: readonly number[] = []): FakeCluster {
  const made = new FakeCluster(count, [committedOnQuorum], liars);
  made.step(1, lead(1));
  for (const id of durable) made.member(id).disk.log.append(1, 1);
  made.step(1, (node) => node.log.append(1, 1));
  return made;
}

test("durable on two of three", () => {
  const made = cluster(3, [1, 3]);
  made.step(1, (node) => {
    node.commitIndex = 2;
  });
  expect(made.violations).toEqual([]);
  expect(made.oracle("committed-on-quorum").checks).toBe(1);
});

test("the leader's own disk does not count before it has written", () => {
  const made = cluster(3, [3]);
  made.step(1, (node) => {
    node.commitIndex = 2;
  });
  expect(made.violations).toEqual([
    "committed-on-quorum: node 1 (leader, term 1) took index 2 for committed without a durable quorum: 1 does not, 2 does not, 3 holds it",
  ]);
});

test("another entry in its place does not count", () => {
  const made = cluster(3, [1]);
  made.member(2).disk.log.append(1, 2);
  made.step(1, (node) => {
    node.commitIndex = 2;
  });
  expect(made.violations).toHaveLength(1);
});

test("two of four are no majority", () => {
  const made = cluster(4, [1, 2]);
  made.step(1, (node) => {
    node.commitIndex = 2;
  });
  expect(made.violations).toHaveLength(1);
});

/** Entries 1 and 2, the configuration at 3 and 4 are on the disks of `durable`. */
function reconfigured(count: number, durable: readonly number[], configuration: Configuration): FakeCluster {
  const made = cluster(count, []);
  made.step(1, configure(1, configuration));
  made.step(1, (node) => node.log.append(1));
  for (const id of durable) made.member(id).disk.log.entries.push(...made.node(1).log.entries);
  return made;
}

test("a joint configuration needs both halves", () => {
  const made = reconfigured(5, [1, 2], configurationOf([1, 2, 3], [1, 4, 5]));
  made.step(1, (node) => {
    node.commitIndex = 4;
  });
  expect(made.violations).toHaveLength(1);
  expect(made.violations[0]).toContain(
    "1 holds it, 2 holds it, 3 does not; outgoing: 1 holds it, 4 does not, 5 does not",
  );
});

test("the configuration counts that is in the log, whatever the node believes", () => {
  const made = reconfigured(5, [1, 2], configurationOf([1, 2, 3], [1, 2, 3, 4, 5]));
  made.step(1, (node) => {
    node.configuration = configurationOf([1, 2, 3]);
    node.commitIndex = 4;
  });
  expect(made.violations).toHaveLength(1);
});

test("the configuration before the step may have decided", () => {
  const made = reconfigured(5, [1, 2], configurationOf([1, 2, 3]));
  made.step(1, (node) => {
    node.commitIndex = 4;
    configure(1, configurationOf([1, 4, 5]))(node);
  });
  expect(made.violations).toEqual([]);
});

test("a Byzantine voter counts as far as its disk holds it", () => {
  const made = cluster(3, [1], [2]);
  made.step(1, (node) => {
    node.commitIndex = 2;
  });
  expect(made.violations).toHaveLength(1);
});

test("a damaged copy counts, a lost one does not", () => {
  const made = cluster(3, [1, 3]);
  const { disk } = made.member(3);
  disk.log.entries.length = 1;
  made.step(1, (node) => {
    node.commitIndex = 2;
  });
  expect(made.violations).toHaveLength(1);
});

test("a follower that hears of it first is judged by whoever is up", () => {
  const made = cluster(3, [2, 3], [1]);
  made.step(2, (node) => {
    node.log.append(1, 1);
    configure(1, configurationOf([1, 4, 5]))(node);
    node.commitIndex = 2;
  });
  expect(made.violations).toEqual([]);
});
