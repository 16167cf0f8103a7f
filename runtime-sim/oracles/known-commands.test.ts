import { expect, test } from "vitest";
import { knownCommands } from "./known-commands.ts";
import { createVm, FakeCluster, propose, sessionless } from "./testing/index.ts";

const setStrategy = sessionless({ kind: "setPoolStrategy", strategy: "round-robin" });

test("a command that a member does not know", () => {
  const cluster = new FakeCluster(3, [knownCommands]);
  propose(cluster, 1, sessionless(createVm("a", 1)), setStrategy);
  expect(cluster.violations).toEqual([]);
  cluster.member(3).level = 1;
  propose(cluster, 1, sessionless(createVm("b", 2)));
  expect(cluster.violations).toEqual([]);
  propose(cluster, 1, setStrategy);
  expect(cluster.violations).toEqual([
    "known-commands: entry 4 is setPoolStrategy, of feature level 2; a member knows level 1 only",
  ]);
  expect(cluster.oracles.checks).toEqual({ "known-commands": 4 });
});
