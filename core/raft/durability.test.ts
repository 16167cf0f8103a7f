import { expect, test } from "vitest";
import { Node, type NodeId, type Restored } from "../index.ts";
import { Cluster } from "../testing/index.ts";

const OFTEN = { snapshotAfterEntries: 8, snapshotEveryEntries: 6, snapshotTrailingEntries: 2, snapshotChunkBytes: 300 };

/**
 * A run with votes, a conflict, snapshots taken and received, a membership change. Returns what the disks held,
 * write by write.
 */
function eventfulRun(): Cluster {
  const cluster = new Cluster([1, 2, 3], OFTEN);
  cluster.elect(1);
  const write = (count: number): void => {
    for (let at = 0; at < count; at++) {
      cluster.propose(cluster.leader.id, `vm-${cluster.sent.length}`);
      cluster.settle();
    }
  };
  write(5);
  cluster.isolate(1);
  cluster.propose(1, "lost-1");
  cluster.propose(1, "lost-2");
  cluster.luckyId = 2;
  cluster.runUntil("node 2 leads", () => cluster.node(2).role === "leader");
  write(20);
  cluster.heal();
  cluster.run(1000);
  cluster.join(4, true);
  cluster.run(1000);
  cluster.elect(3);
  write(3);
  cluster.change({ kind: "remove", id: 1 });
  cluster.run(1000);
  return cluster;
}

function boot(cluster: Cluster, id: NodeId, restored: Restored): Node {
  const runtime = cluster.runtime(cluster.host(id));
  return new Node(id, cluster.options, runtime, restored, { nowMs: cluster.nowMs, wallMs: cluster.wallMs });
}

test("a restart from every durable prefix of the writes keeps vote and term, and finds an unbroken log", () => {
  const cluster = eventfulRun();
  for (const { id, history } of cluster.hosts.values()) {
    expect(history.length).toBeGreaterThan(8);
    let term = 0;
    let votedFor: NodeId = 0;
    let snapshotIndex = 0;
    for (const restored of history) {
      const node = boot(cluster, id, restored);
      expect(node.term).toBeGreaterThanOrEqual(term);
      if (node.term === term && votedFor !== 0) expect(node.votedFor).toBe(votedFor);
      expect(node.snapshotIndex).toBeGreaterThanOrEqual(snapshotIndex);
      expect(node.commitIndex).toBe(node.snapshotIndex);
      expect(node.log.lastIndex).toBeGreaterThanOrEqual(node.snapshotIndex);
      ({ term, votedFor, snapshotIndex } = node);
    }
  }
});

test("a crash between any two writes loses nothing that was acknowledged", () => {
  for (let survive = 0; survive < 12; survive++) {
    const cluster = new Cluster([1, 2, 3], OFTEN);
    cluster.elect(1);
    cluster.stallDisk(1);
    const requests = Array.from({ length: 20 }, (_, at) => ({ name: `vm-${at}`, id: cluster.propose(1, `vm-${at}`) }));
    for (let at = 0; at < 20; at++) cluster.run(2);
    const acknowledged = requests.filter(({ id }) => cluster.answer(id) === "applied").map(({ name }) => name);
    expect(acknowledged.length).toBeGreaterThan(0);
    cluster.crash(1, survive);
    cluster.restart(1);
    cluster.run(5000);
    for (const id of [1, 2, 3]) expect(cluster.names(id)).toEqual(expect.arrayContaining(acknowledged));
  }
});

test("a whole cluster that crashes at once comes back with all that it acknowledged", () => {
  const cluster = eventfulRun();
  const before = cluster.names(cluster.leader.id);
  for (const id of [2, 3, 4]) cluster.crash(id);
  for (const id of [2, 3, 4]) cluster.restart(id);
  cluster.run(5000);
  for (const id of [2, 3, 4]) expect(cluster.names(id)).toEqual(before);
});

test("a stored log with a hole, a broken chain or a missing end is refused, never read as a shorter one", () => {
  const cluster = eventfulRun();
  const { durable } = cluster.host(3);
  const { entries, snapshot } = durable;
  expect(entries.length).toBeGreaterThan(3);
  const without = (at: number): Restored => ({ ...durable, entries: entries.filter((_, index) => index !== at) });
  expect(() => boot(cluster, 3, without(entries.length - 2))).toThrow("hole");
  const damaged = entries.map((entry, at) =>
    at === entries.length - 1 ? { ...entry, data: new Uint8Array(3) } : entry,
  );
  expect(() => boot(cluster, 3, { ...durable, entries: damaged })).toThrow("does not follow");
  const beyond = { ...snapshot, meta: { ...snapshot.meta, index: 10_000 } };
  expect(() => boot(cluster, 3, { ...durable, snapshot: beyond })).toThrow("ends before the snapshot");
  const other = { ...snapshot, meta: { ...snapshot.meta, chain: "another" } };
  expect(() => boot(cluster, 3, { ...durable, snapshot: other })).toThrow("disagrees with the snapshot");
  expect(() => boot(cluster, 3, { ...durable, snapshot: { ...snapshot, chunks: [new Uint8Array(9)] } })).toThrow();
});
