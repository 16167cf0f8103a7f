import { expect, test } from "vitest";
import type { NodeId } from "../index.ts";
import { Cluster } from "../testing/index.ts";

function termsOf(cluster: Cluster): number[] {
  return [...cluster.hosts.keys()].map((id) => cluster.node(id).term);
}

function grants(cluster: Cluster, from: NodeId): unknown[] {
  return cluster.sent.filter(
    ({ from: sender, message }) =>
      sender === from && message.type === "voteResponse" && !message.preVote && message.granted,
  );
}

test("the member that waits least is elected, and everyone follows it", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(2);
  expect([1, 2, 3].map((id) => cluster.node(id).leaderId)).toEqual([2, 2, 2]);
  cluster.propose(2, "a");
  cluster.run(200);
  expect([1, 2, 3].map((id) => cluster.names(id))).toEqual([["a"], ["a"], ["a"]]);
});

test("leadership moves from node to node, a term each", () => {
  const cluster = new Cluster([1, 2, 3]);
  for (const id of [1, 2, 3, 1]) cluster.elect(id);
  expect(termsOf(cluster)).toEqual([4, 4, 4]);
});

test("a member that was away for long comes back without a new term", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  cluster.isolate(3);
  cluster.luckyId = 3;
  cluster.run(10_000);
  cluster.heal();
  cluster.run(2000);
  expect(termsOf(cluster)).toEqual([1, 1, 1]);
  expect(cluster.node(3).leaderId).toBe(1);
});

test("a member that only the leader cannot reach unseats nobody", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  cluster.cut(1, 3);
  cluster.luckyId = 3;
  cluster.run(10_000);
  expect(cluster.node(1).role).toBe("leader");
  expect(termsOf(cluster)).toEqual([1, 1, 1]);
});

test("a leader that no quorum hears steps down within an election time-out", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  cluster.isolate(1);
  cluster.run(cluster.options.electionTimeoutMs + cluster.options.heartbeatMs);
  expect(cluster.node(1).role).not.toBe("leader");
});

test("stranded at a higher term: a candidate whose request never got out takes part again", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  cluster.run(100);
  cluster.luckyId = 3;
  cluster.isolate(1);
  cluster.loses = ({ message }) => message.type === "requestVote" && !message.preVote;
  cluster.runUntil("node 3 is in a term of its own", () => cluster.node(3).term === 2);
  cluster.heal();
  cluster.isolate(3);
  cluster.luckyId = 1;
  cluster.run(5000);
  cluster.heal();
  cluster.run(5000);
  const terms = termsOf(cluster);
  expect(new Set(terms).size).toBe(1);
  const written = cluster.propose(cluster.leader.id, "a");
  cluster.run(100);
  expect(cluster.answer(written)).toBe("applied");
});

test("partial partition livelock: five nodes, two of which reach one other each, settle on a leader", () => {
  const cluster = new Cluster([1, 2, 3, 4, 5]);
  cluster.elect(1);
  // 1 reaches 3 alone, 5 reaches 2 alone; 2, 3 and 4 reach each other.
  for (const other of [2, 4, 5]) cluster.cut(1, other);
  for (const other of [1, 3, 4]) cluster.cut(5, other);
  cluster.luckyId = 5;
  cluster.run(15_000);
  const { id, term } = cluster.leader;
  expect([2, 3, 4]).toContain(id);
  const written = cluster.propose(id, "a");
  cluster.run(10_000);
  expect(cluster.answer(written)).toBe("applied");
  expect(cluster.leader).toMatchObject({ id, term });
});

test("vote before durable: votes leave only after they are durable", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.stallDisk(2);
  cluster.runUntil("node 2 is asked", () => cluster.node(2).term === 1);
  expect(cluster.node(2).votedFor).toBe(1);
  expect(grants(cluster, 2)).toEqual([]);
  cluster.resumeDisk(2);
  expect(grants(cluster, 2)).toHaveLength(1);
});

test("a candidate asks for votes only once its own is durable, and counts its own no earlier", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.stallDisk(1);
  cluster.run(1400);
  expect(cluster.node(1).role).toBe("candidate");
  expect(cluster.sent.some(({ message }) => message.type === "requestVote" && !message.preVote)).toBe(false);
  cluster.resumeDisk(1);
  cluster.run(100);
  expect(cluster.node(1).role).toBe("leader");
});

test("a member whose disk stands still campaigns no more, and once it works at once", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.stallDisk(1);
  cluster.run(1400);
  expect(cluster.node(1).role).toBe("candidate");
  for (const id of [2, 3]) cluster.pause(id);
  const before = cluster.sent.length;
  const asks = () => cluster.sent.slice(before).filter(({ message }) => message.type === "requestVote").length;
  cluster.run(20_000);
  expect(asks()).toBe(0);
  cluster.resumeDisk(1);
  expect(asks()).toBeGreaterThan(0);
});

test("a candidate whose disk takes longer than a time-out leads all the same, where nobody else can", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(3);
  cluster.isolate(2);
  cluster.propose(3, "a");
  cluster.run(150);
  cluster.crash(3);
  cluster.heal();
  cluster.stallDisk(1);
  cluster.runUntil("node 1 stands", () => cluster.node(1).role === "candidate");
  cluster.run(2500);
  cluster.sync(1, 1);
  cluster.run(20);
  expect(cluster.node(1).role).toBe("leader");
});

test("a vote that was lost in a crash was never spoken, and may go to another", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.stallDisk(2);
  cluster.runUntil("node 2 is asked", () => cluster.node(2).term === 1);
  cluster.crash(2);
  expect(cluster.restart(2).votedFor).toBe(0);
  expect(grants(cluster, 2)).toEqual([]);
});

test("term reset on restart: a whole cluster restarted keeps its terms and votes", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  cluster.elect(2);
  const before = [1, 2, 3].map((id) => cluster.node(id).votedFor);
  for (const id of [1, 2, 3]) cluster.crash(id);
  for (const id of [1, 2, 3]) cluster.restart(id);
  expect(termsOf(cluster)).toEqual([2, 2, 2]);
  expect([1, 2, 3].map((id) => cluster.node(id).votedFor)).toEqual(before);
});

test("voted twice: after a restart a voter still refuses another candidate of the term", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.isolate(3);
  cluster.runUntil("node 2 has voted", () => grants(cluster, 2).length === 1);
  cluster.crash(2);
  cluster.restart(2);
  cluster.pass(2000);
  cluster.deliver({
    from: 3,
    to: 2,
    message: {
      type: "requestVote",
      ...cluster.header(3, 2, 1),
      preVote: false,
      lastIndex: 9,
      lastTerm: 1,
      certificate: cluster.certificate("preVote", 1, 3, [1, 3]),
      transfer: "",
    },
  });
  cluster.sync(2);
  expect(grants(cluster, 2)).toHaveLength(1);
});

test("former candidate votes twice: one that campaigned in a term gives nobody else its vote", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.loses = ({ message }) => message.type === "requestVote" && !message.preVote;
  cluster.runUntil("node 1 stands in term 1", () => cluster.node(1).role === "candidate");
  cluster.pass(500);
  cluster.deliver({
    from: 3,
    to: 1,
    message: {
      type: "requestVote",
      ...cluster.header(3, 1, 1),
      preVote: false,
      lastIndex: 9,
      lastTerm: 1,
      certificate: cluster.certificate("preVote", 1, 3, [2, 3]),
      transfer: "",
    },
  });
  cluster.sync(1);
  expect(cluster.node(1).votedFor).toBe(1);
  expect(grants(cluster, 1)).toEqual([]);
});

test("log id compared wrong: a longer log of an older term loses to a shorter one of a newer", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  cluster.isolate(1);
  for (const name of ["x1", "x2", "x3", "x4"]) cluster.propose(1, name);
  cluster.luckyId = 2;
  cluster.runUntil("node 2 leads", () => cluster.node(2).role === "leader");
  const written = cluster.propose(2, "a");
  cluster.settle();
  expect(cluster.answer(written)).toBe("applied");
  expect(cluster.node(1).log.lastIndex).toBeGreaterThan(cluster.node(3).log.lastIndex);
  cluster.crash(2);
  cluster.heal();
  cluster.luckyId = 1;
  cluster.runUntil("somebody leads", () => [1, 3].some((id) => cluster.node(id).role === "leader"));
  expect(cluster.leader.id).toBe(3);
  cluster.run(200);
  expect(cluster.names(1)).toEqual(["a"]);
});

test("pre-vote overlap: pre-votes and votes that come after the election change nothing", () => {
  const cluster = new Cluster([1, 2, 3, 4, 5]);
  cluster.elect(1);
  const late = cluster.sent.filter(({ to, message }) => to === 1 && message.type === "voteResponse");
  expect(late.length).toBeGreaterThanOrEqual(4);
  cluster.deliver(...late);
  cluster.settle();
  expect(cluster.node(1)).toMatchObject({ role: "leader", term: 1 });
});

test("one voter leads alone, and acknowledges nothing before its own disk has", () => {
  const cluster = new Cluster([1]);
  cluster.elect(1);
  cluster.stallDisk(1);
  const [first, second] = [cluster.propose(1, "a"), cluster.propose(1, "b")];
  cluster.run(100);
  expect([cluster.answer(first), cluster.answer(second)]).toEqual([undefined, undefined]);
  cluster.sync(1, 1);
  expect([cluster.answer(first), cluster.answer(second)]).toEqual(["applied", undefined]);
  cluster.resumeDisk(1);
  expect(cluster.answer(second)).toBe("applied");
});

test("one voter leads again after a restart, with all that it acknowledged", () => {
  const cluster = new Cluster([1]);
  cluster.elect(1);
  cluster.propose(1, "a");
  cluster.settle();
  cluster.crash(1);
  cluster.restart(1);
  cluster.run(3000);
  expect(cluster.node(1).role).toBe("leader");
  expect(cluster.names(1)).toEqual(["a"]);
});

// ---- Leadership transfer

test("a transfer hands over at once, and the old leader follows", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  const asked = cluster.transfer(3);
  cluster.settle();
  expect(cluster.leader.id).toBe(3);
  cluster.run(100);
  expect(cluster.answer(asked)).toBe("leadershipTransferred");
  expect(cluster.node(1).leaderId).toBe(3);
});

test("transfer to laggard: the target is told only once it has the whole log", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  cluster.stallDisk(3);
  cluster.propose(1, "a");
  cluster.settle();
  cluster.transfer(3);
  cluster.settle();
  expect(cluster.sent.some(({ message }) => message.type === "timeoutNow")).toBe(false);
  cluster.resumeDisk(3);
  cluster.settle();
  expect(cluster.leader.id).toBe(3);
  expect(cluster.names(3)).toEqual(["a"]);
});

test("a transfer that does not succeed ends, and proposals are taken again", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  cluster.cut(1, 3);
  cluster.propose(1, "a");
  cluster.settle();
  const asked = cluster.transfer(3);
  expect(cluster.answer(cluster.propose(1, "b"))).toBe("noLeader");
  cluster.run(1500);
  expect(cluster.answer(asked)).toBe("transferRefused");
  const written = cluster.propose(1, "c");
  cluster.settle();
  expect(cluster.answer(written)).toBe("applied");
});

test("nobody is handed leadership who cannot have it", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  expect(cluster.answer(cluster.transfer(1))).toBe("transferRefused");
  expect(cluster.answer(cluster.transfer(9))).toBe("transferRefused");
  cluster.transfer(2);
  expect(cluster.answer(cluster.transfer(3))).toBe("transferRefused");
  expect(cluster.answer(cluster.request(3, { kind: "transferLeadership", to: 3 }))).toBe("notLeader");
});

test("a heartbeat that was under way does not call off the campaign that the leader asked for", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  cluster.transfer(2);
  cluster.deliver(...cluster.take("timeoutNow"));
  cluster.pass(100);
  cluster.wake(1);
  cluster.deliver(...cluster.take("heartbeat", { to: 2 }));
  cluster.settle();
  expect(cluster.leader.id).toBe(2);
});

test("a leader that has just taken over hands on at once, also when it hears of the new term before the request", () => {
  const cluster = new Cluster([1, 2]);
  cluster.elect(1);
  cluster.transfer(2);
  cluster.settle();
  expect(cluster.leader.id).toBe(2);
  // The disk of node 1 is slow: its vote for itself, and so its request, waits while it answers a heartbeat in the new
  // term.
  cluster.stallDisk(1);
  cluster.transfer(1);
  cluster.run(cluster.options.heartbeatMs);
  expect([cluster.node(1).role, cluster.node(2).role]).toEqual(["candidate", "follower"]);
  cluster.resumeDisk(1);
  cluster.settle();
  expect(cluster.leader.id).toBe(1);
});

test("an order to take over counts for one campaign, not for those after it", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  cluster.transfer(2);
  cluster.deliver(...cluster.take("timeoutNow"));
  cluster.isolate(2);
  cluster.run(5000);
  const orders = cluster.sent.flatMap(({ from, to, message }) => {
    return from === 2 && to === 3 && message.type === "requestVote" ? [message.transfer !== ""] : [];
  });
  expect(orders.length).toBeGreaterThan(2);
  expect(orders.slice(0, 2)).toEqual([true, false]);
  expect(orders.slice(1)).not.toContain(true);
});
