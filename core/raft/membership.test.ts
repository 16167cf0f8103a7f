import { expect, test } from "vitest";
import { isJoint, Node } from "../index.ts";
import { Cluster } from "../testing/index.ts";

const wholeConfiguration = (cluster: Cluster, id: number) => {
  const { voters, outgoing, learners } = cluster.node(id).configuration;
  return { voters, outgoing, learners };
};

test("a node joins as a learner, catches up, and is promoted without being asked", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  cluster.propose(1, "a");
  cluster.settle();
  cluster.join(4, true);
  cluster.run(1000);
  expect(wholeConfiguration(cluster, 4)).toEqual({ voters: [1, 2, 3, 4], outgoing: [], learners: [] });
  expect(cluster.names(4)).toEqual(["a"]);
});

test("one that joins takes no snapshot before its log reaches the configuration that it joined with", () => {
  const cluster = new Cluster([1, 2, 3], {
    maxAppendBytes: 1,
    snapshotAfterEntries: 4,
    snapshotEveryEntries: 1000,
    snapshotTrailingEntries: 100,
  });
  cluster.elect(1);
  for (let n = 0; n < 12; n += 1) cluster.propose(1, `vm-${n}`);
  cluster.settle();
  cluster.join(4, true);
  cluster.run(1000);
  expect(cluster.names(4)).toHaveLength(12);
  expect(cluster.node(4).snapshotIndex).toBeGreaterThan(12);
});

test("a learner that nobody has heard of yet is not promoted, and a lone voter stays able to decide", () => {
  const cluster = new Cluster([1]);
  cluster.elect(1);
  cluster.join(2, true);
  cluster.crash(2);
  cluster.mail = [];
  cluster.run(3000);
  expect(wholeConfiguration(cluster, 1)).toEqual({ voters: [1], outgoing: [], learners: [2] });
  expect(cluster.answer(cluster.change({ kind: "promote", id: 2 }))).toBe("membershipRefused");
  const written = cluster.propose(1, "a");
  cluster.settle();
  expect(cluster.answer(written)).toBe("applied");
});

test("a learner that caught up before the new leader's first commit is promoted in an idle cluster too", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  cluster.join(4, true);
  cluster.crash(4);
  cluster.mail = [];
  cluster.elect(2);
  cluster.luckyId = 3;
  cluster.run(100);
  cluster.isolate(2);
  // The voters acknowledge last.
  cluster.loses = ({ from, message }) => from !== 4 && message.type === "appendResponse";
  cluster.runUntil("node 3 leads", () => cluster.node(3).role === "leader");
  cluster.restart(4);
  cluster.run(500);
  expect(cluster.node(4).log.lastIndex).toBe(cluster.node(3).log.lastIndex);
  cluster.heal();
  cluster.run(1000);
  expect(cluster.node(3).configuration.voters).toEqual([1, 2, 3, 4]);
});

test("one voter grows to three, a member at a time", () => {
  const cluster = new Cluster([1]);
  cluster.elect(1);
  cluster.propose(1, "a");
  cluster.settle();
  for (const id of [2, 3]) {
    cluster.join(id, true);
    cluster.runUntil(`node ${id} votes`, () => cluster.node(1).configuration.voters.includes(id));
  }
  cluster.elect(3);
  expect(cluster.names(3)).toEqual(["a"]);
});

test("config before current term: a leader that has committed nothing in its term changes no membership", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.loses = ({ message }) => message.type === "appendResponse";
  cluster.runUntil("node 1 leads", () => cluster.node(1).role === "leader");
  expect(cluster.answer(cluster.change({ kind: "remove", id: 3 }))).toBe("membershipRefused");
});

test("config two steps apart: one change at a time, and a configuration counts from the log, not from apply", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  cluster.stallDisk(2);
  cluster.stallDisk(3);
  cluster.change({ kind: "remove", id: 3 });
  cluster.settle();
  for (const id of [1, 2, 3]) expect(isJoint(cluster.node(id).configuration)).toBe(true);
  expect(cluster.answer(cluster.change({ kind: "remove", id: 2 }))).toBe("membershipRefused");
});

test("a joint configuration decides with a majority of both halves, not of their union", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  cluster.join(4);
  cluster.join(5);
  cluster.run(500);
  for (const away of [2, 3]) cluster.isolate(away);
  const replaced = cluster.change(
    { kind: "promote", id: 4 },
    { kind: "promote", id: 5 },
    { kind: "remove", id: 2 },
    { kind: "remove", id: 3 },
  );
  cluster.run(500);
  // Nodes 1, 4 and 5 have it: all of the new half, one of three of the old.
  expect(wholeConfiguration(cluster, 5)).toEqual({ voters: [1, 4, 5], outgoing: [1, 2, 3], learners: [] });
  expect(cluster.answer(replaced)).toBeUndefined();
  cluster.heal();
  cluster.run(1000);
  expect(cluster.answer(replaced)).toBe("membershipChanged");
  expect(wholeConfiguration(cluster, 5)).toEqual({ voters: [1, 4, 5], outgoing: [], learners: [] });
});

test("a membership change is answered when its final configuration is committed, not when it is proposed", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  cluster.loses = ({ message }) =>
    message.type === "append" &&
    message.entries.some(({ kind }) => kind === "configuration") &&
    isJoint(cluster.node(2).configuration);
  const removed = cluster.change({ kind: "remove", id: 3 });
  cluster.settle();
  expect(cluster.node(1).configuration.outgoing).toEqual([]);
  expect(cluster.answer(removed)).toBeUndefined();
  // Nor does the next one begin before that.
  const next = { kind: "addLearner", id: 4, peerId: "peer-4", promote: false } as const;
  expect(cluster.answer(cluster.change(next))).toBe("membershipRefused");
  cluster.heal();
  cluster.run(500);
  expect(cluster.answer(removed)).toBe("membershipChanged");
});

test("a membership change that was lost is not acknowledged by another one that follows", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  cluster.isolate(1);
  const lost = cluster.change({ kind: "addLearner", id: 4, peerId: "peer-4", promote: false });
  cluster.luckyId = 2;
  cluster.runUntil("node 2 leads", () => cluster.node(2).role === "leader");
  cluster.heal();
  cluster.run(500);
  const other = cluster.change({ kind: "addLearner", id: 5, peerId: "peer-5", promote: false });
  cluster.run(500);
  expect(cluster.answer(other)).toBe("membershipChanged");
  expect(cluster.node(1).configuration.learners).toEqual([5]);
  expect(cluster.answer(lost)).not.toBe("membershipChanged");
});

test("joint deadlock: a new leader brings a joint phase to its end", () => {
  const cluster = new Cluster([1, 2, 3, 4]);
  cluster.elect(1);
  cluster.loses = ({ message }) =>
    message.type === "append" && message.entries.some(({ kind, index }) => kind === "configuration" && index > 2);
  cluster.change({ kind: "remove", id: 4 });
  cluster.settle();
  expect(isJoint(cluster.node(2).configuration)).toBe(true);
  cluster.crash(1);
  cluster.heal();
  cluster.luckyId = 2;
  cluster.run(4000);
  for (const id of [2, 3]) {
    expect(wholeConfiguration(cluster, id)).toEqual({ voters: [1, 2, 3], outgoing: [], learners: [] });
  }
});

test("a joint phase whose entry a snapshot could stand for ends all the same", () => {
  const cluster = new Cluster([1, 2, 3], {
    snapshotAfterEntries: 4,
    snapshotEveryEntries: 1,
    snapshotTrailingEntries: 0,
  });
  cluster.elect(1);
  cluster.run(100);
  // The joint entry and two commands after it are committed together; the final configuration stays with the leader,
  // and is lost with it.
  cluster.isolate(3);
  cluster.loses = ({ from, message }) =>
    (from === 2 && message.type === "appendResponse" && message.matchIndex < 4) ||
    (from === 1 && message.type === "append" && message.entries.some(({ index }) => index > 4));
  cluster.change({ kind: "addLearner", id: 4, peerId: "peer-4", promote: false });
  cluster.propose(1, "a");
  cluster.propose(1, "b");
  cluster.runUntil("node 2 knows the commit", () => cluster.node(2).commitIndex === 4);
  cluster.run(10);
  expect(cluster.node(2).log.lastIndex).toBe(4);
  cluster.crash(1);
  cluster.heal();
  cluster.luckyId = 2;
  cluster.run(4000);
  expect(cluster.host(2).halt).toBeNull();
  expect(wholeConfiguration(cluster, 3)).toEqual({ voters: [1, 2, 3], outgoing: [], learners: [4] });
  expect(cluster.names(3)).toEqual(["a", "b"]);
});

test("a leader removed while it alone holds the removal entry can still lead", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  cluster.loses = ({ message }) =>
    message.type === "append" && message.entries.some(({ kind }) => kind === "configuration");
  cluster.change({ kind: "remove", id: 1 });
  cluster.settle();
  expect(isJoint(cluster.node(1).configuration)).toBe(true);
  expect(isJoint(cluster.node(2).configuration)).toBe(false);
  cluster.crash(1);
  cluster.restart(1);
  // Its vote does not count in the configuration that it acts by, and still it is the one to be elected.
  cluster.runUntil("node 1 leads again", () => cluster.node(1).term === 2 && cluster.node(1).role === "leader");
  cluster.heal();
  cluster.run(4000);
  expect(cluster.node(1).removed).toBe(true);
  expect(cluster.leader.id).not.toBe(1);
  expect(wholeConfiguration(cluster, 2)).toEqual({ voters: [2, 3], outgoing: [], learners: [] });
});

test("a leader that removes itself steps down once that is committed, and another takes over at once", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  const removed = cluster.change({ kind: "remove", id: 1 });
  cluster.run(200);
  expect(cluster.answer(removed)).toBe("membershipChanged");
  expect(cluster.node(1).role).toBe("follower");
  expect([2, 3]).toContain(cluster.leader.id);
});

test("a member that was removed while away learns it when it comes back, and disturbs nobody", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  cluster.isolate(3);
  cluster.change({ kind: "remove", id: 3 });
  cluster.run(500);
  cluster.heal();
  cluster.run(4000);
  expect(cluster.node(3).removed).toBe(true);
  expect(cluster.node(1)).toMatchObject({ role: "leader", term: 1 });
  const since = cluster.sent.length;
  cluster.run(5000);
  expect(cluster.sent.slice(since).filter(({ from }) => from === 3)).toEqual([]);
});

test("id reused after removal: neither the id nor the identity comes back", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  cluster.change({ kind: "remove", id: 3 });
  cluster.run(500);
  for (const [id, peerId] of [
    [3, "peer-new"],
    [4, "peer-3"],
    [2, "peer-new"],
  ] as const) {
    expect(cluster.answer(cluster.change({ kind: "addLearner", id, peerId, promote: true }))).toBe("membershipRefused");
  }
});

test("wiped disk, same id: a process with another identity is not started as a member", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  cluster.crash(3);
  const { durable } = cluster.host(3);
  const stamp = { nowMs: cluster.nowMs, wallMs: cluster.wallMs };
  const runtime = cluster.runtime({ id: 3, peerId: "peer-3-again" });
  expect(() => new Node(3, cluster.options, runtime, durable, stamp)).toThrow("another identity");
});

test("config lost on restart: a configuration that is not committed yet is still in force after a restart", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  cluster.loses = ({ message }) => message.type === "appendResponse";
  cluster.change({ kind: "remove", id: 3 });
  cluster.settle();
  for (const id of [1, 2, 3]) {
    cluster.crash(id);
    expect(cluster.restart(id).configuration.outgoing).toEqual([1, 2, 3]);
  }
  cluster.heal();
  cluster.run(5000);
  expect(wholeConfiguration(cluster, 1)).toEqual({ voters: [1, 2], outgoing: [], learners: [] });
});

test("a configuration that a truncation removed is in force no more, here or after a restart", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  cluster.isolate(1);
  cluster.change({ kind: "remove", id: 3 });
  cluster.settle();
  expect(isJoint(cluster.node(1).configuration)).toBe(true);
  cluster.luckyId = 2;
  cluster.runUntil("node 2 leads", () => cluster.node(2).role === "leader");
  cluster.heal();
  cluster.run(500);
  expect(wholeConfiguration(cluster, 1)).toEqual({ voters: [1, 2, 3], outgoing: [], learners: [] });
  cluster.crash(1);
  expect(cluster.restart(1).configuration.outgoing).toEqual([]);
});

test("a follower that missed three membership changes follows the new leader after an introduction", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  cluster.join(4, true);
  cluster.runUntil("node 4 votes", () => cluster.node(3).configuration.voters.includes(4));
  cluster.run(200);
  cluster.isolate(3);
  for (const id of [5, 6]) {
    cluster.join(id, true);
    cluster.isolate(3);
    cluster.runUntil(`node ${id} votes`, () => cluster.node(4).configuration.voters.includes(id));
  }
  cluster.run(200);
  cluster.change({ kind: "remove", id: 1 }, { kind: "remove", id: 2 });
  cluster.runUntil("nodes 1 and 2 have left", () => cluster.node(6).configuration.voters.length === 4);
  cluster.run(3000);
  for (const id of [1, 2]) cluster.crash(id);
  cluster.run(3000);
  // Node 3 has met neither 5 nor 6, and only those who signed can tell it that they belong.
  expect(cluster.node(3).configuration.voters).toEqual([1, 2, 3, 4]);
  cluster.luckyId = 6;
  cluster.run(3000);
  cluster.heal();
  cluster.run(5000);
  expect(cluster.node(3).configuration.voters).toEqual([3, 4, 5, 6]);
  expect(cluster.node(3).leaderId).toBe(cluster.leader.id);
});

test("a joining node follows a leader elected before its time, by members who have left", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  for (const id of [4, 5]) cluster.join(id, true);
  cluster.runUntil("all five vote", () => cluster.node(1).configuration.voters.length === 5);
  cluster.run(200);
  cluster.change({ kind: "remove", id: 2 }, { kind: "remove", id: 3 });
  cluster.run(500);
  for (const id of [2, 3]) cluster.crash(id);
  cluster.join(6, true);
  cluster.run(1000);
  expect(cluster.node(1)).toMatchObject({ role: "leader", term: 1 });
  expect(cluster.node(6).leaderId).toBe(1);
  expect(cluster.node(1).configuration.voters).toEqual([1, 4, 5, 6]);
});

test("two-node remove dead: two voters of which one is dead decide nothing, and nothing is lost", () => {
  const cluster = new Cluster([1, 2]);
  cluster.elect(1);
  cluster.propose(1, "a");
  cluster.run(200);
  cluster.crash(2);
  const removed = cluster.change({ kind: "remove", id: 2 });
  cluster.run(6000);
  expect(cluster.answer(removed)).not.toBe("membershipChanged");
  expect(cluster.node(1).role).not.toBe("leader");
  cluster.restart(2);
  cluster.run(5000);
  expect(cluster.names(cluster.leader.id)).toEqual(["a"]);
  expect(cluster.leader.configuration.outgoing).toEqual([]);
});

test("one of three is dead: removing a living one is refused, removing the dead one is not", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  cluster.run(200);
  cluster.crash(3);
  cluster.run(1500);
  const harmful = cluster.change({ kind: "remove", id: 2 });
  cluster.run(300);
  expect(cluster.answer(harmful)).toBe("membershipRefused");
  expect(cluster.leader.configuration.voters).toEqual([1, 2, 3]);
  const helpful = cluster.change({ kind: "remove", id: 3 });
  cluster.run(500);
  expect(cluster.answer(helpful)).toBe("membershipChanged");
  expect(cluster.leader.configuration.voters).toEqual([1, 2]);
});

test("two-node remove dead: while both live, one can be removed and the other goes on alone", () => {
  const cluster = new Cluster([1, 2]);
  cluster.elect(1);
  const removed = cluster.change({ kind: "remove", id: 2 });
  cluster.run(300);
  expect(cluster.answer(removed)).toBe("membershipChanged");
  cluster.crash(2);
  const written = cluster.propose(1, "a");
  cluster.settle();
  expect(cluster.answer(written)).toBe("applied");
});

test("two who were given one number: an honest leader is not taken for a liar over a change that was lost", () => {
  const cluster = new Cluster([1, 2, 3]);
  cluster.elect(1);
  // Node 3 holds an entry, never committed, that binds number 9 to one identity.
  cluster.cut(1, 2);
  cluster.loses = ({ from }) => from === 3;
  cluster.change({ kind: "addLearner", id: 9, peerId: "peer-lost", promote: false });
  cluster.settle();
  expect(cluster.node(3).configuration.learners).toEqual([9]);
  // Of another one, elected by its holder, it has a certificate.
  const certificate = cluster.certificate("election", 5, 2, [1, 2, 9]);
  cluster.deliver({
    from: 2,
    to: 3,
    message: {
      type: "append",
      ...cluster.header(2, 3, 5),
      prevIndex: 0,
      prevTerm: 0,
      prevChain: "genesis",
      entries: [],
      commit: 0,
      certificate,
    },
  });
  expect(cluster.evidence(3)).toEqual([]);
  expect(cluster.node(3).leaderId).toBe(2);
});
