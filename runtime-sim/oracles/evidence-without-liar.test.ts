import { expect, test } from "vitest";
import { evidenceWithoutLiar } from "./evidence-without-liar.ts";
import { accuse, FakeCluster } from "./testing/index.ts";

const FORGETFUL = { kind: "lyingAcknowledgement", from: 2, index: 3, reason: "not in the log" } as const;
const FORGED = { kind: "forgedSignature", from: 2, term: 3, reason: "vote" } as const;

test("an honest node accused", () => {
  const cluster = new FakeCluster(3, [evidenceWithoutLiar]);
  cluster.step(1, () => {}, [accuse(FORGETFUL)]);
  expect(cluster.violations).toHaveLength(1);
  expect(cluster.violations[0]).toContain('node 1 accuses an honest node: {"kind":"lyingAcknowledgement"');
});

test("a damaged disk excuses what forgetting looks like, and no forgery", () => {
  const cluster = new FakeCluster(3, [evidenceWithoutLiar]);
  cluster.member(2).disk.faults = 1;
  cluster.step(1, () => {}, [accuse(FORGETFUL)]);
  expect(cluster.violations).toEqual([]);
  cluster.step(1, () => {}, [accuse(FORGED)]);
  expect(cluster.violations).toHaveLength(1);
});

test("where somebody lies, the verdicts judge", () => {
  const cluster = new FakeCluster(3, [evidenceWithoutLiar], [3]);
  cluster.step(1, () => {}, [accuse(FORGED)]);
  expect(cluster.violations).toEqual([]);
});
