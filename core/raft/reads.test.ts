import { expect, test } from "vitest";
import { Cluster } from "../testing/index.ts";

test("stale read, new leader: a read waits for the first commit of the term", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  cluster.propose(1, "a");
  // Node 2 has the entry and does not know that it is committed.
  cluster.deliver(...cluster.take("append", { to: 2 }));
  cluster.sync(2);
  cluster.deliver(...cluster.take("appendResponse", { from: 2 }));
  cluster.sync(1);
  expect(cluster.names(1)).toEqual(["a"]);
  cluster.crash(1);
  cluster.mail = [];

  cluster.luckyId = 2;
  cluster.runUntil("node 2 leads", () => {
    cluster.stallDisk(3);
    if (cluster.node(2).role !== "leader") cluster.sync(3);
    return cluster.node(2).role === "leader";
  });
  const read = cluster.read(2);
  cluster.run(300);
  expect(cluster.answer(read)).toBeUndefined();
  cluster.resumeDisk(3);
  cluster.run(300);
  expect(cluster.seen(read)).toEqual(["a"]);
});

test("a leader that is cut off answers no read from its own memory", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  cluster.isolate(1);
  const read = cluster.read(1);
  cluster.run(500);
  expect(cluster.answer(read)).toBeUndefined();
  cluster.run(1000);
  expect(cluster.answer(read)).toBe("noLeader");
});

test("read quorum minus one: one answer of four others does not confirm a read", () => {
  const cluster = new Cluster([1, 2, 3, 4, 5]);
  cluster.elect(1);
  const read = cluster.read(1);
  const rounds = cluster.take("heartbeat");
  cluster.deliver(...rounds.filter(({ to }) => to === 2));
  cluster.deliver(...cluster.take("heartbeatResponse"));
  expect(cluster.answer(read)).toBeUndefined();
  cluster.deliver(...rounds.filter(({ to }) => to === 3));
  cluster.deliver(...cluster.take("heartbeatResponse"));
  expect(cluster.answer(read)).toBe("read");
});

test("answers to a round from before the read do not confirm it", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  cluster.pass(100);
  cluster.wake(1);
  cluster.deliver(...cluster.take("heartbeat"));
  const earlier = cluster.take("heartbeatResponse");
  const read = cluster.read(1);
  cluster.take("heartbeat");
  cluster.deliver(...earlier);
  expect(cluster.answer(read)).toBeUndefined();
});

test("a follower's read sees every write acknowledged before it", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  cluster.cut(1, 3);
  cluster.propose(1, "a");
  cluster.settle();
  cluster.heal();
  const read = cluster.read(3);
  cluster.run(500);
  expect(cluster.seen(read)).toEqual(["a"]);
});

test("read dropped silently: a follower's read that is lost is answered all the same", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  const read = cluster.read(2);
  expect(cluster.take("readIndex")).toHaveLength(1);
  cluster.run(cluster.options.requestTimeoutMs + 100);
  expect(cluster.answer(read)).toBe("readTimedOut");
});

test("reads that arrive during a round share the next one", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  const before = cluster.sent.length;
  const reads = Array.from({ length: 50 }, () => cluster.read(1));
  cluster.settle();
  expect(new Set(reads.map((read) => cluster.answer(read)))).toEqual(new Set(["read"]));
  expect(cluster.sent.slice(before).filter(({ message }) => message.type === "heartbeat")).toHaveLength(4);
});

test("a leader deposed in the middle of a read does not answer it", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  cluster.isolate(1);
  const read = cluster.read(1);
  cluster.pause(1);
  cluster.luckyId = 2;
  cluster.runUntil("node 2 leads", () => cluster.node(2).role === "leader");
  cluster.heal();
  cluster.resume(1);
  cluster.run(500);
  expect(cluster.answer(read)).toBe("noLeader");
});

const LEASES = { leaseReads: true };

test("a lease read is answered at once, and only where leases are on", () => {
  const on = new Cluster([1, 2, 3], LEASES);
  on.elect(1);
  const read = on.read(1, "lease");
  expect(on.answer(read)).toBe("read");
  const off = new Cluster([1, 2, 3]);
  off.elect(1);
  expect(off.answer(off.read(1, "lease"))).toBe("leaseReadsOff");
});

test("lease read, coarse timer: the lease ends with the time, not with the next tick", () => {
  const cluster = new Cluster([1, 2, 3], LEASES);
  cluster.elect(1);
  cluster.read(1);
  cluster.settle();
  cluster.pass(cluster.options.electionTimeoutMs * (1 - 2 * cluster.options.clockDriftBound));
  const read = cluster.read(1, "lease");
  expect(cluster.answer(read)).not.toBe("read");
});

test("lease read, slow clock: the lease is shorter than the followers' patience by the drift bound on both sides", () => {
  const cluster = new Cluster([1, 2, 3], { ...LEASES, clockDriftBound: 0.2, heartbeatMs: 500 });
  cluster.elect(1);
  cluster.read(1);
  cluster.settle();
  cluster.pass(599);
  expect(cluster.answer(cluster.read(1, "lease"))).toBe("read");
  cluster.pass(2);
  expect(cluster.answer(cluster.read(1, "lease"))).toBeUndefined();
});

test("lease read, transfer: lease reads stop while leadership moves", () => {
  const cluster = new Cluster([1, 2, 3], LEASES);
  cluster.elect(1);
  cluster.stallDisk(2);
  cluster.transfer(2);
  const read = cluster.read(1, "lease");
  expect(cluster.answer(read)).toBeUndefined();
});

test("a follower that may still be bound to its leader by a lease votes for nobody, in its own term neither", () => {
  const cluster = new Cluster([1, 2, 3], LEASES);
  cluster.elect(1);
  cluster.settle();
  const start = cluster.nowMs;
  const at = (ms: number): void => cluster.pass(start + ms - cluster.nowMs);

  // What node 2 answers to the last heartbeat takes its time.
  cluster.luckyId = 3;
  at(100);
  cluster.wake(1);
  cluster.deliver(...cluster.take("heartbeat"));
  cluster.luckyId = 0;
  const lateAnswer = cluster.take("heartbeatResponse", { from: 2 });
  at(800);
  cluster.deliver(...lateAnswer);
  cluster.mail = [];
  // Node 3 gives up first and has node 2's pre-vote. Its request for the vote itself is slow.
  at(1101);
  cluster.wake(3);
  cluster.deliver(...cluster.take("requestVote", { to: 2 }));
  cluster.deliver(...cluster.take("voteResponse", { from: 2 }));
  cluster.sync(3);
  const slowRequest = cluster.take("requestVote", { to: 2 });
  expect(slowRequest).toHaveLength(1);
  // Node 2 gives up too. The refusal that tells it of the new term is slow as well: meanwhile it hears node 1 again,
  // and extends its lease.
  at(1700);
  cluster.wake(2);
  cluster.deliver(...cluster.take("requestVote", { to: 3 }));
  const slowRefusal = cluster.take("voteResponse", { from: 3 });
  expect(slowRefusal).toHaveLength(1);
  cluster.wake(1);
  cluster.deliver(...cluster.take("heartbeat", { to: 2 }));
  cluster.deliver(...cluster.take("heartbeatResponse", { from: 2 }));
  cluster.mail = [];

  cluster.deliver(...slowRefusal, ...slowRequest);
  cluster.sync(2);
  expect(cluster.take("voteResponse", { from: 2 })).toMatchObject([{ message: { preVote: false, granted: false } }]);
  expect(cluster.answer(cluster.read(1, "lease"))).toBe("read");
});

test("a transfer order that arrives late, or twice, breaks no lease", () => {
  const cluster = new Cluster([1, 2, 3], LEASES);
  cluster.elect(1);
  const asked = cluster.transfer(2);
  const order = cluster.take("timeoutNow");
  expect(order).toHaveLength(1);
  cluster.run(4000);
  expect(cluster.answer(asked)).toBeDefined();

  // Everybody has just answered node 1, when the order comes at last.
  cluster.isolate(1);
  cluster.deliver(...order);
  cluster.settle();
  expect(cluster.node(2).role).toBe("leader");
  const written = cluster.propose(2, "a");
  cluster.settle();
  expect(cluster.answer(written)).toBe("applied");
  const read = cluster.read(1, "lease");
  expect(cluster.seen(read)).toBeUndefined();
});

test("an order that has left once is not forgotten over a second transfer that never sent one", () => {
  const cluster = new Cluster([1, 2, 3], LEASES);
  cluster.elect(1);
  cluster.transfer(2);
  cluster.take("timeoutNow");
  cluster.run(1500);
  cluster.cut(1, 3);
  cluster.propose(1, "a");
  cluster.run(100);
  cluster.transfer(3);
  cluster.run(1500);
  expect(cluster.node(1).role).toBe("leader");
  cluster.stallDisk(1);
  expect(cluster.answer(cluster.read(1, "lease"))).toBeUndefined();
});

test("leases come back after a transfer, to whoever is elected then", () => {
  const cluster = new Cluster([1, 2, 3], LEASES);
  cluster.elect(1);
  cluster.transfer(2);
  cluster.run(100);
  cluster.transfer(1);
  cluster.run(300);
  expect(cluster.node(1).role).toBe("leader");
  expect(cluster.answer(cluster.read(1, "lease"))).toBe("read");
});
