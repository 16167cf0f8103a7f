/** A run that feeds on itself is ended, and the violation tells by what. */
import { afterEach, expect, test, vi } from "vitest";
import { ByzantinePeer } from "../byzantine/index.ts";
import { scenario } from "../scenario/index.ts";
import { IDLE_OPERATOR } from "../workload/index.ts";
import { Run } from "./run.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

const lying = scenario({
  name: "lying",
  summary: "One member lies. The others must bear it.",
  nodes: [5, 5],
  durationMs: 30_000,
  operator: { ...IDLE_OPERATOR, transferEveryMs: [2000, 4000] },
  liar: { acts: ["forged-snapshot"], chance: [0.5, 0.5] },
});

test("a liar to whom each refusal is the occasion for the next lie", () => {
  vi.spyOn(ByzantinePeer.prototype, "ventures").mockReturnValue(true);
  const run = new Run(lying, { seed: 1 });
  let slices = 0;
  while (!run.advance(10_000)) slices += 1;
  const { violations, interrupted } = run.report();
  expect(interrupted).toBe(false);
  expect(violations).toMatchObject([{ oracle: "runaway" }]);
  const message = violations[0]?.message ?? "";
  expect(message).toMatch(/^more than 55000 events in one virtual second\nof the next 2000 events:\n/);
  expect(message).toMatch(/^\d+ % snapshotChunk from peer-\d-0 to node \d$/m);
  expect(message).toMatch(/^\d+ % snapshotResponse from peer-\d-0 to node \d$/m);
  expect(message).toMatch(/\nmeanwhile node \d told \d+ lies \(forged-snapshot\)$/);
  expect(slices).toBeLessThan(20);
});

test("the same liar, at its own pace, is none", () => {
  const run = new Run(lying, { seed: 1 });
  while (!run.advance(10_000));
  expect(run.report()).toMatchObject({ ok: true, violations: [] });
});
