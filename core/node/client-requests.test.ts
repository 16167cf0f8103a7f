/** What all requests of clients share. What one kind does has tests beside its own file. */
import { expect, test } from "vitest";
import { Cluster } from "../testing/index.ts";

function ledCluster(options: ConstructorParameters<typeof Cluster>[1] = {}): Cluster {
  const cluster = new Cluster([1, 2, 3], options);
  cluster.elect(1);
  return cluster;
}

test("a request of any kind is turned away while as many wait as may, and taken again once one is answered", () => {
  const cluster = ledCluster({ maxPendingRequests: 2 });
  cluster.stallDisk(2);
  cluster.stallDisk(3);
  const waiting = [cluster.propose(1, "a"), cluster.propose(1, "b")];
  const more = [cluster.propose(1, "c"), cluster.read(1, "stale"), cluster.transfer(2)];
  expect(more.map((id) => cluster.answers.get(id))).toEqual(
    more.map(() => ({ kind: "refused", refusal: { kind: "tooManyPending", limit: 2 } })),
  );
  cluster.resumeDisk(2);
  cluster.settle();
  expect(waiting.map((id) => cluster.answer(id))).toEqual(["applied", "applied"]);
  expect(cluster.answer(cluster.read(1, "stale"))).toBe("read");
});

test("whoever has waited too long is told: a write may have happened, a read has not been served", () => {
  const cluster = ledCluster({ requestTimeoutMs: 1000 });
  // It stays a follower of node 1, which hears nothing of what it asks.
  cluster.loses = ({ message: { type } }) => type === "forward" || type === "readIndex";
  const write = cluster.propose(2, "a");
  const read = cluster.read(2);
  cluster.run(500);
  const later = cluster.propose(2, "b");
  cluster.run(499);
  expect([write, read, later].map((id) => cluster.answer(id))).toEqual([undefined, undefined, undefined]);
  cluster.run(1);
  expect([write, read, later].map((id) => cluster.answer(id))).toEqual(["outcomeUnknown", "readTimedOut", undefined]);
  cluster.run(500);
  expect(cluster.answer(later)).toBe("outcomeUnknown");
});

test("when another leads, those are told who asked the former leader and have nothing of it", () => {
  const cluster = ledCluster({ requestTimeoutMs: 1_000_000 });
  cluster.loses = ({ from, message: { type } }) =>
    from === 1 && (type === "forwardResponse" || type === "readIndexResponse");
  const stale = cluster.propose(3, "a");
  const read = cluster.read(3);
  cluster.settle();
  expect([stale, read].map((id) => cluster.answer(id))).toEqual([undefined, undefined]);
  cluster.elect(2);
  expect([stale, read].map((id) => cluster.answer(id))).toEqual(["outcomeUnknown", "noLeader"]);
});

test("a transfer whose client was told that it took too long is forgotten, although nobody else waits", () => {
  const cluster = ledCluster({ requestTimeoutMs: 500 });
  cluster.isolate(1);
  const transfer = cluster.transfer(2);
  cluster.run(5000);
  expect(cluster.node(1).role).not.toBe("leader");
  expect(cluster.answer(transfer)).toBe("outcomeUnknown");
  expect(cluster.node(1).capture().clients.transfer).toBeNull();
});
