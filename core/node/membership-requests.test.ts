import { expect, test } from "vitest";
import { DEFAULT_COUNT_LIMITS, type Entry, Node } from "../index.ts";
import { Applier } from "./applier.ts";
import { MembershipRequests } from "./membership-requests.ts";
import { PendingRequests } from "./pending-requests.ts";

const { snapshot } = Node.genesis("test", 1, [{ id: 1, peerId: "peer-1" }]);

function entry(index: number, term: number): Entry {
  return { index, term, kind: "configuration", data: new Uint8Array(0), chain: "" };
}

/** A leader of term 3 whose change has its joint entry at index 8. */
function changing(): {
  readonly requests: MembershipRequests;
  readonly pending: PendingRequests;
  readonly ticket: number;
  readonly answers: string[];
} {
  const answers: string[] = [];
  const pending = new PendingRequests(100, (_, answer) =>
    answers.push(answer.kind === "refused" ? answer.refusal.kind : answer.kind),
  );
  const raft = { role: "leader", leaderId: 1, term: 3, nowMs: 0, changeMembership: () => ({ jointIndex: 8 }) } as const;
  const requests = new MembershipRequests(raft, pending, new Applier(snapshot, DEFAULT_COUNT_LIMITS));
  requests.request(7, { kind: "changeMembership", changes: [] });
  const [[ticket] = [Number.NaN]] = pending.entries();
  return { requests, pending, ticket, answers };
}

test("a change is done with the final configuration after its own joint one", () => {
  const { requests, ticket, answers } = changing();
  requests.finalApplied(entry(7, 2));
  expect(answers).toEqual([]);
  requests.jointApplied(ticket, 3, entry(8, 3));
  expect(answers).toEqual([]);
  requests.finalApplied(entry(9, 3));
  expect(answers).toEqual(["membershipChanged"]);
});

test("another leader's entry in its place: the change never happened", () => {
  const { requests, ticket, answers } = changing();
  requests.jointApplied(ticket, 3, entry(8, 4));
  expect(answers).toEqual(["noLeader"]);
});

test("a snapshot in place of the final configuration leaves the outcome unknown", () => {
  const { requests, ticket, answers } = changing();
  requests.snapshotInstalled();
  expect(answers).toEqual([]);
  requests.jointApplied(ticket, 3, entry(8, 3));
  requests.snapshotInstalled();
  expect(answers).toEqual(["outcomeUnknown"]);
});
