import { expect, test } from "vitest";
import type { OracleFactory } from "./context.ts";
import { ORACLES } from "./index.ts";
import type { Oracle } from "./oracle.ts";
import { accuse, FakeCluster, grant, halt, lead } from "./testing/index.ts";

/** Writes down which hooks are called. */
function recorder(calls: string[]): OracleFactory {
  return () => {
    const write =
      (what: string) =>
      (watched: { readonly member: { readonly id: number } }): void => {
        calls.push(`${what} ${watched.member.id}`);
      };
    const oracle: Oracle = {
      name: "recorder",
      summary: "",
      checks: 0,
      booted: write("booted"),
      crashed: write("crashed"),
      hardState: write("hardState"),
      elected: write("elected"),
      logged: write("logged"),
      committed: write("committed"),
      applied: write("applied"),
      promised: write("promised"),
      halted: write("halted"),
      accused: write("accused"),
    };
    return oracle;
  };
}

test("hooks are called for what changed, and for nothing else", () => {
  const calls: string[] = [];
  const cluster = new FakeCluster(2, [recorder(calls)], [2]);
  const told = (act: () => void): readonly string[] => {
    calls.length = 0;
    act();
    return [...calls];
  };
  expect(calls).toEqual(["booted 1"]);
  expect(told(() => cluster.step(1, () => {}))).toEqual([]);
  expect(told(() => cluster.step(1, lead(1)))).toEqual(["hardState 1", "elected 1"]);
  expect(told(() => cluster.step(1, lead(1)))).toEqual([]);
  expect(told(() => cluster.step(1, (node) => node.log.append(1, 1)))).toEqual(["logged 1"]);
  const replace = () =>
    cluster.step(1, (node) => {
      node.log.truncateAfter(1);
      node.log.append(2);
      node.commitIndex = 2;
      node.appliedIndex = 2;
    });
  expect(told(replace)).toEqual(["logged 1", "committed 1", "applied 1"]);
  expect(told(() => cluster.step(1, () => {}, [grant(1, 2, 3), accuse(evidence), halt("why")]))).toEqual([
    "promised 1",
    "accused 1",
    "halted 1",
  ]);
  expect(told(() => cluster.step(2, lead(3), [grant(2, 1, 3), halt("why")]))).toEqual(["elected 2"]);
  expect(told(() => cluster.crash(1))).toEqual(["crashed 1"]);
  expect(told(() => cluster.boot(1, () => {}))).toEqual(["booted 1"]);
});

test("of a step that halted the node, only what it says counts", () => {
  const calls: string[] = [];
  const cluster = new FakeCluster(1, [recorder(calls)]);
  calls.length = 0;
  const broken = () =>
    cluster.step(
      1,
      (node) => {
        node.halted = true;
        node.commitIndex = 7;
      },
      [halt("assertion")],
    );
  broken();
  expect(calls).toEqual(["halted 1"]);
});

test("a step of a host that is not up is a defect of the world", () => {
  const cluster = new FakeCluster(1, []);
  const member = cluster.member(1);
  cluster.oracles.crashed(member);
  expect(() => cluster.oracles.stepped(member, [])).toThrow("host 1 made a step, but is not known to be up");
});

test("names are unique and summaries are there", () => {
  const { oracles } = new FakeCluster(1, ORACLES);
  const names = oracles.all.map((oracle) => oracle.name);
  expect(new Set(names).size).toBe(names.length);
  expect(Object.keys(oracles.checks)).toEqual(names);
  for (const { summary } of oracles.all) expect(summary).not.toBe("");
});

const evidence = { kind: "impersonation", peer: "peer", claimed: 1 } as const;
