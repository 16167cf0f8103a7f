import { expect, test } from "vitest";
import { DEFAULT_RAFT_OPTIONS } from "../index.ts";
import { type LeaderView, type Proposal, ProposalBatch } from "./proposal-batch.ts";

const OPTIONS = {
  ...DEFAULT_RAFT_OPTIONS,
  batchMs: 10,
  batchEntries: 3,
  batchBytes: 100,
  maxUncommittedBytes: 1000,
};

/** A leader whose disk is busy. */
function busy(): { -readonly [Key in keyof LeaderView]: LeaderView[Key] } {
  return { takesProposals: true, uncommittedBytes: 0, diskIdle: false, nowMs: 50 };
}

function proposal(ticket: number, sizeBytes = 1): Proposal {
  return { data: new Uint8Array(sizeBytes), origin: { kind: "client", ticket } };
}

test("nothing is due while the disk is busy, the batch small and young", () => {
  const batch = new ProposalBatch(busy(), OPTIONS);
  expect(batch.deadlineMs).toBe(Number.POSITIVE_INFINITY);
  batch.add(proposal(1));
  batch.add(proposal(2));
  expect(batch.takeDue()).toEqual([]);
  expect(batch.deadlineMs).toBe(60);
});

test.each<[string, (leader: ReturnType<typeof busy>, batch: ProposalBatch) => void]>([
  ["the disk is idle", (leader) => Object.assign(leader, { diskIdle: true })],
  ["the oldest has waited for batchMs", (leader) => Object.assign(leader, { nowMs: 60 })],
  ["nothing is taken any more", (leader) => Object.assign(leader, { takesProposals: false })],
  ["there are batchEntries of them", (_, batch) => [2, 3].map((ticket) => batch.add(proposal(ticket)))],
  ["they have batchBytes", (_, batch) => batch.add(proposal(2, 99))],
])("all are due once %s, in their order, and are handed out once", (_, happens) => {
  const leader = busy();
  const batch = new ProposalBatch(leader, OPTIONS);
  batch.add(proposal(1));
  happens(leader, batch);
  expect(batch.takeDue().map(({ origin }) => origin)).toContainEqual({ kind: "client", ticket: 1 });
  expect(batch.takeDue()).toEqual([]);
  expect(batch.deadlineMs).toBe(Number.POSITIVE_INFINITY);
});

test("what waits in the batch counts as uncommitted, up to the limit and no byte further", () => {
  const leader = busy();
  leader.uncommittedBytes = 800;
  const batch = new ProposalBatch(leader, OPTIONS);
  batch.add(proposal(1, 99));
  expect(batch.isFullFor(new Uint8Array(101))).toBe(false);
  expect(batch.isFullFor(new Uint8Array(102))).toBe(true);
});
