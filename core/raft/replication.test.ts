import { expect, test } from "vitest";
import type { Append, AppendResponse } from "../index.ts";
import { Cluster, type Envelope } from "../testing/index.ts";

function appendsTo(cluster: Cluster, to: number, since = 0): Append[] {
  return cluster.sent.slice(since).flatMap(({ to: receiver, message }) => {
    return receiver === to && message.type === "append" ? [message] : [];
  });
}

function matchesFrom(cluster: Cluster, from: number, since = 0): AppendResponse[] {
  return cluster.sent.slice(since).flatMap(({ from: sender, message }) => {
    return sender === from && message.type === "appendResponse" && message.outcome === "matched" ? [message] : [];
  });
}

const hasEntryOf = (term: number) => (envelope: Envelope) =>
  envelope.message.type === "append" && envelope.message.entries.some((entry) => entry.term === term);

test("figure eight: an entry of an older term is not committed by counting", () => {
  // One entry an append, so that the old one can travel without the no-op of the new term.
  const cluster = new Cluster([1, 2, 3, 4, 5], { maxAppendBytes: 1 });
  cluster.elect(1);
  const start = cluster.node(1).commitIndex;
  cluster.luckyId = 5;
  cluster.run(100);
  for (const id of [3, 4, 5]) cluster.cut(1, id);
  cluster.propose(1, "old");
  cluster.settle();
  const old = cluster.node(1).log.lastIndex;
  expect(cluster.node(2).log.lastIndex).toBe(old);
  cluster.crash(1);
  cluster.isolate(2);

  // Node 5 leads and appends, and nobody hears of its entry.
  cluster.loses = hasEntryOf(2);
  cluster.runUntil("node 5 leads", () => cluster.node(5).role === "leader");
  cluster.luckyId = 1;
  cluster.run(100);
  cluster.crash(5);

  cluster.heal();
  cluster.restart(1);
  cluster.loses = hasEntryOf(3);
  cluster.runUntil("node 1 leads again", () => cluster.node(1).role === "leader");
  cluster.run(400);
  expect(cluster.node(1).term).toBe(3);
  // A majority has the old entry, and the new leader's own entry is nowhere else.
  expect([1, 2, 3, 4].map((id) => cluster.node(id).log.termAt(old))).toEqual([1, 1, 1, 1]);
  expect(cluster.node(1).commitIndex).toBeLessThanOrEqual(start);

  cluster.loses = () => false;
  cluster.run(500);
  expect(cluster.node(1).commitIndex).toBe(old + 1);
  expect(cluster.names(4)).toEqual(["old"]);
});

test("a tail that conflicts is deleted, in memory and on the disk", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  cluster.isolate(1);
  for (const name of ["x1", "x2", "x3"]) cluster.propose(1, name);
  cluster.run(10);
  expect(cluster.terms(1)).toEqual([1, 1, 1, 1]);
  cluster.luckyId = 2;
  cluster.runUntil("node 2 leads", () => cluster.node(2).role === "leader");
  cluster.heal();
  cluster.run(500);
  expect(cluster.terms(1)).toEqual(cluster.terms(2));
  expect(cluster.host(1).durable.entries.map(({ chain }) => chain)).toEqual(
    cluster.host(2).durable.entries.map(({ chain }) => chain),
  );
});

test("append cuts matching tail: a late, shorter append leaves a matching tail", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  cluster.propose(1, "a");
  const early = cluster.take("append", { to: 2 });
  cluster.deliver(...early);
  cluster.settle();
  cluster.propose(1, "b");
  cluster.settle();
  const before = cluster.node(2).log.lastIndex;
  cluster.deliver(...early);
  cluster.settle();
  expect(cluster.node(2).log.lastIndex).toBe(before);
  expect(cluster.names(2)).toEqual(["a", "b"]);
});

test("appends that arrive in the wrong order are sorted out", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  const appends: Envelope[] = [];
  for (const name of ["a", "b", "c"]) {
    cluster.propose(1, name);
    appends.push(...cluster.take("append"));
    cluster.sync(1);
  }
  cluster.deliver(...appends.reverse());
  cluster.run(1000);
  expect(cluster.names(3)).toEqual(["a", "b", "c"]);
});

test("a pipeline whose appends overtake each other is not sent again and again", () => {
  const cluster = new Cluster([1, 2, 3], { maxAppendBytes: 1 });
  cluster.elect(1);
  cluster.isolate(3);
  for (let n = 0; n < 60; n += 1) cluster.propose(1, `vm-${n}`);
  cluster.settle();
  const since = cluster.sent.length;
  cluster.heal();
  // From now on the newest message arrives first, and no time passes.
  cluster.pass(2 * cluster.options.heartbeatMs);
  cluster.wake(1);
  for (let steps = 0; steps < 5000 && cluster.mail.length > 0; steps += 1) {
    const next = cluster.mail.pop();
    if (next !== undefined) cluster.deliver(next);
    for (const id of [1, 2, 3]) cluster.sync(id);
  }
  expect(appendsTo(cluster, 3, since).length).toBeLessThan(300);
  // A short pipeline brings the rest.
  expect(cluster.names(3)).toHaveLength(60);
});

test("a lost append is sent again without a new proposal", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  const written = cluster.propose(1, "a");
  expect(cluster.take("append")).toHaveLength(2);
  cluster.settle();
  expect(cluster.answer(written)).toBeUndefined();
  cluster.run(4 * cluster.options.heartbeatMs);
  expect(cluster.answer(written)).toBe("applied");
});

test("lost acknowledgements do not stop a leader either", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  const written = cluster.propose(1, "a");
  cluster.loses = ({ message }) => message.type === "appendResponse";
  cluster.run(300);
  cluster.heal();
  cluster.run(500);
  expect(cluster.answer(written)).toBe("applied");
});

test("acked but unsynced: an acknowledgement leaves only after its entries are durable", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  cluster.stallDisk(2);
  cluster.cut(1, 3);
  const since = cluster.sent.length;
  const written = cluster.propose(1, "a");
  cluster.settle();
  expect(cluster.node(2).log.lastIndex).toBe(cluster.node(1).log.lastIndex);
  expect(matchesFrom(cluster, 2, since)).toEqual([]);
  expect(cluster.answer(written)).toBeUndefined();
  cluster.resumeDisk(2);
  cluster.settle();
  expect(cluster.answer(written)).toBe("applied");
});

test("the others' disks commit what the leader's own has not written yet", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  cluster.stallDisk(1);
  const written = cluster.propose(1, "a");
  cluster.settle();
  expect(cluster.answer(written)).toBe("applied");
});

test("write completion ABA: the write of entries since replaced makes nothing durable, and acknowledges nothing", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  // Nobody hears node 1, and its disk stalls: what it appends has not been written when another leader replaces it.
  cluster.luckyId = 2;
  cluster.run(100);
  cluster.loses = ({ from }) => from === 1;
  cluster.stallDisk(1);
  for (const name of ["x1", "x2"]) cluster.propose(1, name);
  const since = cluster.sent.length;
  cluster.runUntil("node 2 leads", () => cluster.node(2).role === "leader");
  cluster.run(50);
  expect(cluster.terms(1)).toEqual([1, 2]);
  expect(cluster.node(1).log.stableIndex).toBe(1);
  // The old entries reach the disk first: the index is the same, the entry another.
  cluster.sync(1, 1);
  expect(cluster.host(1).durable.entries.map(({ term }) => term)).toEqual([1, 1]);
  expect(cluster.node(1).log.stableIndex).toBe(1);
  expect(matchesFrom(cluster, 1, since)).toEqual([]);
  cluster.resumeDisk(1);
  expect(cluster.host(1).durable.entries.map(({ term }) => term)).toEqual([1, 2]);
  expect(cluster.node(1).log.stableIndex).toBe(2);
  for (const match of matchesFrom(cluster, 1, since)) expect(match).toMatchObject({ term: 2, matchIndex: 2 });
});

test("stale acknowledgement after reversion: what a truncation cut is not acknowledged when its write completes", () => {
  const cluster = new Cluster([1, 2, 3, 4, 5]);
  cluster.elect(1);
  cluster.luckyId = 3;
  cluster.run(100);
  // Node 2 alone receives an entry of node 1, and its disk is slow.
  for (const id of [3, 4, 5]) cluster.cut(1, id);
  cluster.stallDisk(2);
  const since = cluster.sent.length;
  cluster.propose(1, "x");
  cluster.settle();
  expect(cluster.terms(2)).toEqual([1, 1]);
  cluster.isolate(1);
  cluster.runUntil("node 3 leads", () => cluster.node(3).role === "leader");
  cluster.run(50);
  expect(cluster.terms(2)).toEqual([1, 2]);
  cluster.sync(2, 1);
  expect(matchesFrom(cluster, 2, since)).toEqual([]);
  cluster.resumeDisk(2);
  expect(matchesFrom(cluster, 2, since).length).toBeGreaterThan(0);
  for (const match of matchesFrom(cluster, 2, since)) expect(match).toMatchObject({ term: 2, matchIndex: 2 });
});

test("commit without quorum: one follower's acknowledgements count once, however often they come", () => {
  const cluster = new Cluster([1, 2, 3, 4, 5]);
  cluster.elect(1);
  for (const id of [3, 4, 5]) cluster.cut(1, id);
  const written = cluster.propose(1, "a");
  cluster.settle();
  const acknowledgements = cluster.sent.filter(
    ({ from, message }) => from === 2 && message.type === "appendResponse" && message.matchIndex > 1,
  );
  expect(acknowledgements.length).toBeGreaterThan(0);
  cluster.deliver(...acknowledgements, ...acknowledgements, ...acknowledgements);
  cluster.settle();
  expect(cluster.answer(written)).toBeUndefined();
});

test("acknowledgements of an earlier term count for nothing", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  const old = cluster.sent.flatMap(({ from, to, message }) => {
    return message.type === "appendResponse" && message.outcome === "matched" ? [{ from, to, message }] : [];
  });
  expect(old.length).toBeGreaterThan(0);
  cluster.elect(2);
  cluster.elect(1);
  const before = cluster.node(1).commitIndex;
  cluster.isolate(1);
  cluster.propose(1, "x");
  cluster.settle();
  // What they named then is there again now, with the same history: and still they say nothing of this term.
  const matchIndex = before + 1;
  const matchChain = cluster.node(1).log.chainAt(matchIndex) ?? "";
  cluster.deliver(
    ...old.map(({ from, to, message }) => ({ from, to, message: { ...message, matchIndex, matchChain } })),
  );
  expect(cluster.node(1).commitIndex).toBe(before);
});

test("follower commits unverified: a commit index reaches no further than what agrees with the leader", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  // Node 1 holds a tail of its own, and has just learned that node 2 leads.
  cluster.isolate(1);
  for (const name of ["x1", "x2", "x3"]) cluster.propose(1, name);
  cluster.run(20);
  cluster.luckyId = 2;
  cluster.runUntil("node 2 leads", () => cluster.node(2).role === "leader");
  for (const name of ["a", "b", "c"]) cluster.propose(2, name);
  cluster.run(20);
  cluster.mail = [];
  const known = cluster.node(1).commitIndex;
  const { term } = cluster.node(2);
  const certificate = cluster.certificate("election", term, 2, [2, 3]);
  const append = { prevIndex: 4, prevTerm: term, prevChain: "unknown here", entries: [], commit: 99, certificate };
  cluster.deliver(
    { from: 2, to: 1, message: { type: "append", ...cluster.header(2, 1, term), ...append } },
    { from: 2, to: 1, message: { type: "heartbeat", ...cluster.header(2, 1, term), commit: 99, round: 1 } },
  );
  expect(cluster.node(1)).toMatchObject({ leaderId: 2, commitIndex: known });
  expect(cluster.names(1)).toEqual([]);
});

test("heartbeat races leader: a heartbeat of another term moves nobody's term", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  for (const term of [0, 2, 1_000_000]) {
    for (const to of [1, 2]) {
      cluster.deliver({
        from: 3,
        to,
        message: { type: "heartbeat", ...cluster.header(3, to, term), commit: 0, round: 1 },
      });
    }
  }
  cluster.settle();
  expect(cluster.node(1)).toMatchObject({ role: "leader", term: 1 });
  expect(cluster.node(2)).toMatchObject({ leaderId: 1, term: 1 });
});

test("leader truncates committed: a node that is told to cut what is committed stops with evidence", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  cluster.propose(1, "a");
  cluster.run(200);
  const certificate = cluster.certificate("election", 7, 3, [2, 3]);
  cluster.deliver({
    from: 3,
    to: 1,
    message: {
      type: "append",
      ...cluster.header(3, 1, 7),
      prevIndex: 2,
      prevTerm: 6,
      prevChain: "another",
      entries: [],
      commit: 2,
      certificate,
    },
  });
  expect(cluster.host(1).halt).toContain("another entry 2 than is committed here");
  expect(cluster.evidence(1)).toEqual(["truncateCommitted"]);
});

test("flow control: no more messages are under way than allowed, and the pipeline goes on with each answer", () => {
  const cluster = new Cluster([1, 2, 3], { maxInflightMessages: 3 });
  cluster.elect(1);
  const since = cluster.sent.length;
  for (let at = 0; at < 10; at++) {
    cluster.propose(1, `vm-${at}`);
    cluster.sync(1);
  }
  expect(appendsTo(cluster, 2, since)).toHaveLength(3);
  cluster.settle();
  expect(cluster.names(2)).toHaveLength(10);
});

test("flow control: bytes under way are bounded, and one append always may be", () => {
  const cluster = new Cluster([1, 2, 3], { maxInflightBytes: 1 });
  cluster.elect(1);
  const since = cluster.sent.length;
  for (let at = 0; at < 5; at++) {
    cluster.propose(1, `vm-${at}`);
    cluster.sync(1);
  }
  expect(appendsTo(cluster, 2, since)).toHaveLength(1);
  cluster.settle();
  expect(cluster.names(2)).toHaveLength(5);
});

test("fast back-tracking: a long tail of another term costs a few probes, not one an entry", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  cluster.isolate(1);
  for (let at = 0; at < 200; at++) cluster.propose(1, `x-${at}`);
  cluster.luckyId = 2;
  cluster.runUntil("node 2 leads", () => cluster.node(2).role === "leader");
  for (let at = 0; at < 200; at++) cluster.propose(2, `a-${at}`);
  cluster.run(100);
  cluster.transfer(3);
  cluster.run(50);
  // Node 3 begins at the end of its own log, far beyond where the two agree.
  const since = cluster.sent.length;
  cluster.heal();
  cluster.run(500);
  expect(cluster.leader.id).toBe(3);
  expect(cluster.names(1)).toHaveLength(200);
  expect(appendsTo(cluster, 1, since).length).toBeLessThan(10);
});

test("learner blocks replication: a member without a vote holds nothing up", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  cluster.join(4);
  cluster.crash(4);
  const written = cluster.propose(1, "a");
  cluster.settle();
  expect(cluster.answer(written)).toBe("applied");
});

test("recovered too early: a follower that restarts in an idle cluster learns again what is committed", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  cluster.propose(1, "a");
  cluster.run(200);
  cluster.crash(3);
  cluster.restart(3);
  expect(cluster.node(3).commitIndex).toBe(0);
  const read = cluster.read(3, "linearizable");
  expect(cluster.answer(read)).toBe("noLeader");
  cluster.run(3 * cluster.options.heartbeatMs);
  expect(cluster.names(3)).toEqual(["a"]);
  const again = cluster.read(3);
  cluster.settle();
  expect(cluster.seen(again)).toEqual(["a"]);
});

test("followers learn of a commit at once, not with the next heartbeat", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  cluster.propose(1, "a");
  cluster.settle();
  expect([1, 2, 3].map((id) => cluster.names(id))).toEqual([["a"], ["a"], ["a"]]);
});

test("an idle cluster says heartbeats and nothing else", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  cluster.run(200);
  const since = cluster.sent.length;
  cluster.run(1000);
  const kinds = cluster.sent.slice(since).map(({ message }) => message.type);
  expect(kinds).toHaveLength(40);
  expect(new Set(kinds)).toEqual(new Set(["heartbeat", "heartbeatResponse"]));
});
