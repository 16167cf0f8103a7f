import { expect, test } from "vitest";
import { Node, type SnapshotChunk } from "../index.ts";
import { Cluster, type Envelope } from "../testing/index.ts";

/** Snapshots early and often, in many chunks. */
const OFTEN = {
  snapshotAfterEntries: 10,
  snapshotEveryEntries: 10,
  snapshotTrailingEntries: 2,
  snapshotChunkBytes: 200,
};

function write(cluster: Cluster, from: number, count: number): string[] {
  const names = Array.from({ length: count }, (_, at) => `vm-${from + at}`);
  for (const name of names) {
    cluster.propose(cluster.leader.id, name);
    cluster.settle();
  }
  return names;
}

function chunksTo(cluster: Cluster, to: number, since = 0): SnapshotChunk[] {
  return cluster.sent.slice(since).flatMap(({ to: receiver, message }) => {
    return receiver === to && message.type === "snapshotChunk" ? [message] : [];
  });
}

/** Node 3 lacks what the others have compacted away. */
function laggingCluster(): Cluster {
  const cluster = new Cluster([1, 2, 3], OFTEN);
  cluster.elect(1);
  cluster.isolate(3);
  write(cluster, 0, 25);
  cluster.run(200);
  return cluster;
}

test("a follower that needs what is compacted away gets a snapshot, and then the rest of the log", () => {
  const cluster = laggingCluster();
  expect(cluster.node(1).snapshotIndex).toBe(20);
  cluster.heal();
  cluster.run(2000);
  expect(chunksTo(cluster, 3).length).toBeGreaterThan(3);
  expect(cluster.names(3)).toHaveLength(25);
  expect(cluster.node(3).snapshotIndex).toBe(20);
  expect(cluster.node(3).log.lastIndex).toBe(26);
});

test("compaction keeps what a follower a little behind may need, which then gets no snapshot", () => {
  const cluster = new Cluster([1, 2, 3], OFTEN);
  cluster.elect(1);
  write(cluster, 0, 8);
  cluster.isolate(3);
  write(cluster, 8, 2);
  expect(cluster.node(1).snapshotIndex).toBe(10);
  expect(cluster.node(1).log.firstIndex).toBe(9);
  cluster.heal();
  cluster.run(1000);
  expect(cluster.names(3)).toHaveLength(10);
  expect(chunksTo(cluster, 3)).toEqual([]);
});

test("snapshot disagrees with commit: index, term, chain and configuration are those of one applied entry", () => {
  const cluster = new Cluster([1, 2, 3], OFTEN);
  cluster.elect(1);
  const chains = new Map<number, string | null>();
  cluster.join(4);
  const { configuration, configurationIndex } = cluster.node(1);
  for (let at = 0; at < 12; at++) {
    write(cluster, at, 1);
    const { lastIndex } = cluster.node(1).log;
    chains.set(lastIndex, cluster.node(1).log.chainAt(lastIndex));
  }
  cluster.run(100);
  const { meta } = cluster.host(2).durable.snapshot;
  expect(meta.index).toBeGreaterThanOrEqual(10);
  expect(meta.chain).toBe(chains.get(meta.index));
  expect(meta).toMatchObject({ term: 1, configuration, configurationIndex });
  // The state is that of the index too, not of the present.
  const stamp = { nowMs: cluster.nowMs, wallMs: cluster.wallMs };
  const restored = new Node(2, cluster.options, cluster.runtime(cluster.host(2)), cluster.host(2).durable, stamp);
  expect(restored.appliedIndex).toBe(meta.index);
  expect(restored.state.vms.length).toBe(cluster.node(2).state.vms.length);
});

test("snapshot chunks lost and duplicated still make one snapshot", () => {
  const cluster = laggingCluster();
  cluster.heal();
  let seen = 0;
  cluster.loses = (envelope) => {
    if (envelope.message.type !== "snapshotChunk") return false;
    seen++;
    if (seen % 2 === 0) cluster.deliver(envelope, envelope);
    return seen % 3 === 0;
  };
  cluster.run(10_000);
  expect(seen).toBeGreaterThan(6);
  expect(cluster.names(3)).toHaveLength(25);
  expect(cluster.evidence(3)).toEqual([]);
});

test("snapshot chunks resumed by a new leader go on where the old one stopped", () => {
  const cluster = laggingCluster();
  cluster.luckyId = 2;
  cluster.heal();
  cluster.loses = ({ message }) => message.type === "snapshotChunk" && message.sequence >= 3;
  cluster.run(1000);
  expect(cluster.node(3).snapshotIndex).toBe(0);
  cluster.elect(2);
  cluster.run(3000);
  expect(cluster.names(3)).toHaveLength(25);
  // The very first answer tells node 2 that three chunks are there already.
  const wanted = cluster.sent.flatMap(({ from, to, message }) => {
    return from === 3 && to === 2 && message.type === "snapshotResponse" ? [message.nextSequence] : [];
  });
  expect(wanted[0]).toBe(3);
});

test("a damaged snapshot is refused and asked for again, and nothing of it is taken over", () => {
  const cluster = new Cluster([1, 2, 3], { ...OFTEN, snapshotChunkBytes: 100_000 });
  cluster.elect(1);
  cluster.isolate(3);
  for (let at = 0; at < 25; at++) {
    cluster.propose(1, `vm-${at}`, { metadata: { note: "original" } });
    cluster.settle();
  }
  cluster.heal();
  let damaged = 0;
  cluster.loses = (envelope) => {
    const { message } = envelope;
    if (message.type !== "snapshotChunk" || damaged > 0) return false;
    // Well-formed still: only the digest tells.
    const bytes = message.bytes.slice();
    for (let at = 0; at < bytes.length && damaged === 0; at++) {
      if (String.fromCharCode(...bytes.slice(at, at + 8)) === "original") {
        bytes[at] = "0".charCodeAt(0);
        damaged++;
      }
    }
    cluster.deliver({ ...envelope, message: { ...message, bytes } });
    return true;
  };
  cluster.runUntil("the damage is seen", () => cluster.evidence(3).length > 0);
  expect(damaged).toBe(1);
  expect(cluster.evidence(3)).toEqual(["forgedSnapshot"]);
  cluster.run(3000);
  expect(cluster.vms(3)).toHaveLength(25);
  expect(cluster.vms(3)).toEqual(cluster.vms(1));
});

test("a follower that crashes in the middle of a snapshot starts over", () => {
  const cluster = laggingCluster();
  cluster.heal();
  cluster.loses = ({ message }) => message.type === "snapshotChunk" && message.sequence >= 3;
  cluster.run(1000);
  cluster.crash(3);
  cluster.restart(3);
  cluster.loses = () => false;
  cluster.run(3000);
  expect(cluster.node(1)).toMatchObject({ role: "leader", term: 1 });
  expect(cluster.names(3)).toHaveLength(25);
});

test("installing a snapshot leaves vote and term alone", () => {
  const cluster = laggingCluster();
  const before = cluster.host(3).durable.hardState;
  expect(before).toMatchObject({ term: 1, votedFor: 1 });
  cluster.heal();
  cluster.run(3000);
  expect(cluster.node(3).snapshotIndex).toBe(20);
  expect(cluster.node(3)).toMatchObject({ term: 1, votedFor: 1 });
  expect(cluster.host(3).durable.hardState).toMatchObject({ term: 1, votedFor: 1 });
});

test("an installed snapshot is acknowledged only once it is durable", () => {
  const cluster = laggingCluster();
  cluster.heal();
  cluster.stallDisk(3);
  cluster.run(3000);
  expect(cluster.names(3).length).toBeGreaterThanOrEqual(19);
  const installed = ({ from, message }: Envelope): boolean =>
    from === 3 && message.type === "snapshotResponse" && message.outcome === "installed";
  expect(cluster.sent.some(installed)).toBe(false);
  cluster.crash(3);
  cluster.restart(3);
  expect(cluster.node(3).snapshotIndex).toBe(0);
  cluster.run(3000);
  expect(cluster.sent.some(installed)).toBe(true);
  expect(cluster.names(3)).toHaveLength(25);
});

test("a snapshot of a prefix of the own log leaves the tail where it is", () => {
  const cluster = new Cluster([1, 2, 3], OFTEN);
  cluster.elect(1);
  // Node 3 holds all entries and does not know that they are committed.
  cluster.loses = (envelope) => {
    const { to, message } = envelope;
    if (to !== 3 || message.type === "heartbeat") return to === 3;
    if (message.type !== "append" || message.commit === 0) return false;
    cluster.deliver({ ...envelope, message: { ...message, commit: 0 } });
    return true;
  };
  write(cluster, 0, 12);
  expect(cluster.node(3).commitIndex).toBe(1);
  const held = cluster.node(3).log.lastIndex;
  const { snapshot } = cluster.host(1).durable;
  expect(snapshot.meta.index).toBeGreaterThan(0);
  snapshot.chunks.forEach((bytes, sequence) => {
    cluster.deliver({
      from: 1,
      to: 3,
      message: {
        type: "snapshotChunk",
        ...cluster.header(1, 3, 1),
        meta: snapshot.meta,
        sequence,
        bytes,
        certificate: null,
      },
    });
  });
  cluster.sync(3);
  expect(cluster.node(3).snapshotIndex).toBe(snapshot.meta.index);
  expect(held).toBe(13);
  expect(cluster.node(3).log.lastIndex).toBe(held);
  expect(cluster.host(3).durable.entries.map(({ index }) => index)).toEqual(
    Array.from({ length: held - snapshot.meta.index }, (_, at) => snapshot.meta.index + 1 + at),
  );
});

test("purged leader stalls learner: a newcomer to an idle cluster whose log is compacted gets everything", () => {
  const cluster = new Cluster([1], { ...OFTEN, snapshotTrailingEntries: 0 });
  cluster.elect(1);
  write(cluster, 0, 19);
  cluster.run(500);
  expect(cluster.node(1).log.firstIndex).toBe(21);
  cluster.join(2, true);
  cluster.run(3000);
  expect(cluster.names(2)).toHaveLength(19);
  expect(cluster.node(1).configuration.voters).toEqual([1, 2]);
});

test("a joined node that is sent a snapshot from before its time still knows who belongs", () => {
  const cluster = new Cluster([1, 2, 3], { ...OFTEN, snapshotTrailingEntries: 0 });
  cluster.elect(1);
  write(cluster, 0, 19);
  cluster.join(4, true);
  cluster.run(2000);
  cluster.elect(4);
  const { index } = cluster.host(4).durable.snapshot.meta;
  cluster.join(5, true);
  const since = cluster.sent.length;
  cluster.run(2000);
  expect(cluster.host(4).durable.snapshot.meta.index).toBe(index);
  expect(chunksTo(cluster, 5, since).length).toBeGreaterThan(0);
  expect(cluster.sent.slice(since).some(({ message }) => message.type === "whoAreYou")).toBe(false);
  expect(cluster.node(4).configuration.voters).toEqual([1, 2, 3, 4, 5]);
  expect(cluster.names(5)).toHaveLength(19);
});
