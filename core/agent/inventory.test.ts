/** What of a host is told again, and what is not. */
import { expect, test } from "vitest";
import { running } from "./testing/index.ts";

test("what has not changed is not told again", () => {
  const harness = running();
  const before = harness.sent.length;
  harness.pass(5000);
  const later = harness.sent.slice(before);
  expect(later.length).toBeGreaterThan(3);
  expect(later.every(({ report }) => report.inventory === null && report.facts === null)).toBe(true);
});

test("a leader that has not heard of its machines is told of all", () => {
  const harness = running();
  harness.nowMs += 1000;
  harness.step({ kind: "wake" });
  harness.grant({ inventoryVersion: 0 });
  harness.nowMs += 1000;
  harness.step({ kind: "wake" });
  expect(harness.lastSent.report.inventory?.machines).toHaveLength(1);
});
