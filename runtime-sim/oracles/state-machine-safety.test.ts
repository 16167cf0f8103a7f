import { expect, test } from "vitest";
import { applyEntries, type Entry, emptyState } from "../../core/index.ts";
import { stateMachineSafety } from "./state-machine-safety.ts";
import {
  applyOn,
  createVm,
  deleteVm,
  EXISTS,
  FakeCluster,
  propose,
  sessionless,
  specOf,
  updateVm,
} from "./testing/index.ts";

const NAME = "state-machine-safety";

function history(cluster: FakeCluster): readonly Entry[] {
  return propose(
    cluster,
    1,
    sessionless(createVm("a", 1)),
    sessionless(createVm("b", 2)),
    sessionless(updateVm("a", 3, 1)),
    sessionless(deleteVm("b")),
  );
}

test("nodes that apply the same, one by one or all at once", () => {
  const cluster = new FakeCluster(3, [stateMachineSafety]);
  const entries = history(cluster);
  for (const entry of entries) applyOn(cluster, 2, [entry]);
  applyOn(cluster, 3, entries);
  cluster.oracles.finished();
  expect(cluster.violations).toEqual([]);
  expect(cluster.oracle(NAME).checks).toBeGreaterThan(12);
});

test("another entry applied", () => {
  const cluster = new FakeCluster(3, [stateMachineSafety]);
  const [first] = history(cluster);
  if (first === undefined) throw new Error("no entry");
  applyOn(cluster, 2, [{ ...first, chain: "another" }]);
  expect(cluster.violations).toEqual([
    `${NAME}: node 2 applied chain another at index 1 at event 2, 0.000000 s, where chain 1 of 1 was first ` +
      "committed by node 1 at event 1, 0.000000 s",
  ]);
});

test("another result", () => {
  const cluster = new FakeCluster(3, [stateMachineSafety]);
  const entries = history(cluster);
  applyOn(cluster, 2, entries, (node) => {
    node.lastApplied = node.lastApplied.map((each, at) => (at === 1 ? { ...each, result: EXISTS } : each));
  });
  expect(cluster.violations).toHaveLength(1);
  expect(cluster.violations[0]).toContain('applying entry 2 gave {"ok":false,"refusal":{"kind":"vmExists"}} on node 2');
});

test("an entry left out, and one applied twice", () => {
  for (const order of [
    [0, 2, 3],
    [0, 0, 1],
  ]) {
    const cluster = new FakeCluster(3, [stateMachineSafety]);
    const entries = history(cluster);
    applyOn(cluster, 2, entries, (node) => {
      node.lastApplied = order.flatMap((at) => node.lastApplied[at] ?? []);
    });
    expect(cluster.violations[0]).toMatch(/node 2 applied entry \d where \d was next/);
  }
});

test("a first node that gets a wrong result is found by the replay", () => {
  const cluster = new FakeCluster(1, [stateMachineSafety]);
  const other = new FakeCluster(1, []);
  applyOn(cluster, 1, history(other), (node) => {
    node.lastApplied = node.lastApplied.map((each) => ({ ...each, result: EXISTS }));
  });
  cluster.oracles.finished();
  expect(cluster.violations[0]).toContain("in a replay");
});

test("a state that came by a snapshot and is not the right one", () => {
  for (const wrong of [false, true]) {
    const cluster = new FakeCluster(3, [stateMachineSafety]);
    const entries = history(cluster);
    cluster.step(2, (node) => {
      node.log.baseIndex = 4;
      node.log.baseTerm = 1;
      node.log.baseChain = "chain 4 of 1";
      node.commitIndex = 4;
      node.appliedIndex = 4;
      node.state = applyEntries(emptyState(), wrong ? entries.slice(0, 3) : entries).state;
    });
    expect(cluster.violations).toHaveLength(wrong ? 1 : 0);
  }
});

test("a state that went wrong silently is found at the end", () => {
  const cluster = new FakeCluster(3, [stateMachineSafety]);
  const entries = history(cluster);
  applyOn(cluster, 2, entries);
  cluster.step(2, (node) => {
    const stray = { index: 9, term: 1, data: entries[1]?.data ?? new Uint8Array(0) };
    node.state = applyEntries(node.state, [stray]).state;
  });
  cluster.oracles.finished();
  expect(cluster.violations).toEqual([
    `${NAME}: the state of node 2 after entry 4 is not what a replay of the committed entries gives`,
  ]);
});

test("nodes that lag are compared with each other at the end", () => {
  const cluster = new FakeCluster(3, [stateMachineSafety]);
  const entries = history(cluster);
  applyOn(cluster, 2, entries.slice(0, 2));
  applyOn(cluster, 3, entries.slice(0, 2), (node) => {
    const vm = { index: 9, term: 1, data: entries[3]?.data ?? new Uint8Array(0) };
    node.state = applyEntries(node.state, [vm]).state;
  });
  // Folds the replay beyond them.
  cluster.crash(1);
  cluster.boot(1, (node) => {
    node.log.entries = [...entries];
    node.commitIndex = 4;
    node.appliedIndex = 4;
    node.state = applyEntries(emptyState(), entries).state;
  });
  cluster.step(1, () => {});
  applyOn(cluster, 1, [{ index: 5, term: 1, kind: "noop", data: new Uint8Array(0), chain: "chain 5 of 1" }]);
  cluster.oracles.finished();
  expect(cluster.violations).toEqual([`${NAME}: nodes 2 and 3 have applied 2 and hold different states`]);
});

test("a long run keeps nothing but its window", () => {
  const cluster = new FakeCluster(2, [stateMachineSafety]);
  propose(cluster, 1, sessionless(createVm("a", 1)));
  for (let generation = 1; generation <= 20_000; generation++) {
    const entries = propose(cluster, 1, sessionless(updateVm("a", generation + 1, generation)));
    if (generation % 5000 === 0) cluster.node(1).log.compactTo(cluster.node(1).log.lastIndex - 1);
    expect(entries).toHaveLength(1);
  }
  cluster.oracles.finished();
  expect(cluster.violations).toEqual([]);
  expect(cluster.node(1).state.vmCount).toBe(1);
  expect(specOf(1).metadata).toEqual({ value: "1" });
});
