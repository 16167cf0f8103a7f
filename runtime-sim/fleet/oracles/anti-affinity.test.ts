import { expect, test } from "vitest";
import { type AntiAffinity, vmSpec } from "../../../core/index.ts";
import { antiAffinity } from "./anti-affinity.ts";
import { FakeFleet } from "./testing/index.ts";

function member(rule: Partial<AntiAffinity> = {}) {
  return {
    spec: vmSpec({ antiAffinity: [{ group: "web", softWeight: null, maxPerDomain: 1, scope: "node", ...rule }] }),
  };
}

test("each on a host of its own, and again where one has left", () => {
  const fleet = new FakeFleet(antiAffinity);
  fleet.running("one", 1, member());
  fleet.running("two", 2, member());
  fleet.move("one", { state: "Pending", workerId: null });
  fleet.running("three", 1, member());
  expect(fleet.violations).toEqual([]);
  expect(fleet.checks).toBe(3);
});

test("planted: a second one on the same host", () => {
  const fleet = new FakeFleet(antiAffinity);
  fleet.running("one", 1, member());
  fleet.running("two", 1, member());
  expect(fleet.violations).toEqual([
    "VM two was placed in node 1 by entry 6, where one of web are and 1 may be in all",
  ]);
});

test("planted: a third one in the same rack", () => {
  const fleet = new FakeFleet(antiAffinity);
  const rule = member({ scope: "rack", maxPerDomain: 2 });
  fleet.running("one", 1, rule);
  fleet.running("two", 2, rule);
  expect(fleet.violations).toEqual([]);
  fleet.running("three", 1, rule);
  expect(fleet.violations).toHaveLength(1);
});

test("another run on the same host is no other placement, and soft rules forbid nothing", () => {
  const fleet = new FakeFleet(antiAffinity);
  fleet.running("one", 1, member());
  fleet.place("one", 1);
  fleet.running("two", 1, member({ softWeight: 5 }));
  expect(fleet.violations).toEqual([]);
});

test("those who come with a soft rule count for those who come later", () => {
  const fleet = new FakeFleet(antiAffinity);
  fleet.running("one", 1, member({ softWeight: 5 }));
  fleet.running("two", 1, member());
  expect(fleet.violations).toHaveLength(1);
});

test("who is deleted counts no more", () => {
  const fleet = new FakeFleet(antiAffinity);
  fleet.running("one", 1, member());
  fleet.remove("one");
  fleet.running("two", 1, member());
  expect(fleet.violations).toEqual([]);
});

test("planted: one that is placed is given a rule that does not hold there", () => {
  const fleet = new FakeFleet(antiAffinity);
  fleet.running("one", 1, member());
  fleet.running("two", 1);
  fleet.update("two", member());
  expect(fleet.violations).toEqual([
    "VM two was changed in node 1 by entry 8, where one of web are and 1 may be in all",
  ]);
});

test("a rule that it has had all along is not judged again, and one that it gives up counts no more", () => {
  const fleet = new FakeFleet(antiAffinity);
  fleet.running("one", 1, member());
  fleet.running("two", 1, member());
  const before = fleet.violations.length;
  fleet.update("two", { spec: { ...fleet.vm("two").spec, vcpus: 7 } });
  expect(fleet.violations).toHaveLength(before);
  fleet.update("two", { spec: vmSpec() });
  fleet.update("one", { spec: vmSpec() });
  fleet.running("three", 1, member());
  expect(fleet.violations).toHaveLength(before);
});
