import { expect, test } from "vitest";
import { OrchestratorHarness } from "../testing/index.ts";
import { PreemptibleVms } from "./preemptible-vms.ts";

test("a VM counts while it is placed, is to run, and may be preempted", () => {
  const harness = new OrchestratorHarness();
  harness.create("web", { priority: 5, preemptible: true });
  harness.create("safe", { priority: 1, preemptible: false });
  const preemptible = new PreemptibleVms();
  const look = () => {
    for (const name of ["web", "safe"]) preemptible.vmChanged(harness.vm(name));
    return preemptible.hasBelow(6);
  };
  expect(look()).toBe(false);
  harness.join(1);
  expect(look()).toBe(true);
  expect(preemptible.hasBelow(5)).toBe(false);
  harness.commit({ kind: "setVmDesired", name: "web", desired: "stopped" });
  expect(look()).toBe(false);
  harness.commit({ kind: "setVmDesired", name: "web", desired: "running" });
  harness.run(1);
  expect(look()).toBe(true);
  preemptible.vmGone("web");
  expect(preemptible.hasBelow(6)).toBe(false);
});
