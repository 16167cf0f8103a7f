import { expect, test } from "vitest";
import { type ClientRequest, DEFAULT_RAFT_OPTIONS } from "../../core/index.ts";
import { answeredInTime } from "./answered-in-time.ts";
import { FakeCluster } from "./testing/index.ts";

const TIMEOUT_MS = DEFAULT_RAFT_OPTIONS.requestTimeoutMs;

const REQUEST: ClientRequest = { kind: "read", query: { kind: "getVm", name: "a" }, consistency: "linearizable" };

function asked(): FakeCluster {
  const made = new FakeCluster(2, [answeredInTime]);
  made.member(1).open.add(7);
  made.oracles.requested(made.member(1), 7, REQUEST);
  return made;
}

/** Lets time pass, with a step of member 2 in each half second. */
function pass(made: FakeCluster, ms: number): void {
  for (const endMs = made.nowMs + ms; made.nowMs < endMs; ) {
    made.nowMs += 500;
    made.step(2, () => {});
  }
}

test("answered before the time-out", () => {
  const made = asked();
  pass(made, TIMEOUT_MS - 500);
  made.member(1).open.delete(7);
  pass(made, 10_000);
  expect(made.violations).toEqual([]);
  expect(made.oracle("answered-in-time").checks).toBeGreaterThan(0);
});

test("never answered", () => {
  const made = asked();
  pass(made, TIMEOUT_MS + 4000);
  expect(made.violations).not.toEqual([]);
  expect(made.violations[0]).toMatch(
    /^answered-in-time: node 1 has not answered request 7 for \d+ ms of its own clock/,
  );
});

test("a later request is answered, the earlier is not", () => {
  const made = asked();
  made.oracles.requested(made.member(1), 8, REQUEST);
  pass(made, TIMEOUT_MS + 4000);
  expect(made.violations).not.toEqual([]);
});

test("a process that stands still owes nothing before it goes on", () => {
  const made = asked();
  made.conditions.setHost(1, { keepsInputsWaiting: true });
  pass(made, 20_000);
  expect(made.violations).toEqual([]);
  made.conditions.setHost(1, {});
  pass(made, 4000);
  expect(made.violations.length).toBeGreaterThan(0);
});

test("by a frozen clock no time passes", () => {
  const made = asked();
  made.conditions.setHost(1, { clockMs: 100 });
  pass(made, 20_000);
  expect(made.violations).toEqual([]);
});

test("a process that has ended owes nothing", () => {
  const made = asked();
  made.crash(1);
  pass(made, 20_000);
  expect(made.violations).toEqual([]);
});
