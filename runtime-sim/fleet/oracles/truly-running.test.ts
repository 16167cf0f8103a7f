import { expect, test } from "vitest";
import { FakeFleet } from "./testing/index.ts";
import { trulyRunning } from "./truly-running.ts";

function fleetWithPlaced(): FakeFleet {
  const fleet = new FakeFleet(trulyRunning);
  fleet.create("web");
  fleet.place("web", 1);
  return fleet;
}

test("it runs, and is said to", () => {
  const fleet = fleetWithPlaced();
  fleet.worker(1).run("web");
  fleet.move("web", { state: "Running" });
  expect(fleet.violations).toEqual([]);
  expect(fleet.checks).toBe(1);
});

test("planted: its run has executed on another worker, which the message names", () => {
  const fleet = fleetWithPlaced();
  fleet.worker(2).run("web");
  fleet.move("web", { state: "Running" });
  expect(fleet.violations).toEqual([
    expect.stringMatching(/run \d+ has never executed on worker 1: it began on worker 2 at event \d+, 0\.000000 s$/),
  ]);
});

test("planted: what is seen of the run before counts for the next", () => {
  const fleet = fleetWithPlaced();
  fleet.worker(1).run("web");
  fleet.place("web", 1);
  fleet.move("web", { state: "Running" });
  expect(fleet.violations).toEqual(["VM web is Running by entry 5, and run 4 has never executed on worker 1"]);
});

test("planted: what another worker has seen counts", () => {
  const fleet = fleetWithPlaced();
  fleet.worker(2).run("web");
  fleet.move("web", { state: "Running" });
  expect(fleet.violations).toHaveLength(1);
});

test("a host that has shown what is not so proves nothing", () => {
  const fleet = fleetWithPlaced();
  fleet.worker(1).hasMisreported = true;
  fleet.move("web", { state: "Running" });
  expect(fleet.checks).toBe(0);
});
