import { expect, test } from "vitest";
import type { ClientRequest } from "../../core/index.ts";
import { membershipAnswers } from "./membership-answers.ts";
import { configurationOf, configure, FakeCluster } from "./testing/index.ts";

const JOINT = configurationOf([1, 2], [1, 2, 3]);
const FINAL = configurationOf([1, 2]);
const REMOVE: ClientRequest = { kind: "changeMembership", changes: [{ kind: "remove", id: 3 }] };

/** Node 1 is asked to remove node 3; what is committed meanwhile are these configurations. */
function asked(request: ClientRequest, ...configurations: (typeof FINAL)[]): FakeCluster {
  const made = new FakeCluster(3, [membershipAnswers]);
  made.oracles.requested(made.member(1), 7, request);
  for (const configuration of configurations)
    made.step(1, (node) => {
      configure(2, configuration)(node);
      node.commitIndex = node.log.lastIndex;
    });
  return made;
}

function answer(made: FakeCluster, index: number, term = 2): FakeCluster {
  made.step(1, () => {}, [{ kind: "answer", requestId: 7, answer: { kind: "membershipChanged", index, term } }]);
  return made;
}

test("the final configuration has what was asked for", () => {
  const made = answer(asked(REMOVE, JOINT, FINAL), 2);
  expect(made.violations).toEqual([]);
  expect(made.oracle("membership-answers").checks).toBe(1);
});

test("planted: another change was committed in its place", () => {
  const made = answer(asked(REMOVE, configurationOf([1, 2, 3], [1, 2]), configurationOf([1, 2, 3])), 2);
  expect(made.violations).toEqual([
    "membership-answers: node 1 says that a change is done by entry 2 of term 2, which does not remove node 3",
  ]);
});

test.each([
  ["the joint configuration only", 1, 2, "is a joint configuration"],
  ["an entry that nobody has committed", 5, 2, "is not committed"],
  ["an entry of another term", 2, 1, "is a configuration of term 2"],
])("planted: the answer names %s", (_, index, term, why) => {
  const made = answer(asked(REMOVE, JOINT, FINAL), index, term);
  expect(made.violations).toEqual([expect.stringContaining(why)]);
});

test.each([
  ["promote", { kind: "promote", id: 3 }],
  ["demote", { kind: "demote", id: 1 }],
  ["addLearner", { kind: "addLearner", id: 4, peerId: "peer-4", promote: false }],
] as const)("planted: nothing has come of a request to %s", (kind, change) => {
  const made = answer(asked({ kind: "changeMembership", changes: [change] }, JOINT, FINAL), 2);
  expect(made.violations).toEqual([expect.stringContaining(`does not ${kind} node ${change.id}`)]);
});

test("a process that has ended owes no answer", () => {
  const made = asked(REMOVE, JOINT, FINAL);
  made.crash(1);
  expect(made.violations).toEqual([]);
});
