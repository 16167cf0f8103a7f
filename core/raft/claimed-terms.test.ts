/** Voters whose terms are proven by what others do not accept: they elect somebody all the same. */
import { expect, test } from "vitest";
import type { NodeId, RequestVote } from "../index.ts";
import { Cluster, type Envelope } from "../testing/index.ts";

const isBetween = ({ from, to }: Envelope, a: NodeId, b: NodeId): boolean =>
  (from === a && to === b) || (from === b && to === a);

/** Whether it is an append with a configuration after that index. */
const bringsConfiguration = ({ message }: Envelope, after: number): boolean =>
  message.type === "append" && message.entries.some(({ kind, index }) => kind === "configuration" && index > after);

function leaders(cluster: Cluster, ids: readonly NodeId[]): readonly NodeId[] {
  return ids.filter((id) => cluster.node(id).role === "leader");
}

test("a joint entry is committed in a term after which its outgoing voters have brought another member", () => {
  const cluster = new Cluster([1, 2, 3, 4, 5]);
  cluster.elect(1);
  cluster.propose(1, "a");
  cluster.run(500);
  cluster.luckyId = 3;
  let isCut = false;
  // Node 3 gathers pre-votes of 2 and 5, and its requests for votes are lost.
  const isLost = (envelope: Envelope): boolean =>
    isBetween(envelope, 1, 3) ||
    isBetween(envelope, 1, 5) ||
    isBetween(envelope, 3, 4) ||
    (isCut && isBetween(envelope, 1, 2)) ||
    (envelope.from === 3 && envelope.message.type === "requestVote" && !envelope.message.preVote);
  cluster.loses = isLost;
  cluster.run(300);
  // The last answer of node 2 comes late: the leader leads on.
  const late: Envelope[] = [];
  cluster.loses = (envelope) => {
    const { from, to, message } = envelope;
    if (late.length === 0 && from === 2 && to === 1 && message.type === "heartbeatResponse") {
      late.push(envelope);
      isCut = true;
      return true;
    }
    return isLost(envelope);
  };
  cluster.run(900);
  cluster.deliver(...late);
  cluster.runUntil("node 3 is in term 2", () => cluster.node(3).term === 2);
  isCut = false;
  cluster.run(200);
  const jointIndex = cluster.node(1).log.lastIndex + 1;
  cluster.loses = (envelope) => isLost(envelope) || bringsConfiguration(envelope, jointIndex);
  cluster.change({ kind: "remove", id: 5 });
  cluster.run(250);
  for (const id of [2, 4]) expect(cluster.node(id)).toMatchObject({ term: 1, commitIndex: jointIndex });
  cluster.crash(1);
  cluster.heal();
  cluster.loses = () => false;
  cluster.run(20_000);
  expect(leaders(cluster, [2, 3, 4])).toHaveLength(1);
});

test("an election is proven by fewer signatures to a voter that knew fewer members", () => {
  const cluster = new Cluster([1, 2, 3, 4, 5]);
  cluster.elect(1);
  cluster.propose(1, "a");
  cluster.run(300);
  cluster.isolate(3);
  cluster.join(6);
  cluster.run(500);
  const jointIndex = cluster.node(1).log.lastIndex + 1;
  // The final entry reaches 4 alone.
  cluster.loses = (envelope) => envelope.to !== 4 && bringsConfiguration(envelope, jointIndex);
  cluster.change({ kind: "promote", id: 6 }, { kind: "remove", id: 5 });
  cluster.run(150);
  expect([1, 4].map((id) => cluster.node(id).configurationIndex)).toEqual([jointIndex + 1, jointIndex + 1]);
  expect(cluster.node(1).commitIndex).toBe(jointIndex);
  // Nodes 2, 3, 5 and 6 elect one of them; node 3 has no log of that one.
  cluster.heal();
  for (const a of [1, 4]) for (const b of [2, 3, 5, 6]) cluster.cut(a, b);
  cluster.loses = ({ from, message }) =>
    [2, 5, 6].includes(from) && message.type === "append" && message.entries.length > 0;
  cluster.luckyId = 2;
  cluster.runUntil("node 3 follows", () => cluster.node(3).leaderId !== 0 && cluster.node(3).term === 2);
  for (const id of [2, 5, 6]) cluster.crash(id);
  cluster.heal();
  cluster.loses = () => false;
  cluster.run(20_000);
  expect(leaders(cluster, [1, 3, 4])).toHaveLength(1);
});

test.each([
  [65, true],
  [66, false],
])("a pre-vote for term %i, which nobody has proven, in term 1: granted is %s", (term, granted) => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  cluster.run(200);
  cluster.crash(1);
  cluster.pass(5000);
  const request: RequestVote = {
    type: "requestVote",
    ...cluster.header(3, 2, term),
    preVote: true,
    lastIndex: 99,
    lastTerm: 1,
    certificate: null,
    transfer: "",
  };
  cluster.deliver({ from: 3, to: 2, message: request });
  expect(cluster.node(2).term).toBe(1);
  expect(cluster.take("voteResponse", { from: 2 })).toMatchObject([{ message: { granted } }]);
});

test.each([
  [5, 6],
  [1000, 34],
])("a voter claims to be in term %i: the next campaign is for term %i", (claimed, term) => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  cluster.run(200);
  cluster.crash(1);
  cluster.isolate(2);
  cluster.runUntil("node 2 campaigns", () => cluster.node(2).role === "preCandidate");
  cluster.deliver({
    from: 3,
    to: 2,
    message: {
      type: "voteResponse",
      ...cluster.header(3, 2, claimed),
      preVote: true,
      granted: false,
      signature: "",
      proof: null,
      wallMs: 0,
    },
  });
  const before = cluster.sent.length;
  cluster.run(3000);
  const asked = cluster.sent
    .slice(before)
    .flatMap(({ from, message }) => (from === 2 && message.type === "requestVote" ? [message.term] : []));
  expect(new Set(asked)).toEqual(new Set([term]));
  expect(cluster.node(2).term).toBe(1);
});
