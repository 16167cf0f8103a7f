import { pino } from "pino";
import { expect, test } from "vitest";
import { DEFAULT_RAFT_OPTIONS, type Effect, Node } from "../../core/index.ts";
import type { CallContext } from "./call-context.ts";
import { clusterHandlers } from "./cluster-handlers.ts";

const runtime = {
  peerId: "peer-1",
  randomUint32: () => 7,
  sign: () => "signature",
  verify: () => true,
  digest: (bytes: Uint8Array) => `${bytes.length} bytes`,
};

/** The only voter of its cluster, once it leads. */
function leader(): Node {
  const genesis = Node.genesis("test", 1, [{ id: 1, peerId: "peer-1" }]);
  const node = new Node(1, DEFAULT_RAFT_OPTIONS, runtime, genesis, { nowMs: 0, wallMs: 0 });
  node.start();
  const stamp = { nowMs: 60_000, wallMs: 60_000 };
  let effects: readonly Effect[] = node.step({ kind: "wake", ...stamp });
  while (node.role !== "leader")
    effects = effects.flatMap((effect) =>
      effect.kind === "write" ? node.step({ kind: "written", writeId: effect.write.id, ...stamp }) : [],
    );
  return node;
}

test("whose transfer of leadership has an unknown outcome is told where to look, and not that it failed", async () => {
  const { "cluster.transferLeader": transferLeader } = clusterHandlers({
    node: leader(),
    clusterId: "test",
    incarnation: 1,
    version: "test",
    addresses: [],
    peerId: "peer-1",
    request: () => Promise.resolve({ kind: "refused", refusal: { kind: "outcomeUnknown" } }),
    peerStatus: () => [],
    callMember: () => Promise.reject(new Error("there is no other member")),
    uptimeMs: () => 0,
    eventLoopDelayP99Ms: () => 0,
    nowMs: () => 0,
  });
  const context: CallContext = {
    requestId: "test",
    caller: { kind: "local" },
    log: pino({ level: "silent" }),
    signal: new AbortController().signal,
  };
  await expect(transferLeader({ to: 2 }, context)).rejects.toMatchObject({
    code: "outcomeUnknown",
    message: expect.stringContaining("node 2 was told to take over"),
    hint: expect.stringContaining("blixard cluster status"),
  });
});
