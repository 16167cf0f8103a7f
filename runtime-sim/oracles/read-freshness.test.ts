import { expect, test } from "vitest";
import { readFreshness } from "./read-freshness.ts";
import { applied, CREATED, call, complete, FakeCluster, read } from "./testing/index.ts";

test("concurrent operations may be served in any order", () => {
  const cluster = new FakeCluster(1, [readFreshness]);
  const early = call(cluster, { id: 1 });
  complete(cluster, call(cluster, { id: 2, kind: "create", value: 1 }), applied(5, CREATED));
  complete(cluster, early, read(4, null));
  expect(cluster.violations).toEqual([]);
  expect(cluster.oracle("read-freshness").checks).toBe(2);
});

test("a read from before an acknowledged write", () => {
  const cluster = new FakeCluster(1, [readFreshness]);
  complete(cluster, call(cluster, { id: 2, kind: "create", value: 1 }), applied(5, CREATED));
  complete(cluster, call(cluster, { id: 3, key: "another" }), read(4, null));
  expect(cluster.violations).toEqual([
    "read-freshness: operation 3 of client 1 (getVm another) was served at index 4; 5 had been answered to operation 2 at event 0, 0.001000 s, before it was called",
  ]);
});

test("a read that was asked to be stale may be", () => {
  const cluster = new FakeCluster(1, [readFreshness]);
  complete(cluster, call(cluster, { id: 2, kind: "create", value: 1 }), applied(5, CREATED));
  complete(cluster, call(cluster, { id: 3, consistency: "stale" }), read(4, null));
  expect(cluster.violations).toEqual([]);
});
