import { expect, test } from "vitest";
import { type ClientRequest, emptyState, type Message, type ReadConsistency } from "../index.ts";
import { DEFAULT_RAFT_OPTIONS } from "../raft/index.ts";
import { ClientReads } from "./client-reads.ts";
import { PendingRequests } from "./pending-requests.ts";

type FakeRaft = {
  -readonly [Key in keyof ConstructorParameters<typeof ClientReads>[0]]: ConstructorParameters<
    typeof ClientReads
  >[0][Key];
};

/** Reads on a follower of node 1 that has applied up to 5. */
function reads(leaseReads = false) {
  const answers: string[] = [];
  const sent: Message[] = [];
  const asked: unknown[] = [];
  const replica = { state: emptyState(), appliedIndex: 5 };
  const pending = new PendingRequests(100, (_, answer) =>
    answers.push(answer.kind === "refused" ? answer.refusal.kind : `read at ${"index" in answer ? answer.index : 0}`),
  );
  const raft: FakeRaft = {
    role: "follower",
    leaderId: 1,
    term: 3,
    nowMs: 0,
    holdsLease: () => false,
    requestRead: (origin) => asked.push(origin),
    header: (to) => ({ clusterId: "test", incarnation: 1, from: 2, to, term: 3 }),
    send: (message) => sent.push(message),
  };
  const made = new ClientReads(raft, { ...DEFAULT_RAFT_OPTIONS, leaseReads }, pending, replica);
  const read = (consistency: ReadConsistency): number => {
    const request: Extract<ClientRequest, { kind: "read" }> = {
      kind: "read",
      query: { kind: "getVm", name: "a" },
      consistency,
    };
    made.request(9, request);
    return [...pending.entries()].at(-1)?.[0] ?? Number.NaN;
  };
  return { reads: made, raft, replica, pending, answers, sent, asked, read };
}

test("a stale read is served at once", () => {
  const { answers, read, sent } = reads();
  read("stale");
  expect(answers).toEqual(["read at 5"]);
  expect(sent).toEqual([]);
});

test("a follower asks the leader for an index, and serves the read once it has applied that", () => {
  const { reads: made, replica, answers, sent, read } = reads();
  const ticket = read("linearizable");
  expect(sent).toMatchObject([{ type: "readIndex", to: 1, requestId: ticket }]);
  const response = { type: "readIndexResponse", clusterId: "test", incarnation: 1, to: 2, term: 3 } as const;
  made.responded({ ...response, from: 3, requestId: ticket, index: 4 });
  expect(answers).toEqual([]);
  made.responded({ ...response, from: 1, requestId: ticket, index: 7 });
  made.applied();
  expect(answers).toEqual([]);
  replica.appliedIndex = 7;
  made.applied();
  made.applied();
  expect(answers).toEqual(["read at 7"]);
});

test("the leader asks for a round of its own", () => {
  const { reads: made, raft, answers, asked, read } = reads();
  Object.assign(raft, { role: "leader", leaderId: 2 });
  const ticket = read("linearizable");
  expect(asked).toEqual([{ kind: "client", ticket }]);
  made.confirmed(ticket, null);
  expect(answers).toEqual(["noLeader"]);
});

test("a read by lease needs the option, and asks around where there is no lease", () => {
  const off = reads();
  off.read("lease");
  expect(off.answers).toEqual(["leaseReadsOff"]);
  const on = reads(true);
  on.read("lease");
  expect([on.answers, on.sent.length]).toEqual([[], 1]);
  on.raft.holdsLease = () => true;
  on.read("lease");
  expect(on.answers).toEqual(["read at 5"]);
});

test("another member's question is the leader's to answer", () => {
  const { reads: made, raft, asked, sent } = reads();
  made.requestedBy(3, 77);
  expect(sent).toMatchObject([{ type: "readIndexResponse", to: 3, requestId: 77, index: null }]);
  raft.role = "leader";
  made.requestedBy(3, 78);
  expect(asked).toEqual([{ kind: "member", id: 3, requestId: 78 }]);
});

test("a read that timed out is not served any more", () => {
  const { reads: made, replica, answers, read } = reads();
  const ticket = read("linearizable");
  made.confirmed(ticket, 7);
  made.timedOut(ticket);
  replica.appliedIndex = 7;
  made.applied();
  expect(answers).toEqual(["readTimedOut"]);
});
