import { expect, test } from "vitest";
import { HostClock } from "../hardware/index.ts";
import { keptToBound } from "./clock-bound.ts";

function clock(rate: number): HostClock {
  return new HostClock({ wallAtZeroMs: 0, monotonicAtZeroMs: 0, rate });
}

test("clocks at slightly different rates keep to the bound", () => {
  expect(keptToBound([clock(0.98), clock(1), clock(1.02)], 0.05)).toBe(true);
  expect(keptToBound([clock(0.97), clock(1), clock(1.02)], 0.05)).toBe(false);
});

test("one that was too fast once has left it for good", () => {
  const [a, b] = [clock(1), clock(1)];
  b.setRate(1.06, 1000);
  b.setRate(1, 2000);
  expect(keptToBound([a, b], 0.05)).toBe(false);
});

test.each<[string, (clock: HostClock) => void, boolean]>([
  ["stood still", (host) => host.freeze(5000, 1000), false],
  ["jumped", (host) => host.jumpMonotonic(1), false],
  ["jumped by nothing", (host) => host.jumpMonotonic(0), true],
  ["had its wall clock set", (host) => host.jumpWall(3_600_000, 0), true],
  ["was rebooted", (host) => host.restart(7, 1000), true],
])("one that %s", (_, happen, keeps) => {
  const host = clock(1);
  happen(host);
  expect(keptToBound([clock(1), host], 0.05)).toBe(keeps);
});
