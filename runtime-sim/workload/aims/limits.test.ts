import { expect, test } from "vitest";
import { CLUSTER_LIMITS, encodeRequest, InvalidCommand } from "../../../core/index.ts";
import { Streams } from "../../random/index.ts";
import { Belief } from "../belief.ts";
import type { Draft } from "./aim.ts";
import { edgesOf, limitAims } from "./limits.ts";

function draft(requestBytesMax: number, seed = 1): Draft {
  let values = 0;
  return {
    rng: new Streams(seed).stream("test"),
    belief: new Belief(),
    names: ["vm-1", "vm-2"],
    nowMs: 0,
    requestBytesMax,
    next: () => ++values,
  };
}

test("the core takes what stands at each limit, and refuses what is one beyond it", () => {
  const edges = edgesOf(draft(16_384));
  expect(edges.length).toBeGreaterThan(15);
  for (const [within, beyond] of edges) {
    const text = JSON.stringify(within).slice(0, 200);
    expect(() => encodeRequest({ session: null, command: within }), text).not.toThrow();
    expect(() => encodeRequest({ session: null, command: beyond }), text).toThrow(InvalidCommand);
  }
});

/** Bytes of what is aimed at, without and with the most that a session and a name take. */
function sizes(outcome: string, requestBytesMax: number): readonly [number, number][] {
  const made = limitAims.filter((aim) => aim.outcome === outcome && aim.weight === 1);
  return made.flatMap((aim) => {
    const asked = aim.make(draft(requestBytesMax));
    if (asked?.kind !== "write") return [];
    const { command } = asked;
    const session = { id: 2 ** 40, sequence: 2 ** 40, lowestUnacknowledged: 2 ** 40 - 1 };
    const actor = "x".repeat(CLUSTER_LIMITS.actorLength);
    return [
      [encodeRequest({ session: null, command }).length, encodeRequest({ session, actor, command }).length] as const,
    ].map(([bare, wide]): [number, number] => [bare, wide]);
  });
}

test.each([2048, 5000, 16_384, CLUSTER_LIMITS.requestBytes, 2 ** 20])(
  "requests fill %i bytes in any session, and are too large without one",
  (max) => {
    const most = Math.min(max, CLUSTER_LIMITS.requestBytes);
    const [[, wide] = [0, 0]] = sizes("ok", max);
    expect(wide).toBeLessThanOrEqual(most);
    expect(wide).toBeGreaterThan(most - 100);
    for (const [bare] of sizes("requestTooLarge", max)) {
      expect(bare).toBeGreaterThan(max);
      expect(bare).toBeLessThan(max + 100);
    }
    expect(sizes("requestTooLarge", max).length).toBe(max < CLUSTER_LIMITS.requestBytes ? 1 : 0);
  },
);
