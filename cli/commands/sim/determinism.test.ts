import { expect, test } from "vitest";
import type { TraceEvent } from "../../../runtime-sim/index.ts";
import { checkedAgain, comparedTraces } from "./determinism.ts";
import { finishAtOnce } from "./execute.ts";
import type { RunRequest } from "./request.ts";

function wake(event: number, node: number): TraceEvent {
  return { event, atMs: event * 10, kind: "wake", node };
}

test("equal traces", () => {
  expect(comparedTraces([[], []])).toBeNull();
  expect(comparedTraces([[wake(1, 1)], [wake(1, 1)]])).toBeNull();
});

test("the first event that is not the same, on both sides", () => {
  const difference = comparedTraces([
    [wake(1, 1), wake(2, 1), wake(3, 1)],
    [wake(1, 1), wake(2, 2), wake(3, 3)],
  ]);
  expect(difference).toEqual({
    event: 2,
    atMs: 20,
    message:
      "the first event that differs, at 0.020 s:\n" +
      'first   {"event":2,"atMs":20,"kind":"wake","node":1}\n' +
      'second  {"event":2,"atMs":20,"kind":"wake","node":2}',
  });
});

test("a run that ends sooner differs where it ends", () => {
  expect(comparedTraces([[wake(1, 1)], []])?.message).toContain("second  nothing: the run is over");
});

test("a run whose hash is another the second time is violated, and the command asks for both", async () => {
  const request: RunRequest = { scenario: "calm", seed: 3, nodes: null, durationMs: 2000, faultsPath: null };
  const record = finishAtOnce(request, {}, 60_000, Number.POSITIVE_INFINITY);
  const { signal } = new AbortController();
  const again = (first: typeof record) => checkedAgain(first, request, null, signal, 60_000, () => {});
  expect(await again(record)).toBe(record);

  const changed = { ...record, report: { ...record.report, traceHash: "0123456789abcdef" } };
  const { ok, violations } = (await again(changed)).report;
  expect(ok).toBe(false);
  expect(violations).toMatchObject([
    {
      oracle: "determinism",
      message: expect.stringContaining(`trace hash 0123456789abcdef at first, ${record.report.traceHash} the second`),
      replay: "npm run sim -- --seed 3 --duration 2s calm --check-determinism",
    },
  ]);
});
