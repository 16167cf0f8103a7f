import { expect, test } from "vitest";
import { isSame } from "./same.ts";

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
