/** What of a report gets into the log, and what does not. */
import { expect, test } from "vitest";
import { machine, withWorkers } from "../testing/index.ts";

test("a process that finds its host changed says so, and is believed", () => {
  const harness = withWorkers(1);
  harness.report(1);
  const host = harness.host(1);
  host.facts = { ...host.facts, costPerHour: host.facts.costPerHour + 1 };
  host.isRegistered = false;
  harness.report(1);
  expect(harness.worker(1).costPerHour).toBe(host.facts.costPerHour);
});

test("a report costs the log nothing unless something has changed", () => {
  const harness = withWorkers(1);
  harness.create("web");
  harness.run(1);
  harness.takeProposed();
  for (let n = 0; n < 5; n++) {
    harness.pass(1000);
    harness.report(1);
  }
  // An agent that does not know yet that it is registered tells what its host is once more.
  harness.host(1).isRegistered = false;
  harness.report(1);
  expect(harness.takeProposed()).toEqual([]);
});

test.each(["building", "starting", "running"] as const)("a machine that was %s and is gone has failed", (phase) => {
  const harness = withWorkers(1);
  harness.create("web");
  harness.report(1);
  harness.shows(1, { machines: [machine("web", harness.vm("web").epoch, phase)] });
  harness.report(1);
  expect(harness.vm("web").state.toLowerCase()).toBe(phase);
  harness.shows(1, { machines: [] });
  harness.report(1);
  expect(harness.vm("web").state).toBe("Failed");
});
