/** How an agent gets to know what its VMs and tasks are made of. */
import { describe, expect, test } from "vitest";
import { type AgentHarness, wantedTask as task, wantedVm as vm } from "../testing/index.ts";
import { HOST_LIMITS } from "./protocol.ts";
import { running, settled, told } from "./testing/index.ts";

describe("how it is done", () => {
  /** Told to run both, and not how. */
  function ignorant(): AgentHarness {
    const harness = settled();
    harness.wants([vm("web", 5, "run")], [task("job", 1)]);
    harness.nowMs += 1000;
    harness.step({ kind: "wake" });
    harness.grant({ details: { vms: [], tasks: [] } });
    return harness;
  }

  test("what it does not know it asks for, soon, and begins it then", () => {
    const harness = ignorant();
    expect(harness.takeActs()).toEqual([]);
    harness.nowMs += 50;
    harness.step({ kind: "wake" });
    expect(harness.lastSent.report.lacks).toEqual({ vms: ["web"], tasks: ["job"] });
    // It has been told of the job, and has not refused it.
    expect(told(harness)).toEqual(["job/1 running"]);
    harness.grant();
    expect(harness.takeActs()).toEqual(["build web/5", "runJob job/1"]);
    harness.nowMs += 200;
    harness.step({ kind: "wake" });
    expect(harness.lastSent.report.lacks).toEqual({ vms: [], tasks: [] });
  });

  test("of another generation, or of another VM of that name, nothing is built", () => {
    for (const fields of [{ generation: 1 }, { generation: 3 }, { createdIndex: 9 }]) {
      const harness = settled();
      const wanted = { ...vm("web", 5, "run"), createdIndex: 3, generation: 2 };
      harness.wants([wanted]);
      harness.nowMs += 1000;
      harness.step({ kind: "wake" });
      harness.grant({ details: { vms: [{ ...wanted, ...fields }], tasks: [] } });
      expect(harness.takeActs()).toEqual([]);
      harness.nowMs += 50;
      harness.step({ kind: "wake" });
      expect(harness.lastSent.report.lacks.vms).toEqual(["web"]);
    }
  });

  test("what it asks for fits into one directive, and the rest comes after", () => {
    const harness = settled();
    const all = Array.from({ length: 100 }, (_, n) => vm(`vm-${n}`, 5, "run"));
    harness.wants(all);
    harness.details = { vms: [], tasks: [] };
    harness.pass(1100);
    expect(harness.lastSent.report.lacks.vms).toHaveLength(HOST_LIMITS.vmDetails);
    for (let n = 0; n < 10 && harness.machines.size < 100; n++) {
      const { lacks } = harness.lastSent.report;
      harness.details = { vms: all.filter(({ name }) => lacks.vms.includes(name)), tasks: [] };
      harness.pass(60);
    }
    expect(harness.machines.size).toBe(100);
  });

  test("a spec that has changed is asked for, and the machine that runs goes on", () => {
    const harness = running();
    harness.wants([{ ...vm("web", 5, "run"), generation: 2 }]);
    harness.details = { vms: [], tasks: [] };
    harness.pass(1100);
    expect(harness.lastSent.report.lacks.vms).toEqual(["web"]);
    expect(harness.takeActs()).toEqual([]);
  });
});
