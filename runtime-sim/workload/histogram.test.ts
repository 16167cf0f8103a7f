import { describe, expect, test } from "vitest";
import { Histogram } from "./histogram.ts";

describe("histogram", () => {
  test("of nothing", () => {
    expect(new Histogram().summary()).toEqual({ count: 0, p50Ms: 0, p99Ms: 0, maxMs: 0 });
  });

  test("percentiles are right to 3 %", () => {
    const histogram = new Histogram();
    for (let us = 1; us <= 100_000; us += 1) histogram.add(us);
    const { count, p50Ms, p99Ms, maxMs } = histogram.summary();
    expect(count).toBe(100_000);
    expect(Math.abs(p50Ms - 50) / 50).toBeLessThan(0.033);
    expect(Math.abs(p99Ms - 99) / 99).toBeLessThan(0.033);
    expect(maxMs).toBe(100);
  });

  test.each([0, 1, 31, 32, 63, 64, 65, 1000, 123_456_789, 2 ** 31, 2 ** 40])("%d µs alone", (us) => {
    const histogram = new Histogram();
    histogram.add(us);
    const { p50Ms, maxMs } = histogram.summary();
    expect(maxMs).toBe(us / 1000);
    expect(p50Ms).toBeLessThanOrEqual(maxMs);
    if (us < 2 ** 31) expect(p50Ms).toBe(maxMs);
  });
});
