/**
 * Whether clocks have kept to the bound that leases rest on: no two of them ever ran at rates further apart, none ever
 * stood still, and no monotonic clock jumped. Looks at everything that ever was, so it errs on the side of no.
 */
import type { HostClock } from "../hardware/index.ts";

/** `bound`: the largest relative rate error of two clocks. */
export function keptToBound(clocks: readonly HostClock[], bound: number): boolean {
  let slowest = Infinity;
  let fastest = 0;
  for (const { slowestRate, fastestRate } of clocks) {
    slowest = Math.min(slowest, slowestRate);
    fastest = Math.max(fastest, fastestRate);
  }
  return fastest <= slowest * (1 + bound);
}
