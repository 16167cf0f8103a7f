import { expect, test } from "vitest";
import { onePlace } from "./one-place.ts";
import { FakeFleet } from "./testing/index.ts";

test("one after the other is one place at a time", () => {
  const fleet = new FakeFleet(onePlace);
  fleet.running("web", 1);
  fleet.worker(1).end("web");
  fleet.place("web", 2);
  fleet.worker(2).run("web");
  expect(fleet.violations).toEqual([]);
  expect(fleet.checks).toBe(2);
});

test("planted: the next host starts before the first has ended", () => {
  const fleet = new FakeFleet(onePlace);
  fleet.running("web", 1);
  fleet.place("web", 2);
  fleet.worker(2).run("web");
  expect(fleet.violations).toEqual([
    "VM web executes in two places at once: run 3 on worker 1 since event 5, 0.000000 s, and run " +
      "5 on worker 2 since event 7, 0.000000 s; the cluster has placed it on worker 2 in run 5",
  ]);
});

test("a machine that a fault put there is nobody's", () => {
  const fleet = new FakeFleet(onePlace);
  fleet.running("web", 1);
  fleet.worker(2).runOrphan("web", 1);
  fleet.worker(2).end("web");
  expect(fleet.violations).toEqual([]);
});

test("where clocks lie it is counted", () => {
  const fleet = new FakeFleet(onePlace, { clocksLie: true });
  fleet.running("web", 1);
  fleet.worker(2).run("web");
  expect(fleet.violations).toEqual([]);
  expect(fleet.audit.shown).toEqual({ "one-place": 1 });
});
