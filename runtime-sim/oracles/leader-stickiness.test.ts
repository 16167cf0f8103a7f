import { expect, test } from "vitest";
import { DEFAULT_RAFT_OPTIONS, type Effect, type Message } from "../../core/index.ts";
import { leaderStickiness } from "./leader-stickiness.ts";
import { FakeCluster, lead } from "./testing/index.ts";

const HEADER = { clusterId: "test", incarnation: 1, wallMs: 0 } as const;
const TIMEOUT_MS = DEFAULT_RAFT_OPTIONS.electionTimeoutMs;

function send(to: number, message: Message): Effect {
  return { kind: "send", to: `peer-${to}`, message };
}

function answer(certified: boolean): Effect {
  return send(1, { type: "heartbeatResponse", ...HEADER, from: 2, to: 1, term: 1, round: 1, certified, proof: null });
}

const ORDER = send(3, { type: "timeoutNow", ...HEADER, from: 1, to: 3, term: 1, transfer: "" });

const PRE_VOTE = send(3, {
  type: "voteResponse",
  ...HEADER,
  from: 2,
  to: 3,
  term: 2,
  preVote: true,
  granted: true,
  signature: "",
  proof: null,
});

/** Member 1 leads term 1, and member 2 has answered it that long ago. */
function followedFor(silentMs: number, { certified = true, liars = [] as readonly number[] } = {}): FakeCluster {
  const made = new FakeCluster(3, [leaderStickiness], liars);
  made.step(1, lead(1));
  made.step(2, (node) => Object.assign(node, { term: 1 }), [answer(certified)]);
  made.nowMs += silentMs;
  return made;
}

const vote = (made: FakeCluster): void => made.step(2, (node) => Object.assign(node, { term: 2, votedFor: 3 }));

test("planted: a vote of whoever has just heard its leader", () => {
  const made = followedFor(TIMEOUT_MS / 2);
  vote(made);
  expect(made.violations).toEqual([
    "leader-stickiness: node 2 gives node 3 its vote at event 3, 0.500000 s, 500 ms of its clock after it has answered " +
      "node 1, which leads term 1, at event 2, 0.000000 s; no campaign was ordered since that term",
  ]);
});

test("planted: a pre-vote", () => {
  const made = followedFor(TIMEOUT_MS / 2);
  made.step(2, () => {}, [PRE_VOTE]);
  expect(made.violations).toHaveLength(1);
});

test("who has not heard it for a time-out may vote", () => {
  const made = followedFor(TIMEOUT_MS);
  made.step(2, () => {}, [PRE_VOTE]);
  vote(made);
  expect(made.violations).toEqual([]);
  expect(made.oracle("leader-stickiness").checks).toBe(2);
});

test("an ordered campaign is voted for at once", () => {
  const made = followedFor(0);
  made.step(1, () => {}, [ORDER]);
  vote(made);
  expect(made.violations).toEqual([]);
});

test("whoever campaigns itself has its own vote", () => {
  const made = followedFor(0);
  made.step(2, (node) => Object.assign(node, { term: 2, votedFor: 2 }));
  expect(made.violations).toEqual([]);
});

test("who does not know the sender as leader, has led itself since, or has started anew is not bound", () => {
  const unknown = followedFor(0, { certified: false });
  const led = followedFor(0);
  led.step(2, lead(2));
  const restarted = followedFor(0);
  restarted.crash(2);
  restarted.boot(2, (node) => Object.assign(node, { term: 1 }));
  for (const made of [unknown, led, restarted]) {
    made.step(2, (node) => Object.assign(node, { term: 3, votedFor: 3 }));
    expect(made.violations).toEqual([]);
  }
});

test("where a member lies nothing is known of orders", () => {
  const made = followedFor(0, { liars: [3] });
  vote(made);
  expect(made.violations).toEqual([]);
});
