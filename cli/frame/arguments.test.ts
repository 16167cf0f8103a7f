import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { durationArgument } from "../output/index.ts";
import { parseDurationMs, parseJobs, parseNodes, parseSeed, parseSeedRange, parseShard } from "./arguments.ts";

describe("seeds", () => {
  test("any safe integer from 0", () => {
    fc.assert(fc.property(fc.maxSafeNat(), (seed) => void expect(parseSeed(String(seed))).toBe(seed)));
    expect(parseSeed("9007199254740991")).toBe(Number.MAX_SAFE_INTEGER);
  });

  test.each(["", "-1", "1.5", "1e3", "0x10", "9007199254740992", "seven", " 7", "1_000"])("not %j", (text) => {
    expect(() => parseSeed(text)).toThrow("an integer from 0 to 9007199254740991");
  });
});

describe("ranges of seeds", () => {
  test("one seed, or both ends", () => {
    expect(parseSeedRange("7")).toEqual({ first: 7, last: 7 });
    expect(parseSeedRange("1..1000")).toEqual({ first: 1, last: 1000 });
    expect(parseSeedRange("5..5")).toEqual({ first: 5, last: 5 });
  });

  test.each(["", "..", "1..", "..5", "1...5", "1..2..3", "1-5", "-1..5", "1..x"])("not %j", (text) => {
    expect(() => parseSeedRange(text)).toThrow("a range such as 1..1000");
  });

  test("a range that ends before it begins is turned round", () => {
    expect(() => parseSeedRange("9..3")).toThrow("write 3..9");
  });
});

describe("durations", () => {
  test.each([
    ["250ms", 250],
    ["90s", 90_000],
    ["1.5s", 1500],
    ["10m", 600_000],
    ["2h", 7_200_000],
    ["1d", 86_400_000],
    ["365d", 365 * 86_400_000],
  ])("%s", (text, ms) => expect(parseDurationMs(text)).toBe(ms));

  test.each(["", "10", "10 m", "m", "-1s", "1M", "1e3s", "1h30m", "1w"])("not %j", (text) => {
    expect(() => parseDurationMs(text)).toThrow("such as 90s, 10m, 2h or 1d");
  });

  test.each(["0s", "0.1ms", "366d"])("%s is out of bounds", (text) => {
    expect(() => parseDurationMs(text)).toThrow("at least 1ms and at most 365d");
  });

  test("what a replay command says is read back as it was", () => {
    const duration = fc.integer({ min: 1, max: 365 * 86_400_000 });
    fc.assert(fc.property(duration, (ms) => void expect(parseDurationMs(durationArgument(ms))).toBe(ms)));
    expect([90_000, 600_000, 7_200_000, 86_400_000, 1500].map(durationArgument)).toEqual([
      "90s",
      "10m",
      "2h",
      "1d",
      "1500ms",
    ]);
  });
});

describe("shards", () => {
  test("a part of so many, counted from 1", () => {
    expect(parseShard("1/1")).toEqual({ index: 1, count: 1 });
    expect(parseShard("3/64")).toEqual({ index: 3, count: 64 });
  });

  test.each(["", "3", "0/64", "65/64", "3/0", "3/", "/64", "a/b", "1/2/3", "3 / 64"])("not %j", (text) => {
    expect(() => parseShard(text)).toThrow("PART/PARTS counted from 1");
  });
});

test("nodes and jobs have their bounds", () => {
  expect(["1", "7"].map(parseNodes)).toEqual([1, 7]);
  for (const text of ["0", "8", "x"]) expect(() => parseNodes(text)).toThrow("from 1 to 7");
  expect(parseJobs("1024")).toBe(1024);
  for (const text of ["0", "1025"]) expect(() => parseJobs(text)).toThrow("from 1 to 1024");
});
