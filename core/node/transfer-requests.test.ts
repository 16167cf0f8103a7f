import { expect, test } from "vitest";
import { PendingRequests } from "./pending-requests.ts";
import { TransferRequests } from "./transfer-requests.ts";

type FakeRaft = {
  -readonly [Key in keyof ConstructorParameters<typeof TransferRequests>[0]]: ConstructorParameters<
    typeof TransferRequests
  >[0][Key];
};

/** A leader that hands leadership to node 2. */
function handingOver(): { readonly raft: FakeRaft; readonly transfers: TransferRequests; readonly answers: string[] } {
  const answers: string[] = [];
  const pending = new PendingRequests(100, (_, answer) =>
    answers.push(answer.kind === "refused" ? answer.refusal.kind : answer.kind),
  );
  const raft: FakeRaft = { role: "leader", leaderId: 1, nowMs: 0, transferring: null, startTransfer: () => null };
  const transfers = new TransferRequests(raft, pending);
  transfers.request(7, { kind: "transferLeadership", to: 2 });
  raft.transferring = { to: 2, deadlineMs: 100, sent: false };
  transfers.follow();
  expect(answers).toEqual([]);
  return { raft, transfers, answers };
}

test.each<[string, string, (raft: FakeRaft) => void]>([
  ["it leads", "leadershipTransferred", (raft) => Object.assign(raft, { role: "follower", leaderId: 2 })],
  ["it has not caught up in time", "transferRefused", (raft) => Object.assign(raft, { transferring: null })],
])("a transfer is answered once %s", (_, answer, happens) => {
  const { raft, transfers, answers } = handingOver();
  happens(raft);
  transfers.follow();
  transfers.follow();
  expect(answers).toEqual([answer]);
});

test("once the order has left, a transfer that is given up may still succeed", () => {
  const { raft, transfers, answers } = handingOver();
  raft.transferring = { to: 2, deadlineMs: 100, sent: true };
  transfers.follow();
  raft.transferring = null;
  transfers.follow();
  expect(answers).toEqual(["outcomeUnknown"]);
});

test("who lost leadership waits until somebody is known to lead", () => {
  const { raft, transfers, answers } = handingOver();
  Object.assign(raft, { role: "follower", leaderId: 0, transferring: null });
  transfers.follow();
  expect(answers).toEqual([]);
  raft.leaderId = 2;
  transfers.follow();
  expect(answers).toEqual(["leadershipTransferred"]);
});
