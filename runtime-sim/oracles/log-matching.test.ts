import { expect, test } from "vitest";
import { logMatching } from "./log-matching.ts";
import { entries, FakeCluster, lead } from "./testing/index.ts";

test("logs that grow, are cut back and agree again", () => {
  const cluster = new FakeCluster(3, [logMatching]);
  cluster.step(1, (node) => node.log.append(1, 1, 1));
  cluster.step(2, (node) => node.log.append(1, 1));
  cluster.step(2, (node) => node.log.append(2, 2));
  cluster.step(1, (node) => {
    node.log.truncateAfter(2);
    node.log.append(2, 2);
  });
  cluster.step(3, (node) => node.log.append(1, 1, 2, 2));
  expect(cluster.violations).toEqual([]);
  expect(cluster.oracle("log-matching").checks).toBeGreaterThan(5);
});

test("equal index and term, another history", () => {
  const cluster = new FakeCluster(2, [logMatching]);
  cluster.step(1, (node) => node.log.append(1, 1, 2));
  cluster.step(2, (node) => node.log.append(1, 2, 2));
  expect(cluster.violations).toEqual([
    "log-matching: two logs differ at index 3 of term 2: chain genesis/1/1/2 in that of node 1 " +
      "at event 1, 0.000000 s, and genesis/1/2/2 in that of node 2 at event 2, 0.000000 s",
  ]);
});

test("a conflict below the end is found when the end is new", () => {
  const cluster = new FakeCluster(2, [logMatching]);
  cluster.step(1, (node) => node.log.append(1, 1));
  cluster.step(2, (node) => {
    node.log.entries = entries(1, [1, 1, 1], "another genesis");
  });
  expect(cluster.violations).toHaveLength(1);
  expect(cluster.violations[0]).toContain("at index 2 of term 1");
});

test("the overwritten entry of an older term is still known", () => {
  const cluster = new FakeCluster(3, [logMatching]);
  cluster.step(1, (node) => node.log.append(1, 1));
  cluster.step(2, (node) => node.log.append(1, 2));
  cluster.step(3, (node) => {
    node.log.entries = entries(1, [1, 1], "another genesis");
  });
  expect(cluster.violations).toHaveLength(1);
});

test("a term that falls along a log", () => {
  const cluster = new FakeCluster(1, [logMatching]);
  cluster.step(1, (node) => node.log.append(2, 1));
  expect(cluster.violations).toEqual(["log-matching: node 1 has term 1 at index 2 after term 2 at index 1"]);
});

test("what a restarted node has restored is checked", () => {
  const cluster = new FakeCluster(2, [logMatching]);
  cluster.step(1, (node) => node.log.append(1, 1));
  cluster.crash(1);
  cluster.boot(1, (node) => {
    node.log.entries = entries(1, [1, 1], "another genesis");
  });
  expect(cluster.violations).toHaveLength(1);
});

test("a Byzantine leader may tell two followers two things", () => {
  const cluster = new FakeCluster(3, [logMatching], [3]);
  cluster.step(3, lead(2));
  cluster.step(1, (node) => node.log.append(1, 2));
  cluster.step(2, (node) => {
    node.log.entries = entries(1, [2, 2], "another genesis");
  });
  expect(cluster.violations).toEqual([]);
});

test("a long log costs a look at the new entries only", () => {
  const cluster = new FakeCluster(2, [logMatching]);
  for (let index = 1; index <= 20_000; index++) {
    const entry = { index, term: 1, kind: "noop", data: new Uint8Array(0), chain: `chain ${index}` } as const;
    for (const id of [1, 2]) cluster.step(id, (node) => node.log.entries.push(entry));
  }
  expect(cluster.violations).toEqual([]);
  expect(cluster.oracle("log-matching").checks).toBeLessThan(3 * 20_000 + 10);
});
