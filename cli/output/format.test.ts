import { expect, test } from "vitest";
import { brief, count, duration, moment, plural } from "./format.ts";

test.each([
  [0, "0 ms"],
  [0.26, "0.3 ms"],
  [12.4, "12 ms"],
  [999, "999 ms"],
  [1234, "1.23 s"],
  [59_940, "59.9 s"],
  [60_000, "1 min 00 s"],
  [200_400, "3 min 20 s"],
  [3_599_999, "60 min 00 s"],
  [7_500_000, "2 h 05 min"],
  [90_000_000, "1 d 01 h"],
])("%d ms is %s", (ms, text) => expect(duration(ms)).toBe(text));

test("numbers are grouped alike everywhere, and as exact as is useful", () => {
  expect([0, 999, 1000, 1_234_567].map(count)).toEqual(["0", "999", "1,000", "1,234,567"]);
  expect([0.4213, 7.351, 12.34, 439.4, 12_345.6].map(brief)).toEqual(["0.42", "7.35", "12.3", "439", "12,346"]);
  expect(moment(12_345)).toBe("12.345 s");
  expect([plural(1, "run"), plural(2000, "run")]).toEqual(["1 run", "2,000 runs"]);
});
