import { expect, test } from "vitest";
import { DEFAULT_RAFT_OPTIONS, type Forward, type Message } from "../raft/index.ts";
import { ForwardedProposals } from "./forwarded-proposals.ts";
import { ProposalBatch } from "./proposal-batch.ts";

const OPTIONS = { ...DEFAULT_RAFT_OPTIONS, maxRequestBytes: 50, maxUncommittedBytes: 100 };

/** Node 1, which leads in term 3. */
function leader() {
  const sent: Message[] = [];
  const raft = {
    term: 3,
    takesProposals: true,
    uncommittedBytes: 0,
    diskIdle: true,
    nowMs: 0,
    header: (to: number) => ({ clusterId: "test", incarnation: 1, from: 1, to, term: raft.term }),
    send: (message: Message) => sent.push(message),
  };
  const batch = new ProposalBatch(raft, OPTIONS);
  return { raft, batch, sent, forwarded: new ForwardedProposals(raft, OPTIONS, batch) };
}

function forward(requestId: number, fields: Partial<Forward> = {}): Forward {
  const header = { clusterId: "test", incarnation: 1, from: 2, to: 1, term: 3 };
  return { type: "forward", ...header, requestId, data: new Uint8Array(10), ...fields };
}

test("a proposal joins the batch once, however often the network delivers it", () => {
  const { batch, sent, forwarded } = leader();
  for (const requestId of [7, 7, 8, 7]) forwarded.receive(forward(requestId));
  expect(batch.takeDue().map(({ origin }) => origin)).toEqual([
    { kind: "member", id: 2, requestId: 7 },
    { kind: "member", id: 2, requestId: 8 },
  ]);
  forwarded.receive(forward(7));
  expect(batch.takeDue()).toEqual([]);
  expect(sent).toEqual([]);
});

test("duplicates are still known by whoever goes on from a captured state", () => {
  const { forwarded } = leader();
  forwarded.receive(forward(7));
  const other = leader();
  other.forwarded.restore(forwarded.capture());
  other.forwarded.receive(forward(7));
  expect(other.batch.takeDue()).toEqual([]);
});

test.each<[string, Partial<Forward>, (made: ReturnType<typeof leader>) => void, unknown]>([
  ["meant for another term", { term: 2 }, () => {}, { kind: "noLeader" }],
  [
    "that comes to a node that leads no more",
    {},
    ({ raft }) => Object.assign(raft, { takesProposals: false }),
    { kind: "noLeader" },
  ],
  ["larger than a request may be", { data: new Uint8Array(51) }, () => {}, { kind: "noLeader" }],
  [
    "for which there is no room",
    {},
    ({ raft }) => Object.assign(raft, { uncommittedBytes: 99 }),
    { kind: "tooManyUncommitted", limitBytes: 100 },
  ],
])("a proposal %s is refused to the member that sent it, and not appended", (_, fields, happens, outcome) => {
  const made = leader();
  happens(made);
  made.forwarded.receive(forward(7, fields));
  expect(made.sent).toMatchObject([{ type: "forwardResponse", to: 2, term: 3, requestId: 7, outcome }]);
  expect(made.batch.takeDue()).toEqual([]);
});

test("what was meant for another term is not remembered: in its own it counts", () => {
  const { raft, batch, forwarded } = leader();
  forwarded.receive(forward(7, { term: 4 }));
  raft.term = 4;
  forwarded.receive(forward(7, { term: 4 }));
  expect(batch.takeDue()).toHaveLength(1);
});

test("a member hears where its proposal is, or that it is nowhere", () => {
  const { sent, forwarded } = leader();
  const entry = { index: 9, term: 3, kind: "command", data: new Uint8Array(10), chain: "c" } as const;
  forwarded.appended({ id: 2, requestId: 7 }, entry);
  forwarded.notAppended({ id: 3, requestId: 8 });
  expect(sent).toMatchObject([
    { to: 2, requestId: 7, outcome: { kind: "appended", index: 9, term: 3 } },
    { to: 3, requestId: 8, outcome: { kind: "noLeader" } },
  ]);
});
