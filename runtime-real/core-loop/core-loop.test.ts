/** The loop around a stand-in for the core, which returns the effects that a test gives it. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { ClientAnswer, Effect, Input } from "../../core/index.ts";
import { CoreLoop, type LoopEnvironment } from "./core-loop.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const REFUSED: ClientAnswer = { kind: "refused", refusal: { kind: "noLeader" } };

function loopWith(
  effectsOf: (input: Input) => readonly Effect[],
  { first = [], environment = {} }: { first?: readonly Effect[]; environment?: Partial<LoopEnvironment> } = {},
) {
  const inputs: Input[] = [];
  const loop = new CoreLoop(
    {
      start: () => first,
      step: (input) => {
        inputs.push(input);
        return effectsOf(input);
      },
    },
    {
      send: () => undefined,
      write: () => undefined,
      nowMs: () => performance.now(),
      wallMs: () => 7,
      evidence: () => undefined,
      halted: () => undefined,
      stepped: () => undefined,
      ...environment,
    },
  );
  return { loop, inputs };
}

test("what happens becomes an input with the time of both clocks", () => {
  const { loop, inputs } = loopWith(() => [], { environment: { nowMs: () => 5 } });
  loop.written(3);
  loop.writeFailed(4, "disk full");
  expect(inputs).toEqual([
    { kind: "written", writeId: 3, nowMs: 5, wallMs: 7 },
    { kind: "writeFailed", writeId: 4, reason: "disk full", nowMs: 5, wallMs: 7 },
  ]);
});

test("a request resolves to the answer of its own id", async () => {
  const waiting: number[] = [];
  const { loop } = loopWith((input) => {
    if (input.kind === "request") waiting.push(input.requestId);
    if (input.kind !== "written") return [];
    return waiting.map((requestId) => ({ kind: "answer", requestId, answer: REFUSED }) as const);
  });
  const read = { kind: "read", query: { kind: "listNodes" }, consistency: "stale" } as const;
  const answers = Promise.all([loop.request(read), loop.request(read)]);
  expect(loop.pendingRequests).toBe(2);
  loop.written(1);
  expect(await answers).toEqual([REFUSED, REFUSED]);
  expect(loop.pendingRequests).toBe(0);
});

test("requests that are under way when the loop stops may have happened; later ones are refused", async () => {
  const { loop, inputs } = loopWith(() => []);
  const read = { kind: "read", query: { kind: "listNodes" }, consistency: "stale" } as const;
  const underWay = loop.request(read);
  loop.stop();
  expect(await underWay).toEqual({ kind: "refused", refusal: { kind: "outcomeUnknown" } });
  expect(await loop.request(read)).toEqual({ kind: "refused", refusal: { kind: "halted" } });
  loop.written(1);
  expect(inputs.map(({ kind }) => kind)).toEqual(["request"]);
});

test("the core is woken at the time that it has asked for last, and not after stop", () => {
  const atMs = performance.now();
  const { loop, inputs } = loopWith(() => [{ kind: "wakeAt", atMs: atMs + 1000 }], {
    first: [{ kind: "wakeAt", atMs: atMs + 50 }],
  });
  loop.start();
  vi.advanceTimersByTime(49);
  expect(inputs).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(inputs.map(({ kind }) => kind)).toEqual(["wake"]);
  vi.advanceTimersByTime(949);
  expect(inputs).toHaveLength(1);
  vi.advanceTimersByTime(1);
  expect(inputs).toHaveLength(2);
  loop.stop();
  vi.advanceTimersByTime(10_000);
  expect(inputs).toHaveLength(2);
});

test("a time that is further away than a timer can wait wakes the core early, which is harmless", () => {
  const { loop, inputs } = loopWith(() => [], { first: [{ kind: "wakeAt", atMs: performance.now() + 2 ** 40 }] });
  loop.start();
  vi.advanceTimersByTime(2 ** 31 - 2);
  expect(inputs).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(inputs.map(({ kind }) => kind)).toEqual(["wake"]);
});

test("a step is shown before its effects are carried out, so that a recording holds the step that halts", () => {
  const order: string[] = [];
  const { loop } = loopWith(() => [{ kind: "halt", reason: "broken", evidence: null }], {
    environment: {
      stepped: ({ kind }, effects) => void order.push(`${kind} ${effects.length}`),
      halted: (reason) => void order.push(reason),
    },
  });
  loop.written(1);
  expect(order).toEqual(["written 1", "broken"]);
});
