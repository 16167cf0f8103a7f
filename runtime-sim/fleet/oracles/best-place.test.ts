import { expect, test } from "vitest";
import { vmSpec } from "../../../core/index.ts";
import { bestPlace } from "./best-place.ts";
import { FakeFleet } from "./testing/index.ts";

/** A VM is to be placed on one of three workers, each used to another degree. */
function fleetToPlace(): FakeFleet {
  const fleet = new FakeFleet(bestPlace);
  for (const id of [1, 2, 3]) fleet.setWorker(id, { used: { vcpus: 2 * id, memoryMiB: 1024 * id, diskGiB: 10 * id } });
  fleet.running("there", 2, { spec: vmSpec({ vcpus: 6 }) });
  fleet.create("next", { spec: vmSpec({ vcpus: 3, priority: 900 }) });
  fleet.decidedBefore = fleet.state.appliedIndex;
  return fleet;
}

/** The least used one: the strategy of a new cluster prefers the most available worker. */
const BEST = 1;

function placedOn(workerId: number): FakeFleet {
  const fleet = fleetToPlace();
  fleet.place("next", workerId);
  return fleet;
}

test("planted: any worker but the best", () => {
  expect(placedOn(BEST).violations).toEqual([]);
  for (const other of [2, 3])
    expect(placedOn(other).violations).toEqual([
      `VM next goes to worker ${other} by entry 9, and worker ${BEST} is the best for it`,
    ]);
});

test("planted: others have to leave, and there is room elsewhere", () => {
  const fleet = fleetToPlace();
  fleet.preempt("next", 2, ["there"]);
  expect(fleet.violations).toEqual([`VM next has others leave by entry 9, and worker ${BEST} is the best for it`]);
});

test("planted: it is placed where nobody would take it", () => {
  const fleet = fleetToPlace();
  fleet.create("huge", { spec: vmSpec({ vcpus: 11 }) });
  fleet.decidedBefore = fleet.state.appliedIndex;
  fleet.place("huge", 1);
  expect(fleet.violations).toEqual(["VM huge goes to worker 1 by entry 10, and no worker would take it"]);
});

test("what the leader knew is not known, or it had promised room to others", () => {
  const unknown = fleetToPlace();
  unknown.decidedBefore = null;
  unknown.place("next", 3);
  unknown.place("there", 3);
  const promised = fleetToPlace();
  promised.place("there", 3);
  const { checks } = promised;
  promised.place("next", 3);
  expect([...unknown.violations, promised.checks - checks]).toEqual([0]);
});

test("others leave where no worker would take it", () => {
  const fleet = new FakeFleet(bestPlace);
  fleet.running("b", 2, { spec: vmSpec({ vcpus: 9 }) });
  for (const id of [1, 2, 3]) fleet.setWorker(id, { used: { vcpus: 9, memoryMiB: 0, diskGiB: 0 } });
  fleet.create("next", { spec: vmSpec({ vcpus: 3, priority: 900 }) });
  fleet.decidedBefore = fleet.state.appliedIndex;
  const { checks } = fleet;
  fleet.preempt("next", 2, ["b"]);
  expect(fleet.violations).toEqual([]);
  expect(fleet.checks).toBe(checks + 1);
});
