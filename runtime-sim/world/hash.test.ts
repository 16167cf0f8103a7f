import fc from "fast-check";
import { expect, test } from "vitest";
import { TraceHash } from "./hash.ts";

function hashOf(values: readonly number[]): string {
  const hash = new TraceHash();
  for (const value of values) hash.mix(value);
  return hash.hex();
}

test("differs for different sequences and only for those", () => {
  fc.assert(
    fc.property(fc.array(fc.maxSafeInteger()), fc.array(fc.maxSafeInteger()), (a, b) => {
      expect(hashOf(a) === hashOf(b)).toBe(a.length === b.length && a.every((value, i) => value === b[i]));
      expect(hashOf(a)).toBe(hashOf([...a]));
    }),
  );
});

test("tells neighbours, orders, lengths, and the two halves of large numbers apart", () => {
  const cases = [
    [],
    [0],
    [0, 0],
    [1],
    [-1],
    [1, 0],
    [0, 1],
    [5],
    [2 ** 32 + 5],
    [5, 1],
    [1, 5],
    [2 ** 53 - 1],
    [2 ** 52 - 1],
  ];
  cases.push([2 ** 32 - 1], [2 ** 31], [-(2 ** 31)], [2 ** 31, 2 ** 31], [-(2 ** 31), -(2 ** 31)], [0, 0, 0]);
  expect(new Set(cases.map(hashOf)).size).toBe(cases.length);
  // Bits at the top of consecutive numbers must not cancel out.
  const pairs = new Set<string>();
  for (let i = 0; i < 32; i += 1) for (let j = 0; j < 32; j += 1) pairs.add(hashOf([1 << i, 1 << j, 9]));
  expect(pairs.size).toBe(1024);
});

test("either half alone has no more collisions than chance allows", () => {
  const halves = [new Set<string>(), new Set<string>()];
  const count = 60_000;
  for (let i = 0; i < count; i += 1) {
    const hex = hashOf([i % 5, 1_000_000 + 37 * i, i >> 3]);
    halves[0]?.add(hex.slice(0, 8));
    halves[1]?.add(hex.slice(8));
  }
  // 0.42 expected.
  for (const half of halves) expect(count - half.size).toBeLessThan(5);
});

test("is the same on every machine, and reading it changes nothing", () => {
  const hash = new TraceHash();
  expect(hash.hex()).toMatch(/^[0-9a-f]{16}$/);
  for (const value of [1, 2, 3, 86_400_000_000, -7]) hash.mix(value);
  expect(hash.hex()).toBe("7bdb45344582d195");
  expect(hash.hex()).toBe(hash.hex());
  hash.mixText("elected");
  expect(hash.hex()).toBe("030d9913b7c2cd04");
});
