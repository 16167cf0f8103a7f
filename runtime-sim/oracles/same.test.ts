import { expect, test } from "vitest";
import type { ApplyResult } from "../../core/index.ts";
import { isSame, isSameResult } from "./same.ts";

test("equal and unequal values of every kind", () => {
  const values: readonly unknown[] = [
    null,
    undefined,
    0,
    1,
    "",
    "a",
    [],
    [1],
    [1, 2],
    new Uint8Array([1]),
    new Uint8Array([2]),
    {},
    { a: 1 },
    { a: 2 },
    { b: 1 },
    { a: 1, b: [{ c: 1 }] },
    { a: 1, b: [{ c: 2 }] },
    { a: undefined },
    new Map([["a", 1]]),
    new Map([["a", 2]]),
    new Map(),
  ];
  values.forEach((left, row) => {
    values.forEach((right, column) => {
      expect(isSame(left, right)).toBe(row === column);
    });
    expect(isSame(left, structuredClone(left))).toBe(true);
  });
  expect(isSame({ a: 1, b: 2 }, { b: 2, a: 1 })).toBe(true);
});

test("results are compared as any values are", () => {
  const results: readonly (ApplyResult | null)[] = [
    null,
    { ok: true, kind: "vmCreated", generation: 1 },
    { ok: true, kind: "vmUpdated", generation: 1 },
    { ok: true, kind: "vmUpdated", generation: 2 },
    { ok: true, kind: "sessionOpened", sessionId: 1 },
    { ok: true, kind: "sessionOpened", sessionId: 2 },
    { ok: false, refusal: { kind: "vmExists" } },
    { ok: false, refusal: { kind: "vmNotFound" } },
    { ok: false, refusal: { kind: "generationMismatch", expected: 1, actual: 2 } },
    { ok: false, refusal: { kind: "generationMismatch", expected: 1, actual: 3 } },
  ];
  results.forEach((left, row) => {
    results.forEach((right, column) => {
      expect(isSameResult(left, structuredClone(right))).toBe(row === column);
    });
  });
});
