import { expect, test } from "vitest";
import { type HostAction, vmSpec } from "../../../core/index.ts";
import { begunOnce } from "./begun-once.ts";
import { FakeFleet } from "./testing/index.ts";

const start = (epoch: number): HostAction => ({ kind: "start", name: "web", epoch });

function fleetWithPlaced(): FakeFleet {
  const fleet = new FakeFleet(begunOnce);
  fleet.create("web");
  fleet.place("web", 1);
  return fleet;
}

test("each run begins once, and is asked for as often as anybody likes while it executes", () => {
  const fleet = fleetWithPlaced();
  fleet.audit.acted(fleet.worker(1), start(fleet.vm("web").epoch));
  fleet.worker(1).run("web");
  fleet.audit.acted(fleet.worker(1), start(fleet.vm("web").epoch));
  fleet.worker(1).end("web");
  fleet.place("web", 2);
  fleet.worker(2).run("web");
  expect(fleet.violations).toEqual([]);
  expect(fleet.checks).toBe(3);
});

test("planted: a machine that has ended is started again", () => {
  const fleet = fleetWithPlaced();
  fleet.worker(1).run("web");
  fleet.worker(1).end("web");
  fleet.worker(1).run("web");
  expect(fleet.violations).toEqual([
    "run 3 of VM web begins on worker 1 at event 6, 0.000000 s, and had begun on worker 1 at " + "event 4, 0.000000 s",
  ]);
});

test("planted: an agent asks for a run that is over, whatever its host makes of that", () => {
  const fleet = fleetWithPlaced();
  fleet.worker(1).run("web");
  fleet.worker(1).end("web");
  fleet.audit.acted(fleet.worker(1), start(3));
  fleet.audit.acted(fleet.worker(1), { kind: "build", name: "web", epoch: 3, spec: vmSpec(), interfaces: [] });
  expect(fleet.violations).toEqual([
    "worker 1 is told to start run 3 of VM web at event 5, 0.000000 s, which began on worker 1 " +
      "at event 4, 0.000000 s",
    "worker 1 is told to build run 3 of VM web at event 5, 0.000000 s, which began on worker 1 " +
      "at event 4, 0.000000 s",
  ]);
});

test("planted: two hosts are given one run", () => {
  const fleet = fleetWithPlaced();
  fleet.worker(1).run("web");
  fleet.audit.acted(fleet.worker(2), start(3));
  fleet.worker(2).run("web");
  expect(fleet.violations).toHaveLength(2);
});

test("a run of which nobody has told may begin again on its host, which has lost its power", () => {
  const fleet = fleetWithPlaced();
  fleet.worker(1).run("web");
  fleet.worker(1).reboot();
  fleet.audit.acted(fleet.worker(1), start(3));
  fleet.worker(1).run("web");
  expect(fleet.violations).toEqual([]);
});

test("planted: it had been told of before the power failed, or before the host was up again", () => {
  const before = fleetWithPlaced();
  before.worker(1).run("web");
  before.move("web", { state: "Starting" });
  before.worker(1).reboot();
  before.worker(1).run("web");
  const between = fleetWithPlaced();
  between.worker(1).run("web");
  between.worker(1).reboot();
  between.worker(1).isDown = true;
  between.move("web", { state: "Running" });
  between.worker(1).isDown = false;
  between.worker(1).run("web");
  expect([...before.violations, ...between.violations]).toHaveLength(2);
});

test("an agent that has asked before the cluster was told may have it begin", () => {
  const fleet = fleetWithPlaced();
  fleet.worker(1).run("web");
  fleet.worker(1).reboot();
  fleet.move("web", { state: "Starting" });
  fleet.worker(1).run("web");
  expect(fleet.violations).toEqual([]);
});
