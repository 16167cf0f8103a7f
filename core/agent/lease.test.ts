import fc from "fast-check";
import { expect, test } from "vitest";
import { FENCE_GRACE_MS, LEASE_TTL_MS, waitForLeaseMs } from "./lease.ts";

test("a host has ended everything when the leader has waited, whatever two clocks within the bound say", () => {
  const bound = fc.double({ min: 0, max: 0.49, noNaN: true });
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(bound, share, fc.nat(5000), (driftBound, drift, wayMs) => {
      // The host's clock is slow against the leader's, by as much as any two may differ.
      const hostRate = 1 / (1 + driftBound * drift);
      const hostEndsAtMs = (LEASE_TTL_MS + FENCE_GRACE_MS) / hostRate;
      // The report was on its way for a while before the leader heard it.
      expect(wayMs + waitForLeaseMs(driftBound)).toBeGreaterThan(hostEndsAtMs);
    }),
  );
});

test("with the default bound a VM of a lost host is placed anew in less than fifteen seconds", () => {
  expect(waitForLeaseMs(0.05)).toBeLessThan(15_000);
});
