import { expect, test } from "vitest";
import { emptyState } from "../../core/index.ts";
import { WALL_EPOCH_MS } from "../hardware/index.ts";
import { clusterTime } from "./cluster-time.ts";
import { deleteVm, entryAfter, FakeCluster, lead, sessionless } from "./testing/index.ts";

const HOUR_MS = 3_600_000;

/** Five members at true time 100 s, the first of which leads and hears all others. */
function clusterAtHundred(liars: readonly number[] = []): FakeCluster {
  const cluster = new FakeCluster(5, [clusterTime], liars);
  cluster.nowMs = 100_000;
  cluster.step(1, lead(1));
  for (const id of [2, 3, 4, 5]) cluster.node(1).answeredMs.set(id, 99_900);
  return cluster;
}

/** The leader appends an entry, and applies it `laterMs` later, when cluster time is `timeMs` after the true zero. */
function append(cluster: FakeCluster, index: number, timeMs: number, laterMs = 10): void {
  const entry = entryAfter(cluster.node(1), 1, sessionless(deleteVm("vm")));
  cluster.step(1, ({ log }) => {
    log.entries.push(entry);
  });
  cluster.nowMs += laterMs;
  cluster.step(1, (node) => {
    node.commitIndex = index;
    node.appliedIndex = index;
    node.state = { ...emptyState(), appliedIndex: index, timeMs: WALL_EPOCH_MS + timeMs };
    node.lastApplied = [{ entry, result: null }];
  });
}

test("one clock that is ahead moves the cluster's time", () => {
  const cluster = clusterAtHundred();
  cluster.member(1).clock.errorMs = HOUR_MS;
  append(cluster, 1, 100_000);
  expect(cluster.violations).toEqual([]);
  append(cluster, 2, 100_000 + HOUR_MS);
  expect(cluster.violations).toEqual([
    "cluster-time: after entry 2 cluster time is 3599.980 s ahead of true time; the clocks of a majority allow " +
      "5.000 s, 5 s of it to spare",
  ]);
});

test("a majority that is ahead may move it, for good", () => {
  const cluster = clusterAtHundred();
  for (const id of [1, 2, 3]) cluster.member(id).clock.errorMs = HOUR_MS;
  append(cluster, 1, 100_000 + HOUR_MS);
  for (const id of [1, 2, 3]) cluster.member(id).clock.errorMs = 0;
  append(cluster, 2, 100_000 + HOUR_MS);
  expect(cluster.violations).toEqual([]);
});

test("one clock that is behind makes it stand still", () => {
  const cluster = clusterAtHundred();
  cluster.member(1).clock.errorMs = HOUR_MS;
  append(cluster, 1, 90_000);
  expect(cluster.violations).toEqual([
    "cluster-time: after entry 1 cluster time is 5.000 s further behind than the clocks of the majority that its " +
      "leader heard allow, 5 s to spare",
  ]);
});

test("not behind: appended long ago, or by a leader that did not hear enough right clocks", () => {
  const slow = clusterAtHundred();
  append(slow, 1, 99_000, 60_000);
  expect(slow.violations).toEqual([]);
  const alone = clusterAtHundred();
  alone.member(1).clock.errorMs = HOUR_MS;
  for (const id of [2, 3]) alone.node(1).answeredMs.set(id, 50_000);
  append(alone, 1, 10_000);
  expect(alone.violations).toEqual([]);
  expect(alone.oracles.checks).toEqual({ "cluster-time": 1 });
});

test("nothing is demanded where somebody lies", () => {
  const cluster = clusterAtHundred([5]);
  append(cluster, 1, HOUR_MS);
  expect(cluster.violations).toEqual([]);
});
