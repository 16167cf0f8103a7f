import { expect, test } from "vitest";
import { DEFAULT_COUNT_LIMITS, type Entry, LEVEL, Node, vmSpec } from "../index.ts";
import { Cluster } from "../testing/index.ts";

/** The commands in one write of a node, write by write. */
function commandsWritten(cluster: Cluster, id: number): number[] {
  const isCommand = ({ kind }: Entry): boolean => kind === "command";
  return cluster.host(id).writes.map(({ entries }) => entries?.filter(isCommand).length ?? 0);
}

function ledCluster(options: ConstructorParameters<typeof Cluster>[1] = {}): Cluster {
  const cluster = new Cluster([1, 2, 3], options);
  cluster.elect(1);
  return cluster;
}

// ---- Batches

test("a proposal goes out at once while the disk is idle", () => {
  const cluster = ledCluster();
  cluster.propose(1, "a");
  expect(commandsWritten(cluster, 1)).toEqual([1]);
  expect(cluster.take("append")).toHaveLength(2);
});

test("while the disk is busy proposals wait for each other, for batchMs at most", () => {
  const cluster = ledCluster({ batchMs: 10 });
  cluster.stallDisk(1);
  for (const name of ["a", "b", "c"]) cluster.propose(1, name);
  cluster.run(9);
  expect(commandsWritten(cluster, 1)).toEqual([1]);
  cluster.run(1);
  expect(commandsWritten(cluster, 1)).toEqual([1, 2]);
});

test("a full batch does not wait", () => {
  const cluster = ledCluster({ batchEntries: 3 });
  cluster.stallDisk(1);
  for (const name of ["a", "b", "c", "d", "e"]) cluster.propose(1, name);
  expect(commandsWritten(cluster, 1)).toEqual([1, 3]);
});

test("a batch of many bytes does not wait either", () => {
  const cluster = ledCluster({ batchBytes: 1 });
  cluster.stallDisk(1);
  for (const name of ["a", "b", "c"]) cluster.propose(1, name);
  expect(commandsWritten(cluster, 1)).toEqual([1, 1, 1]);
});

test("when the disk has finished, what waits goes out", () => {
  const cluster = ledCluster({ batchMs: 1000 });
  cluster.stallDisk(1);
  for (const name of ["a", "b", "c"]) cluster.propose(1, name);
  cluster.sync(1);
  expect(commandsWritten(cluster, 1)).toEqual([2]);
});

// ---- Back-pressure and refusals

test("back-pressure: a leader that commits nothing takes no more than maxUncommittedBytes", () => {
  const cluster = ledCluster({ maxUncommittedBytes: 2000, maxRequestBytes: 2000 });
  cluster.isolate(1);
  const requests = Array.from({ length: 50 }, (_, at) => cluster.propose(1, `vm-${at}`));
  const refused = requests.filter((id) => cluster.answer(id) === "tooManyUncommitted");
  expect(refused.length).toBeGreaterThan(5);
  expect(refused.length).toBeLessThan(50);
  // What is refused had no effect, and what was taken commits once it can.
  cluster.heal();
  cluster.run(800);
  expect(cluster.names(1)).toHaveLength(50 - refused.length);
  const written = cluster.propose(1, "later");
  cluster.settle();
  expect(cluster.answer(written)).toBe("applied");
});

test("a follower passes the leader's back-pressure on", () => {
  const cluster = ledCluster({ maxUncommittedBytes: 2000, maxRequestBytes: 2000 });
  cluster.stallDisk(1);
  cluster.stallDisk(2);
  cluster.stallDisk(3);
  const requests = Array.from({ length: 50 }, (_, at) => cluster.propose(2, `vm-${at}`));
  cluster.run(50);
  expect(requests.map((id) => cluster.answer(id))).toContain("tooManyUncommitted");
});

test("no more requests wait than maxPendingRequests", () => {
  const cluster = ledCluster({ maxPendingRequests: 3 });
  cluster.isolate(1);
  const requests = ["a", "b", "c", "d"].map((name) => cluster.propose(1, name));
  expect(requests.map((id) => cluster.answer(id))).toEqual([undefined, undefined, undefined, "tooManyPending"]);
});

test("what cannot be taken is refused with its reason", () => {
  const cluster = ledCluster({ maxRequestBytes: 500 });
  expect(cluster.answer(cluster.propose(1, "Not A Label"))).toBe("invalidRequest");
  expect(cluster.answer(cluster.propose(1, "large", { metadata: { text: "x".repeat(1000) } }))).toBe("requestTooLarge");
  expect(cluster.answer(cluster.request(2, { kind: "changeMembership", changes: [] }))).toBe("notLeader");
  expect(cluster.answer(cluster.request(2, { kind: "transferLeadership", to: 3 }))).toBe("notLeader");
  expect(cluster.answer(cluster.change())).toBe("membershipRefused");
  const fresh = new Cluster([1, 2, 3]);
  expect(fresh.answer(fresh.propose(1, "a"))).toBe("noLeader");
  expect(fresh.answer(fresh.read(1))).toBe("noLeader");
  expect(fresh.seen(fresh.read(1, "stale"))).toEqual([]);
});

test("a proposal whose outcome is not known in time is answered so, once", () => {
  const cluster = ledCluster();
  cluster.isolate(1);
  const written = cluster.propose(1, "a");
  cluster.run(cluster.options.requestTimeoutMs - 1);
  expect(cluster.answer(written)).toBeUndefined();
  cluster.run(2);
  expect(cluster.answer(written)).toBe("outcomeUnknown");
  cluster.heal();
  cluster.run(5000);
});

test("a proposal that another leader's entry replaced never happened, and its client is told", () => {
  const cluster = ledCluster();
  cluster.isolate(1);
  const written = cluster.propose(1, "lost");
  cluster.luckyId = 2;
  cluster.runUntil("node 2 leads", () => cluster.node(2).role === "leader");
  cluster.heal();
  cluster.run(500);
  expect(cluster.answer(written)).toBe("noLeader");
  expect(cluster.names(2)).toEqual([]);
});

// ---- Exactly once

test("exactly once through retries: a session's command happens once, whichever leaders it meets", () => {
  const cluster = ledCluster();
  const opened = cluster.command(1, { kind: "openSession", clientToken: "client-1" });
  cluster.settle();
  const answer = cluster.answers.get(opened);
  if (answer?.kind !== "applied" || !answer.result.ok || answer.result.kind !== "sessionOpened")
    throw new Error("no session");
  const session = { id: answer.result.sessionId, sequence: 1, lowestUnacknowledged: 1 };
  const create = { kind: "createVm", name: "a", spec: vmSpec() } as const;

  // The first leader commits it and dies before it can answer.
  const first = cluster.command(1, create, session);
  cluster.deliver(...cluster.take("append"));
  cluster.sync(2);
  cluster.sync(3);
  cluster.crash(1);
  cluster.mail = [];
  cluster.luckyId = 2;
  cluster.runUntil("node 2 or 3 leads", () => [2, 3].some((id) => cluster.node(id).role === "leader"));
  const retries = [2, 3, 2].map((id) => {
    const retry = cluster.command(id, create, session);
    cluster.run(100);
    return retry;
  });
  expect(cluster.answer(first)).toBeUndefined();
  for (const retry of retries) {
    expect(cluster.answers.get(retry)).toMatchObject({
      kind: "applied",
      result: { ok: true, kind: "vmCreated", generation: 1 },
    });
  }
  // Without the session the same command would have been refused.
  const again = cluster.command(2, create);
  cluster.run(100);
  expect(cluster.answers.get(again)).toMatchObject({ kind: "applied", result: { ok: false } });
});

// ---- Starting and stopping

test("an early wake is harmless: the node asks for its time again", () => {
  const cluster = new Cluster([1]);
  cluster.wake(1);
  expect(cluster.host(1).wakeAtMs).toBeLessThan(Number.POSITIVE_INFINITY);
  cluster.run(2000);
  expect(cluster.node(1).role).toBe("leader");
});

test("after a failed write nothing is known of the disk: the node stops, and answers nobody any more", () => {
  const cluster = ledCluster();
  const waiting = cluster.propose(1, "a");
  cluster.step(1, { kind: "writeFailed", writeId: 1, reason: "fsync: input/output error" });
  expect(cluster.host(1).halt).toContain("fsync: input/output error");
  expect(cluster.answer(waiting)).toBe("outcomeUnknown");
  expect(cluster.answer(cluster.read(1))).toBe("halted");
});

test("a node that has stopped itself is captured as one", () => {
  const cluster = ledCluster();
  const { node } = cluster.host(1);
  cluster.step(1, { kind: "writeFailed", writeId: 1, reason: "fsync: input/output error" });
  if (node === null) throw new Error("it is down");
  const copy = Node.restore(node.capture(), cluster.options, cluster.runtime(cluster.host(1)));
  expect(copy.step({ kind: "wake", nowMs: cluster.nowMs + 60_000, wallMs: cluster.wallMs })).toEqual([]);
});

test("a node of an earlier feature level is captured as one", () => {
  const cluster = ledCluster();
  const host = cluster.host(1);
  const runtime = cluster.runtime(host);
  const stamp = { nowMs: cluster.nowMs, wallMs: cluster.wallMs };
  const node = new Node(1, cluster.options, runtime, host.durable, stamp, DEFAULT_COUNT_LIMITS, LEVEL - 1);
  const copy = Node.restore(node.capture(), cluster.options, runtime);
  expect(copy.capture().applier.level).toBe(LEVEL - 1);
});

test("time that goes back stops the node before anything of the step leaves it", () => {
  const cluster = ledCluster();
  cluster.run(100);
  cluster.nowMs -= 50;
  const since = cluster.sent.length;
  cluster.propose(1, "a");
  expect(cluster.host(1).halt).toContain("monotonic time went back");
  expect(cluster.sent).toHaveLength(since);
  expect(cluster.host(1).writes).toEqual([]);
});

test("wall clocks that disagree decide nothing: the leader's is in the entry", () => {
  const cluster = ledCluster();
  cluster.propose(1, "a");
  cluster.take("append", { to: 3 });
  cluster.settle();
  cluster.wallMs -= 1_000_000_000;
  cluster.run(1000);
  expect(cluster.names(3)).toEqual(["a"]);
  expect([cluster.vms(2), cluster.vms(3)]).toEqual([cluster.vms(1), cluster.vms(1)]);
});

test("a restart applies again from the snapshot on, and answers nobody twice", () => {
  const cluster = ledCluster({ snapshotAfterEntries: 4, snapshotEveryEntries: 4, snapshotTrailingEntries: 0 });
  for (const name of ["a", "b", "c", "d", "e"]) {
    cluster.propose(1, name);
    cluster.settle();
  }
  expect(cluster.node(2).snapshotIndex).toBe(4);
  cluster.crash(2);
  expect(cluster.restart(2).appliedIndex).toBe(4);
  cluster.run(500);
  expect(cluster.names(2)).toEqual(["a", "b", "c", "d", "e"]);
});
