/** What an agent does about the machines of its host. */
import { describe, expect, test } from "vitest";
import { type HealthCheck, vmSpec } from "../domain/index.ts";
import { type AgentHarness, wantedVm as vm } from "../testing/index.ts";
import { running, settled, told } from "./testing/index.ts";
import { BUILD_TIMEOUT_MS } from "./types.ts";

describe("machines", () => {
  test("a VM is built, started, and left alone", () => {
    const harness = settled();
    harness.wants([vm("web", 5, "run")]);
    harness.pass(1000);
    expect(harness.takeActs()).toEqual(["build web/5"]);
    harness.finish();
    harness.pass(1000);
    expect(harness.takeActs()).toEqual(["start web/5"]);
    harness.finish();
    harness.pass(600_000);
    expect(harness.takeActs()).toEqual([]);
    expect(told(harness)).toEqual(["web/5 running"]);
  });

  test("the next run begins when the one before has ended", () => {
    const harness = running();
    harness.wants([vm("web", 9, "run")]);
    harness.pass(1000);
    expect(harness.takeActs()).toEqual(["stop web/5"]);
    harness.finish();
    harness.pass(1000);
    expect(harness.takeActs()).toEqual(["build web/9"]);
  });

  test("a stopped VM keeps its machine, and a deleted one does not", () => {
    const harness = running();
    harness.wants([vm("web", 5, "stop")]);
    harness.pass(1000);
    harness.finish();
    harness.pass(60_000);
    expect(harness.takeActs()).toEqual(["stop web/5"]);
    harness.wants([vm("web", 5, "gone")]);
    harness.pass(1000);
    expect(harness.takeActs()).toEqual(["delete web/5"]);
    expect(told(harness)).toEqual([]);
  });

  test("a machine that was built and never started is none to keep when the VM is stopped", () => {
    const harness = settled();
    harness.wants([vm("web", 5, "run")]);
    harness.pass(1000);
    harness.finish();
    harness.wants([vm("web", 5, "stop")]);
    harness.nowMs += 1000;
    harness.step({ kind: "wake" });
    harness.grant();
    harness.look();
    // It was still being built when the agent looked last.
    expect(harness.takeActs()).toEqual(["build web/5", "stop web/5", "delete web/5"]);
  });

  test("one that has failed for no reason that its host gives is told with that", () => {
    const harness = running();
    harness.put("web", 5, "failed");
    harness.look();
    harness.pass(1000);
    expect(harness.sent.at(-1)?.report.inventory?.machines).toMatchObject([
      { phase: "failed", reason: "has failed, and its host gives no reason" },
    ]);
    harness.put("web", 5, "failed", "crashed");
    harness.look();
    harness.pass(1000);
    expect(harness.sent.at(-1)?.report.inventory?.machines).toMatchObject([{ reason: "crashed" }]);
  });

  test("what nobody wants is told first, and then ended once", () => {
    const harness = settled();
    harness.put("orphan", 3, "running");
    harness.look();
    expect(harness.takeActs()).toEqual([]);
    harness.nowMs += 1000;
    harness.step({ kind: "wake" });
    expect(told(harness)).toEqual(["orphan/3 running"]);
    // The leader has not heard of it when it answers.
    harness.grant({ inventoryVersion: 0 });
    expect(harness.takeActs()).toEqual([]);
    harness.pass(1000);
    expect(harness.takeActs()).toEqual(["stop orphan/3"]);
    harness.pass(5000);
    expect(harness.takeActs()).toEqual([]);
    harness.finish();
    harness.pass(1000);
    expect(harness.takeActs()).toEqual(["delete orphan/3"]);
  });

  test("a later run than the one that is wanted is nobody's, and goes before that is built", () => {
    const harness = settled();
    harness.put("web", 9, "running");
    harness.wants([vm("web", 5, "run")]);
    for (let n = 0; n < 6; n++) {
      harness.pass(1000);
      harness.finish();
    }
    expect(harness.takeActs()).toEqual(["stop web/9", "delete web/9", "build web/5", "start web/5"]);
    // And it is as any other: once gone, it is not made again.
    harness.machines.delete("web");
    harness.look();
    harness.pass(20_000);
    expect(harness.takeActs()).toEqual([]);
  });

  test("a machine that ignores a stop is asked again, after a while and not before", () => {
    const harness = running();
    harness.wants([vm("web", 5, "stop")]);
    harness.pass(1000);
    harness.pass(18_000);
    expect(harness.takeActs()).toEqual(["stop web/5"]);
    harness.pass(3000);
    expect(harness.takeActs()).toEqual(["stop web/5"]);
  });

  test("a build that does not end is ended, has failed, and leaves its disk to the next run", () => {
    const harness = settled();
    harness.wants([vm("web", 5, "run")]);
    harness.pass(BUILD_TIMEOUT_MS - 1000);
    expect(harness.takeActs()).toEqual(["build web/5"]);
    expect(told(harness)).toEqual(["web/5 building"]);
    harness.pass(3000);
    expect(harness.takeActs()).toEqual(["stop web/5"]);
    expect(told(harness)).toEqual(["web/5 failed"]);
    const reasons = harness.sent.flatMap(({ report }) => report.inventory?.machines.map(({ reason }) => reason) ?? []);
    expect(reasons).toContain("was not built in time");
    harness.wants([vm("web", 9, "run")]);
    harness.pass(1000);
    expect(harness.takeActs()).toEqual(["build web/9"]);
  });

  test("a build of which the host shows nothing has failed after that time, and is gone when it shall be", () => {
    const harness = settled();
    harness.obeys = false;
    harness.wants([vm("web", 5, "run")]);
    harness.pass(BUILD_TIMEOUT_MS + 20_000);
    expect(told(harness)).toEqual(["web/5 failed"]);
    const asked = harness.takeActs().length;
    harness.pass(60_000);
    expect(asked).toBeGreaterThan(100);
    expect(harness.takeActs()).toEqual([]);
    harness.wants([vm("web", 5, "gone")]);
    harness.pass(2000);
    expect(told(harness)).toEqual([]);
  });

  test("a host that goes on to build what it was told to end has failed all the same", () => {
    const harness = settled();
    harness.wants([vm("web", 5, "run")]);
    harness.pass(1000);
    harness.obeys = false;
    harness.pass(BUILD_TIMEOUT_MS);
    expect(told(harness)).toEqual(["web/5 failed"]);
    harness.finish();
    harness.pass(2000);
    // What is built too late is not started.
    expect(harness.takeActs().filter((act) => act.startsWith("start"))).toEqual([]);
    expect(told(harness)).toEqual(["web/5 failed"]);
  });

  test.each([
    ["two minutes", vmSpec(), 120_000],
    ["the time of its specification", vmSpec({ bootTimeoutMs: 600_000 }), 600_000],
  ])("a machine that hangs in its boot is ended after %s, and has failed", (_, spec, limitMs) => {
    const harness = settled();
    harness.wants([vm("web", 5, "run", false, spec)]);
    harness.pass(1000);
    harness.finish();
    harness.pass(1000);
    harness.takeActs();
    harness.pass(limitMs - 1000);
    expect(harness.takeActs()).toEqual([]);
    expect(told(harness)).toEqual(["web/5 starting"]);
    harness.pass(3000);
    expect(harness.takeActs()).toEqual(["stop web/5"]);
    expect(told(harness)).toEqual(["web/5 failed"]);
  });

  test("one that hung, and is to be stopped, is not said to have ended before it has", () => {
    const harness = settled();
    harness.wants([vm("web", 5, "run")]);
    harness.pass(1000);
    harness.finish();
    harness.pass(122_000);
    expect(told(harness)).toEqual(["web/5 failed"]);
    harness.wants([vm("web", 5, "stop")]);
    harness.pass(5000);
    expect(told(harness)).toEqual(["web/5 stopping"]);
    harness.finish();
    harness.pass(1000);
    expect(told(harness)).toEqual(["web/5 stopped"]);
  });

  test("a machine that was there and is gone is not built again: it has failed", () => {
    const harness = running();
    harness.machines.clear();
    harness.pass(60_000);
    expect(harness.takeActs()).toEqual([]);
    expect(told(harness)).toEqual(["web/5 failed"]);
    harness.wants([vm("web", 9, "run")]);
    harness.pass(1000);
    expect(harness.takeActs()).toEqual(["build web/9"]);
  });

  test("a process that finds nothing of a run that the cluster has seen does not build it: it is not there", () => {
    const harness = running();
    harness.machines.clear();
    harness.boot();
    harness.wants([vm("web", 5, "run", true)]);
    harness.pass(60_000);
    expect(harness.takeActs()).toEqual([]);
    expect(told(harness)).toEqual([]);
    expect(harness.lastSent.report.assignedIndex).toBe(harness.assignment.index);
  });

  test("nor does one that finds an earlier run in its place: the next run is built on that", () => {
    const harness = running();
    harness.machines.clear();
    harness.put("web", 3, "stopped");
    harness.boot();
    harness.wants([vm("web", 5, "run", true)]);
    harness.pass(60_000);
    expect(harness.takeActs()).toEqual([]);
    expect(told(harness)).toEqual(["web/3 stopped"]);
    harness.wants([vm("web", 9, "run")]);
    harness.pass(1000);
    expect(harness.takeActs()).toEqual(["build web/9"]);
  });

  test("a build that does not show is asked for again, and told of meanwhile", () => {
    const harness = settled();
    harness.obeys = false;
    harness.wants([vm("web", 5, "run")]);
    harness.pass(9000);
    expect(harness.takeActs()).toEqual(["build web/5"]);
    expect(told(harness)).toEqual(["web/5 building"]);
    harness.pass(2000);
    expect(harness.takeActs()).toEqual(["build web/5"]);
    // Wanted no more, it is not told of for ever.
    harness.wants([vm("web", 5, "gone")]);
    harness.pass(20_000);
    expect(told(harness)).toEqual([]);
  });

  test("without a driver nothing is built, and what is there still goes when it shall", () => {
    const harness = settled({ driver: null });
    harness.put("old", 3, "running");
    harness.wants([vm("web", 5, "run"), vm("old", 3, "gone")]);
    harness.pass(1000);
    harness.finish();
    harness.pass(600_000);
    expect(harness.takeActs()).toEqual(["stop old/3", "delete old/3"]);
    expect(told(harness)).toEqual([]);
  });

  test("nothing is done to one VM for another's sake", () => {
    const harness = running();
    const web = vm("web", 5, "run");
    for (const [epoch, phase] of [
      [10, "building"],
      [11, "failed"],
      [12, "stopping"],
      [13, "running"],
    ] as const) {
      harness.put("other", epoch, phase);
      for (const intent of ["run", "stop", "gone"] as const) {
        harness.wants([vm("other", epoch, intent), web]);
        harness.pass(30_000);
      }
    }
    expect(harness.takeActs().filter((act) => act.includes("web"))).toEqual([]);
    expect(harness.machines.get("web")).toMatchObject({ epoch: 5, phase: "running" });
  });
});

describe("health checks", () => {
  const check: HealthCheck = {
    name: "ping",
    probe: { kind: "tcp", port: 80 },
    intervalMs: 1000,
    timeoutMs: 500,
    initialDelayMs: 0,
    failures: 3,
    successes: 1,
    weight: 1,
    critical: true,
  };
  const checked = vmSpec({ healthChecks: [check] });

  /** A VM whose every probe says it is sick. */
  function sick(): AgentHarness {
    const harness = settled();
    harness.put("web", 5, "running");
    harness.wants([vm("web", 5, "run", true, checked)]);
    harness.watch = (action) => {
      if (action.kind === "probe") probes += 1;
    };
    return harness;
  }
  let probes = 0;

  test("failures count on when an assignment with the same checks comes anew", () => {
    const harness = sick();
    harness.pass(300);
    for (let n = 0; n < 3; n++) {
      harness.step({ kind: "probed", name: "web", epoch: 5, check: "ping", isHealthy: false });
      // Something else on this host has changed.
      harness.wants([
        vm("web", 5, "run", true, vmSpec({ healthChecks: [{ ...check }] })),
        vm(`vm-${n}`, n + 10, "stop"),
      ]);
      harness.pass(1000);
    }
    const machines = harness.sent.findLast(({ report }) => report.inventory !== null)?.report.inventory?.machines;
    expect(machines?.find(({ name }) => name === "web")).toMatchObject({
      isUnhealthy: true,
      reason: "health check ping is down",
    });
  });

  test("a probe whose result never comes counts as failed", () => {
    const harness = sick();
    harness.pass(30_000);
    const machines = harness.sent.findLast(({ report }) => report.inventory !== null)?.report.inventory?.machines;
    expect(machines?.[0]?.isUnhealthy).toBe(true);
  });

  test("a VM that has left wakes nobody, and without a lease nothing is probed", () => {
    const harness = sick();
    harness.pass(2000);
    harness.machines.clear();
    harness.wants([]);
    harness.pass(60_000);
    harness.put("web", 5, "running");
    harness.wants([vm("web", 5, "run", true, checked)]);
    harness.pass(2000);
    // Nobody answers any more.
    let wakes = 0;
    for (const untilMs = harness.nowMs + 60_000; harness.nowMs < untilMs; wakes++) {
      if (wakes > 1000) throw new Error("the agent never sleeps");
      if (harness.nowMs > harness.leaseUntilMs && harness.leaseUntilMs > 0) {
        probes = 0;
        harness.leaseUntilMs = 0;
      }
      harness.nowMs = Math.max(harness.nowMs, harness.wakeAtMs);
      harness.wakeAtMs = Number.POSITIVE_INFINITY;
      harness.step({ kind: "wake" });
    }
    expect(probes).toBe(0);
  });
});
