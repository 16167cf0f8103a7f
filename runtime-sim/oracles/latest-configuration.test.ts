import { expect, test } from "vitest";
import { latestConfiguration } from "./latest-configuration.ts";
import { configurationOf, configure, FakeCluster } from "./testing/index.ts";

const JOINT = configurationOf([1, 2, 3], [1, 2, 3, 4]);
const FINAL = configurationOf([1, 2, 3]);

const cluster = (): FakeCluster => new FakeCluster(3, [latestConfiguration]);

test("a member takes over each configuration with its entry", () => {
  const made = cluster();
  made.step(1, (node) => node.log.append(1));
  made.step(1, configure(1, JOINT));
  made.step(1, (node) => {
    node.log.append(1);
    configure(1, FINAL)(node);
  });
  expect(made.violations).toEqual([]);
  expect(made.oracle("latest-configuration").checks).toBeGreaterThan(3);
});

test("an entry is in the log, and the member acts as before", () => {
  const made = cluster();
  made.step(1, (node) => node.log.appendConfiguration(1, JOINT));
  expect(made.violations).toEqual([
    "latest-configuration: node 1 acts by that of index 0 (voters 1,2,3), the latest in its log is that of index 1 " +
      "(voters 1,2,3, outgoing 1,2,3,4)",
  ]);
});

test("a configuration that was cut off stays", () => {
  const made = cluster();
  made.step(1, (node) => node.log.append(1));
  made.step(1, configure(1, JOINT));
  made.step(1, (node) => {
    node.log.truncateAfter(1);
    node.log.append(2);
  });
  expect(made.violations).toHaveLength(1);
  expect(made.violations[0]).toContain("acts by that of index 2");
});

test("a configuration that was cut off is replaced by the one before, or by the new leader's", () => {
  const made = cluster();
  made.step(1, configure(1, JOINT));
  made.step(1, (node) => {
    node.log.truncateAfter(0);
    node.log.append(2);
    node.configuration = configurationOf([1, 2, 3]);
    node.configurationIndex = 0;
  });
  made.step(2, configure(1, JOINT));
  made.step(2, (node) => {
    node.log.truncateAfter(0);
    configure(2, FINAL)(node);
  });
  expect(made.violations).toEqual([]);
});

test("a member takes another configuration although its log is the same", () => {
  const made = cluster();
  made.step(1, (node) => {
    node.configuration = FINAL;
  });
  expect(made.violations).toEqual([]);
  made.step(1, (node) => {
    node.configuration = JOINT;
  });
  expect(made.violations).toHaveLength(1);
});

/** All of member 1's log is committed, and compacted at member 2, which takes it over as a snapshot. */
function installed(act: (node: ReturnType<FakeCluster["node"]>) => void): FakeCluster {
  const made = cluster();
  made.step(1, configure(1, JOINT));
  made.step(1, (node) => {
    node.log.append(1);
    node.commitIndex = 2;
  });
  made.step(2, (node) => {
    const { log } = made.node(1);
    node.log.baseIndex = 2;
    node.log.baseTerm = 1;
    node.log.baseChain = log.chainAt(2) ?? "";
    node.log.entries = [];
    node.commitIndex = 2;
    act(node);
  });
  return made;
}

test("a snapshot brings the configuration that was committed before it", () => {
  const right = installed((node) => Object.assign(node, { configuration: JOINT, configurationIndex: 1 }));
  expect(right.violations).toEqual([]);
  expect(installed(() => {}).violations).toHaveLength(1);
});

test("a process starts with an older configuration than its log has", () => {
  const made = cluster();
  made.step(1, configure(1, JOINT));
  made.crash(1);
  made.boot(1, (node) => node.log.appendConfiguration(1, JOINT));
  expect(made.violations).toHaveLength(1);
});

test("a member joins with a later configuration than its log has, if that is committed", () => {
  const made = cluster();
  made.step(1, configure(1, FINAL));
  made.step(1, (node) => {
    node.commitIndex = 1;
  });
  const joins = (configurationIndex: number): void => {
    made.crash(3);
    made.boot(3, (node) => Object.assign(node, { configuration: FINAL, configurationIndex }));
  };
  joins(1);
  expect(made.violations).toEqual([]);
  made.step(3, (node) => node.log.entries.push(...made.node(1).log.entries));
  expect(made.violations).toEqual([]);
  joins(5);
  expect(made.violations).toHaveLength(1);
});
