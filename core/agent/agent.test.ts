/**
 * One host's agent, between a host and a leader that the test plays: its lease, its assignment, and its end. The parts
 * of an agent have tests of their own.
 */
import { describe, expect, test } from "vitest";
import { AgentHarness, wantedTask as task, wantedVm as vm } from "../testing/index.ts";
import { LEASE_TTL_MS } from "./lease.ts";
import { running, settled, told } from "./testing/index.ts";
import type { Machine } from "./types.ts";

describe("leases", () => {
  test("nothing is begun before the cluster has answered", () => {
    const harness = new AgentHarness();
    harness.machines.set("old", { name: "old", epoch: 1, phase: "running", reason: "" });
    for (let n = 0; n < 5; n++) {
      harness.look();
      harness.nowMs += 1000;
      harness.step({ kind: "wake" });
    }
    expect(harness.acts).toEqual([]);
    expect(harness.agent.holdsLease).toBe(false);
  });

  test("the switch is set before anything is begun, to when the report was sent plus the lease", () => {
    const harness = new AgentHarness();
    harness.look();
    const { sentAtMs } = harness.lastSent;
    harness.wants([vm("web", 5, "run")]);
    harness.nowMs += 700;
    harness.grant();
    expect(harness.acts.map(({ kind }) => kind)).toEqual(["fenceAt", "build"]);
    expect(harness.acts[0]).toEqual({ kind: "fenceAt", atMs: sentAtMs + LEASE_TTL_MS });
    expect(harness.agent.leaseUntilMs).toBe(sentAtMs + LEASE_TTL_MS);
  });

  test("when the lease runs out nothing more is begun or ended, until there is another", () => {
    const harness = running();
    harness.nowMs += LEASE_TTL_MS;
    harness.wants([vm("web", 6, "run"), vm("db", 7, "run")]);
    harness.look();
    harness.put("web", 5, "failed", "fenced");
    harness.look();
    expect(harness.agent.holdsLease).toBe(false);
    expect(harness.takeActs()).toEqual([]);
    harness.pass(2000);
    expect(harness.takeActs()).toEqual(["build web/6", "build db/7"]);
  });

  test("an answer that leaves hardly any lease begins nothing, and is not reported as acted by", () => {
    const harness = settled();
    harness.nowMs += 1000;
    harness.step({ kind: "wake" });
    harness.wants([vm("web", 5, "run")], [task("job", 1)]);
    const sent = harness.lastSent;
    const before = sent.report.assignedIndex;
    // The process stood still meanwhile.
    harness.nowMs += LEASE_TTL_MS - 100;
    harness.deliver(sent, harness.directiveFor(sent));
    expect(harness.takeActs()).toEqual([]);
    harness.nowMs += 1000;
    harness.step({ kind: "wake" });
    expect(harness.lastSent.report.assignedIndex).toBe(before);
    harness.grant();
    expect(harness.takeActs()).toEqual(["build web/5", "runJob job/1"]);
  });

  test("a lease that is granted for an older report does not shorten the one it has", () => {
    const harness = settled();
    const untilMs = harness.agent.leaseUntilMs;
    harness.nowMs += 1000;
    harness.step({ kind: "wake" });
    harness.grant({ leaseTtlMs: 100 });
    expect(harness.agent.leaseUntilMs).toBe(untilMs);
    expect(harness.acts.filter(({ kind }) => kind === "fenceAt")).toHaveLength(1);
  });
});

test("an assignment that is older than the one it has is not taken", () => {
  const harness = running();
  const older = { index: 1, vms: [], tasks: [] };
  harness.nowMs += 1000;
  harness.step({ kind: "wake" });
  harness.grant({ assignment: older });
  harness.pass(5000);
  expect(harness.takeActs()).toEqual([]);
  expect(harness.machines.get("web")?.phase).toBe("running");
});

test("an agent that has not seen its host says nothing", () => {
  const harness = new AgentHarness();
  harness.step({ kind: "wake" });
  expect(harness.sent).toEqual([]);
  const machine: Machine = { name: "web", epoch: 1, phase: "running", reason: "" };
  harness.machines.set("web", machine);
  harness.look();
  expect(told(harness)).toEqual(["web/1 running"]);
});

describe("a worker that was removed", () => {
  function removed(harness: AgentHarness): void {
    const { workerId, bootId, sequence } = harness.lastSent.report;
    harness.deliver(harness.lastSent, { kind: "removed", workerId, bootId, sequence });
  }

  test("ends whatever is there, lease or none, says nothing more, and has ended when all has gone", () => {
    const harness = new AgentHarness();
    harness.put("orphan", 3, "running");
    harness.put("disk", 4, "stopped");
    harness.jobs = [{ id: "job", attempt: 1, phase: "running", exitCode: 0, output: "" }];
    harness.look();
    const reports = harness.sent.length;
    removed(harness);
    expect(harness.agent.holdsLease).toBe(false);
    expect(harness.takeActs()).toEqual(["delete disk/4", "stop orphan/3", "endJob job/1"]);
    harness.look();
    expect(harness.takeActs()).toEqual(["forgetJob job/1"]);
    harness.finish();
    harness.look();
    expect(harness.takeActs()).toEqual(["delete orphan/3"]);
    expect(harness.hasEnded).toBe(false);
    harness.look();
    expect(harness.hasEnded).toBe(true);
    harness.pass(60_000);
    expect(harness.sent).toHaveLength(reports);
    expect(harness.takeActs()).toEqual([]);
  });

  test("hears it from the network as well, and asks a machine that does not stop again and again", () => {
    const harness = running();
    harness.obeys = false;
    harness.step({ kind: "removed" });
    expect(harness.takeActs()).toEqual(["stop web/5"]);
    const untilMs = harness.nowMs + 60_000;
    for (let wakes = 0; wakes < 20 && harness.nowMs < untilMs; wakes++) {
      harness.nowMs = Math.min(untilMs, Math.max(harness.nowMs, harness.wakeAtMs));
      harness.wakeAtMs = Number.POSITIVE_INFINITY;
      harness.step({ kind: "wake" });
    }
    expect(harness.takeActs()).toEqual(["stop web/5", "stop web/5", "stop web/5"]);
    expect(harness.hasEnded).toBe(false);
    harness.machines.clear();
    harness.look();
    expect(harness.hasEnded).toBe(true);
  });

  test("begins nothing that it had been told to run, and believes no later answer", () => {
    const harness = settled();
    harness.nowMs += 1000;
    harness.step({ kind: "wake" });
    const { lastSent } = harness;
    harness.wants([vm("web", 5, "run")], [task("job", 1)]);
    harness.step({ kind: "removed" });
    harness.deliver(lastSent, harness.directiveFor(lastSent));
    harness.look();
    expect(harness.takeActs()).toEqual([]);
    expect(harness.hasEnded).toBe(true);
  });
});
