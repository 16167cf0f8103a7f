/** Proposals on their way from a follower's client to the leader and back, on a whole cluster. */
import { expect, test } from "vitest";
import { Cluster } from "../testing/index.ts";

function ledCluster(options: ConstructorParameters<typeof Cluster>[1] = {}): Cluster {
  const cluster = new Cluster([1, 2, 3], options);
  cluster.elect(1);
  return cluster;
}

test("a follower's client is answered when the follower itself has applied the command", () => {
  const cluster = ledCluster();
  const written = cluster.propose(3, "a");
  cluster.settle();
  expect(cluster.answer(written)).toBe("applied");
  expect(cluster.names(3)).toEqual(["a"]);
});

test("what was forwarded to a leader that is gone is answered as soon as that is known, not when the request times out", () => {
  const cluster = ledCluster({ requestTimeoutMs: 60_000 });
  cluster.isolate(1);
  const lost = cluster.propose(2, "lost");
  const read = cluster.request(2, { kind: "read", query: { kind: "getVm", name: "x" }, consistency: "linearizable" });
  cluster.run(200);
  expect([lost, read].map((id) => cluster.answer(id))).toEqual([undefined, undefined]);
  cluster.run(5000);
  expect([lost, read].map((id) => cluster.answer(id))).toEqual(["outcomeUnknown", "noLeader"]);
});

test("what the former leader is known to have appended is waited for", () => {
  const cluster = ledCluster({ requestTimeoutMs: 60_000 });
  const kept = cluster.propose(2, "kept");
  cluster.deliver(...cluster.take("forward"));
  cluster.deliver(...cluster.take("forwardResponse"));
  // Every follower has it, and no commit of it.
  cluster.deliver(...cluster.take("append"));
  cluster.isolate(1);
  cluster.run(5000);
  expect(cluster.answer(kept)).toBe("applied");
});

test("a duplicated forward is appended once", () => {
  const cluster = ledCluster();
  cluster.propose(2, "a");
  const forwards = cluster.take("forward");
  cluster.deliver(...forwards, ...forwards);
  cluster.settle();
  cluster.deliver(...forwards);
  cluster.settle();
  expect(cluster.terms(1)).toHaveLength(2);
});

test("a duplicate that arrives in another term of the same leader is not appended again", () => {
  const cluster = ledCluster();
  const created = cluster.propose(2, "a");
  const forwards = cluster.take("forward");
  cluster.deliver(...forwards);
  cluster.settle();
  expect(cluster.answer(created)).toBe("applied");
  const deleted = cluster.command(1, { kind: "deleteVm", name: "a", expectedGeneration: null });
  cluster.settle();
  expect(cluster.answer(deleted)).toBe("applied");
  cluster.crash(1);
  cluster.restart(1);
  cluster.elect(1);
  cluster.deliver(...forwards);
  cluster.run(500);
  expect(cluster.names(1)).toEqual([]);
});

test("a late answer to a former life is not taken for one to this", () => {
  const cluster = ledCluster();
  cluster.propose(2, "a");
  cluster.deliver(...cluster.take("forward"));
  const answers = cluster.take("forwardResponse");
  expect(answers).toHaveLength(1);
  cluster.crash(2);
  cluster.restart(2);
  cluster.run(300);
  const second = cluster.propose(2, "b");
  cluster.deliver(...answers);
  cluster.take("forward");
  cluster.settle();
  expect(cluster.answer(second)).toBeUndefined();
});

test("a forward that is lost ends as an unknown outcome", () => {
  const cluster = ledCluster();
  const written = cluster.propose(2, "a");
  cluster.take("forward");
  cluster.run(cluster.options.requestTimeoutMs + 100);
  expect(cluster.answer(written)).toBe("outcomeUnknown");
});

test("a member that forwards nonsense harms nobody: every replica refuses it alike", () => {
  const cluster = ledCluster();
  const message = {
    type: "forward" as const,
    ...cluster.header(2, 1, 1),
    requestId: 7,
    data: new Uint8Array([1, 2, 3]),
  };
  cluster.deliver({ from: 2, to: 1, message });
  cluster.settle();
  const written = cluster.propose(1, "a");
  cluster.settle();
  expect(cluster.answer(written)).toBe("applied");
  expect([1, 2, 3].map((id) => cluster.names(id))).toEqual([["a"], ["a"], ["a"]]);
});
