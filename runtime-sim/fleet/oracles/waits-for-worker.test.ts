import { expect, test } from "vitest";
import { vmSpec } from "../../../core/index.ts";
import { FakeFleet } from "./testing/index.ts";
import { waitsForWorker } from "./waits-for-worker.ts";

function fleetWithLost(onWorkerLost: "wait" | "restart"): FakeFleet {
  const fleet = new FakeFleet(waitsForWorker);
  fleet.running("web", 1, { spec: vmSpec({ onWorkerLost }) });
  fleet.lose(1);
  return fleet;
}

test("it is lost with its worker, and keeps its place", () => {
  const fleet = fleetWithLost("wait");
  fleet.move("web", { state: "Lost" });
  expect(fleet.violations).toEqual([]);
  expect(fleet.checks).toBe(1);
});

test("planted: it moves on, or is forgotten", () => {
  const moved = fleetWithLost("wait");
  moved.move("web", { state: "Lost", workerId: null });
  const deleted = fleetWithLost("wait");
  deleted.remove("web");
  expect([...moved.violations, ...deleted.violations]).toEqual([
    "VM web leaves worker 1 by entry 6, which is lost since event 6, 0.000000 s and to be waited for",
    "VM web leaves worker 1 by entry 6, which is lost since event 6, 0.000000 s and to be waited for",
  ]);
});

test("whoever need not wait may move on, and whoever waits when an operator says that the host is dead", () => {
  const free = fleetWithLost("restart");
  free.move("web", { state: "Lost", workerId: null });
  const confirmed = fleetWithLost("wait");
  const command = { kind: "confirmWorkerDead", workerId: 1 } as const;
  confirmed.move("web", { state: "Lost", workerId: null }, { command });
  expect([...free.violations, ...confirmed.violations]).toEqual([]);
});
