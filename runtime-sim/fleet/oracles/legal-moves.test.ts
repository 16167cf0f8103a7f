import { expect, test } from "vitest";
import { isLegalMove, VM_STATES } from "../../../core/index.ts";
import { legalMoves } from "./legal-moves.ts";
import { FakeFleet } from "./testing/index.ts";

test("a life", () => {
  const fleet = new FakeFleet(legalMoves);
  fleet.running("web", 1);
  fleet.move("web", { state: "Stopping" });
  fleet.move("web", { state: "Stopped" });
  fleet.place("web", 1);
  fleet.move("web", { state: "Running" });
  fleet.move("web", { state: "Lost", workerId: null });
  fleet.place("web", 2);
  expect(fleet.violations).toEqual([]);
  expect(fleet.checks).toBe(8);
});

test("planted: a move that there is not", () => {
  const fleet = new FakeFleet(legalMoves);
  fleet.create("web");
  fleet.move("web", { state: "Running", workerId: 1, epoch: 9 });
  expect(fleet.violations).toEqual([
    "VM web went from Pending, which it was by entry 2, applied at event 2, 0.000000 s, to Running by entry 3",
  ]);
});

test("planted: an event is missing between two", () => {
  const fleet = new FakeFleet(legalMoves);
  fleet.running("web", 1);
  fleet.move("web", { state: "Failed" }, { from: "Starting" });
  expect(fleet.violations).toEqual([
    "VM web went from Starting to Failed by entry 5, but was Running by entry 4, applied at event 4, 0.000000 s",
  ]);
});

test("planted: a VM moves that was never created", () => {
  const fleet = new FakeFleet(legalMoves);
  fleet.put("web");
  fleet.place("web", 1);
  expect(fleet.violations).toEqual(["VM web went to Scheduled by entry 2, and had not been created"]);
});

test("planted: a run has the number of one before it", () => {
  const fleet = new FakeFleet(legalMoves);
  fleet.running("web", 1);
  fleet.move("web", { state: "Scheduled", epoch: 1 });
  expect(fleet.violations).toEqual([
    "VM web went from run 3 (by entry 4, applied at event 4, 0.000000 s) back to 1 by entry 5",
  ]);
});

test("planted: a VM goes elsewhere in the same run", () => {
  const fleet = new FakeFleet(legalMoves);
  fleet.running("web", 1);
  fleet.move("web", { state: "Scheduled", workerId: 2 });
  expect(fleet.violations).toEqual([
    "VM web went to worker 2 by entry 5 in the run 3 of before (by entry 4, applied at event 4, 0.000000 s)",
  ]);
});

test("planted: a VM runs nowhere", () => {
  const fleet = new FakeFleet(legalMoves);
  fleet.running("web", 1);
  fleet.move("web", { state: "Failed", workerId: null });
  expect(fleet.violations).toEqual(["VM web is Failed on worker null by entry 5"]);
});

test("the table has no fewer moves than the core's: what it refuses, the core refuses", () => {
  const fleet = new FakeFleet(legalMoves);
  for (const from of VM_STATES) {
    for (const to of VM_STATES) {
      if (from === to || isLegalMove(from, to)) continue;
      const name = `${from}-${to}`.toLowerCase();
      fleet.create(name);
      const before = fleet.violations.length;
      fleet.move(name, { state: to, workerId: to === "Pending" ? null : 1, epoch: 10_000 }, { from });
      expect(fleet.violations.length).toBe(before + 1);
    }
  }
});
