import { expect, test } from "vitest";
import type { Effect, Node } from "../../core/index.ts";
import { clusterHandlers } from "./cluster-handlers.ts";
import { callOf, onlyMember, served } from "./testing/index.ts";

/** The only voter of its cluster, once it leads. */
function leader(): Node {
  const node = onlyMember();
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
  const { "cluster.transferLeader": transferLeader } = clusterHandlers(
    served(leader(), () => Promise.resolve({ kind: "refused", refusal: { kind: "outcomeUnknown" } })),
  );
  await expect(transferLeader({ to: 2 }, callOf())).rejects.toMatchObject({
    code: "outcomeUnknown",
    message: expect.stringContaining("node 2 was told to take over"),
    hint: expect.stringContaining("blixard cluster status"),
  });
});
