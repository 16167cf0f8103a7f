import { expect, test } from "vitest";
import { haltedHonest } from "./halted-honest.ts";
import { FakeCluster, halt } from "./testing/index.ts";

const FORGETFUL = { kind: "truncateCommitted", from: 2, index: 3, commit: 4 } as const;

test("an assertion that failed", () => {
  const cluster = new FakeCluster(3, [haltedHonest]);
  cluster.step(1, () => {}, [halt("assertion failed: log slice 1..2 of 3..4")]);
  expect(cluster.violations).toEqual([
    "halted-honest: node 1 stopped itself: assertion failed: log slice 1..2 of 3..4",
  ]);
});

test("evidence against a node with a sound disk is no excuse", () => {
  const cluster = new FakeCluster(3, [haltedHonest]);
  cluster.step(1, () => {}, [halt("truncation", FORGETFUL)]);
  expect(cluster.violations).toHaveLength(1);
});

test("an assertion on a host whose disk has failed is still one", () => {
  const cluster = new FakeCluster(3, [haltedHonest]);
  cluster.member(1).disk.faults = 1;
  cluster.step(1, () => {}, [halt("assertion failed: log slice 1..2 of 3..4")]);
  expect(cluster.violations).toHaveLength(1);
});

test("a write that failed on a sound disk is a defect too", () => {
  const cluster = new FakeCluster(3, [haltedHonest]);
  cluster.step(1, () => {}, [halt("write 3 failed: disk full; what is on the disk is unknown")]);
  expect(cluster.violations).toHaveLength(1);
});

test("excused: its own disk failed, the accused's was damaged, or somebody lies", () => {
  const failing = new FakeCluster(3, [haltedHonest]);
  failing.member(1).disk.faults = 1;
  failing.step(1, () => {}, [halt("write 3 failed: disk full; what is on the disk is unknown")]);
  const forgetful = new FakeCluster(3, [haltedHonest]);
  forgetful.member(2).disk.faults = 1;
  forgetful.step(1, () => {}, [halt("truncation", FORGETFUL)]);
  const lying = new FakeCluster(3, [haltedHonest], [3]);
  lying.step(1, () => {}, [halt("truncation", FORGETFUL)]);
  for (const { violations, oracles } of [failing, forgetful, lying]) {
    expect(violations).toEqual([]);
    expect(oracles.checks).toEqual({ "halted-honest": 1 });
  }
});
