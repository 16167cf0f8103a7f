/** A report holds whatever a host shows. */
import { describe, expect, test } from "vitest";
import { wantedTask as task, wantedVm as vm } from "../testing/index.ts";
import { HOST_LIMITS } from "./protocol.ts";
import { running, settled } from "./testing/index.ts";

describe("limits", () => {
  test("a host with too many machines for a report tells of those that are wanted, and ends the others bit by bit", () => {
    const harness = running();
    for (let n = 0; n < HOST_LIMITS.machines + 100; n++) harness.put(`a-${n}`, 1, "failed", "\u{1f4a5}".repeat(128));
    harness.pass(60_000);
    expect([...harness.machines.keys()]).toEqual(["web"]);
    expect(harness.agent.holdsLease).toBe(true);
    expect(
      harness.acts.filter((action) => "name" in action && action.name === "web" && action.kind === "stop"),
    ).toEqual([]);
  });

  test("output and reasons are cut to what the cluster takes, and no character is torn apart", () => {
    const harness = settled();
    harness.wants([vm("web", 5, "run")], [task("job", 1)]);
    harness.pass(1000);
    harness.put("web", 5, "failed", "\u{1f4a5}".repeat(1000));
    harness.jobs = [{ id: "job", attempt: 1, phase: "exited", exitCode: 1, output: `x${"\u{1f4a5}".repeat(5000)}y` }];
    harness.pass(1000);
    const inventory = harness.sent.findLast(({ report }) => report.inventory !== null)?.report.inventory;
    expect(inventory?.jobs[0]?.output).toHaveLength(4096);
    expect(inventory?.jobs[0]?.output.endsWith("y")).toBe(true);
    expect(inventory?.machines[0]?.reason).toHaveLength(256);
  });

  test("very many jobs with very much output fit into one report", () => {
    const harness = settled();
    harness.jobs = Array.from({ length: HOST_LIMITS.jobs + 10 }, (_, n) => {
      return { id: `job-${n}`, attempt: 1, phase: "exited", exitCode: 0, output: "\uffff".repeat(10_000) } as const;
    });
    harness.pass(30_000);
    expect(harness.jobs).toEqual([]);
  });

  test("a machine with a name that no VM can have is nobody's business", () => {
    const harness = settled();
    harness.put("Not_A-Label", 1, "running");
    harness.put("web", -1, "running");
    harness.pass(60_000);
    expect(harness.takeActs()).toEqual([]);
    expect(harness.agent.holdsLease).toBe(true);
  });
});
