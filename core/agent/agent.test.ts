/** One host's agent, between a host and a leader that the test plays. */

import { describe, expect, test } from "vitest";
import { DEFAULT_HEALTH_CHECK, type HealthCheck, vmSpec } from "../domain/index.ts";
import { AgentHarness, wantedTask as task, wantedVm as vm } from "../testing/index.ts";
import { LEASE_TTL_MS } from "./lease.ts";
import { encodeDirective, HOST_LIMITS } from "./protocol.ts";
import { BUILD_TIMEOUT_MS, type Machine } from "./types.ts";

/** An agent that has registered, and acts by an empty assignment. */
function settled(facts: ConstructorParameters<typeof AgentHarness>[0] = {}): AgentHarness {
  const harness = new AgentHarness(facts);
  harness.look();
  harness.grant();
  harness.takeActs();
  return harness;
}

/** With this VM running. */
function running(): AgentHarness {
  const harness = settled();
  harness.wants([vm("web", 5, "run")]);
  for (let n = 0; n < 4; n++) {
    harness.pass(1000);
    harness.finish();
  }
  harness.pass(1000);
  expect(harness.machines.get("web")?.phase).toBe("running");
  harness.takeActs();
  return harness;
}

/** What the last report says of the host. */
function told(harness: AgentHarness): string[] {
  const inventories = harness.sent.flatMap(({ report }) => (report.inventory === null ? [] : [report.inventory]));
  const machines = inventories.at(-1)?.machines.map(({ name, epoch, phase }) => `${name}/${epoch} ${phase}`) ?? [];
  const jobs = inventories.at(-1)?.jobs.map(({ id, attempt, phase }) => `${id}/${attempt} ${phase}`) ?? [];
  return [...machines, ...jobs];
}

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

  test("an answer that comes so late that hardly any lease is left begins nothing, and the agent does not say that it acts by it", () => {
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

describe("answers", () => {
  test.each([
    ["another worker's", { workerId: 8 }],
    ["a former process's", { bootId: 999 }],
    ["another report's", { sequence: 999 }],
  ])("%s is not taken for its own", (_, fields) => {
    const harness = new AgentHarness();
    harness.look();
    harness.wants([vm("web", 5, "run")]);
    const { report } = harness.lastSent;
    const directive = { ...harness.directiveFor(harness.lastSent), ...fields };
    harness.step({ kind: "answered", sequence: report.sequence, directive: encodeDirective(directive) });
    expect(harness.acts).toEqual([]);
    expect(harness.agent.holdsLease).toBe(false);
  });

  test("nothing, and what is damaged, makes it ask another server", () => {
    const harness = settled();
    const asked: number[] = [];
    for (const directive of [null, new Uint8Array([1, 2, 3]), null]) {
      harness.nowMs += 1000;
      harness.step({ kind: "wake" });
      asked.push(harness.lastSent.to);
      harness.step({ kind: "answered", sequence: harness.lastSent.report.sequence, directive });
    }
    // And so does silence.
    harness.nowMs += 1000;
    harness.step({ kind: "wake" });
    asked.push(harness.lastSent.to);
    harness.nowMs += 1000;
    harness.step({ kind: "wake" });
    asked.push(harness.lastSent.to);
    expect(asked).toEqual([1, 2, 3, 1, 2]);
  });

  test("while nobody answers it asks less and less often, however much it has to tell", () => {
    const harness = running();
    harness.put("web", 5, "failed");
    harness.look();
    let count = 0;
    for (const untilMs = harness.nowMs + 60_000; harness.nowMs < untilMs; count++) {
      harness.nowMs = Math.max(harness.nowMs + 1, harness.wakeAtMs);
      harness.step({ kind: "wake" });
      harness.step({ kind: "answered", sequence: harness.lastSent.report.sequence, directive: null });
    }
    expect(count).toBeLessThan(100);
  });

  test("a report that nobody took is soon made again while there is a lease to keep, and seldom after", () => {
    const harness = settled();
    harness.nowMs += 1000;
    harness.step({ kind: "wake" });
    const refusedUntil = (untilMs: number): number => {
      let count = 0;
      for (; harness.nowMs < untilMs; count++) {
        harness.step({ kind: "answered", sequence: harness.lastSent.report.sequence, directive: null });
        harness.nowMs = harness.wakeAtMs;
        harness.step({ kind: "wake" });
      }
      return count;
    };
    const { leaseUntilMs } = harness.agent;
    const leftMs = leaseUntilMs - harness.nowMs;
    expect(refusedUntil(leaseUntilMs)).toBe(leftMs / 250);
    expect(refusedUntil(leaseUntilMs + 10_000)).toBeLessThanOrEqual(11);
  });

  test("told to register, it says what its host is, until the cluster has it", () => {
    const harness = settled();
    harness.nowMs += 1000;
    harness.step({ kind: "wake" });
    expect(harness.lastSent.report.facts).toBeNull();
    const { workerId, bootId, sequence } = harness.lastSent.report;
    harness.deliver(harness.lastSent, { kind: "register", workerId, bootId, sequence });
    harness.nowMs += 1000;
    harness.step({ kind: "wake" });
    expect(harness.lastSent.report.facts).not.toBeNull();
    expect(harness.lastSent.report.inventory).not.toBeNull();
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

  test("what has not changed is not told again", () => {
    const harness = running();
    const before = harness.sent.length;
    harness.pass(5000);
    const later = harness.sent.slice(before);
    expect(later.length).toBeGreaterThan(3);
    expect(later.every(({ report }) => report.inventory === null && report.facts === null)).toBe(true);
  });

  test("a leader that has not heard of its machines is told of all", () => {
    const harness = running();
    harness.nowMs += 1000;
    harness.step({ kind: "wake" });
    harness.grant({ inventoryVersion: 0 });
    harness.nowMs += 1000;
    harness.step({ kind: "wake" });
    expect(harness.lastSent.report.inventory?.machines).toHaveLength(1);
  });
});

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

  test("a machine that ignores a stop is asked again, after its grace and not before", () => {
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

  test("a machine that hangs in its boot is ended, and has failed", () => {
    const harness = settled();
    harness.wants([vm("web", 5, "run")]);
    harness.pass(1000);
    harness.finish();
    harness.pass(1000);
    harness.takeActs();
    harness.pass(119_000);
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

describe("jobs", () => {
  test("an attempt is begun once, and told of as running from then on", () => {
    const harness = settled();
    harness.obeys = false;
    harness.wants([], [task("job", 1)]);
    harness.pass(9000);
    expect(told(harness)).toEqual(["job/1 running"]);
    harness.pass(60_000);
    expect(harness.takeActs()).toEqual(["runJob job/1"]);
    expect(told(harness)).toEqual([]);
    harness.wants([], [task("job", 2)]);
    harness.pass(1000);
    expect(harness.takeActs()).toEqual(["runJob job/2"]);
  });

  test("an attempt that another process may have begun is not begun again: what the host shows is all there is of it", () => {
    const harness = settled();
    harness.wants([], [task("job", 1, false, true)]);
    harness.pass(60_000);
    expect(harness.takeActs()).toEqual([]);
    expect(told(harness)).toEqual([]);
  });

  test("an attempt that is over is told of until nobody wants it", () => {
    const harness = settled();
    harness.wants([], [task("job", 1)]);
    harness.pass(1000);
    harness.endJob("job", 1, "exited", "done");
    harness.pass(60_000);
    expect(told(harness)).toEqual(["job/1 exited"]);
    harness.wants([]);
    harness.pass(1000);
    expect(harness.takeActs()).toEqual(["runJob job/1", "forgetJob job/1"]);
  });

  test("a cancelled attempt is ended; one that is cancelled before it began never begins, whatever earlier one is there", () => {
    const harness = settled();
    harness.wants([], [task("job", 1)]);
    harness.pass(1000);
    harness.wants([], [task("job", 2, true)]);
    harness.pass(3000);
    expect(harness.takeActs()).toEqual(["runJob job/1", "endJob job/1", "forgetJob job/1"]);
    expect(told(harness)).toEqual([]);
    expect(harness.lastSent.report.assignedIndex).toBe(harness.assignment.index);
  });

  test("an attempt that shows late is ended while another runs: there are never two", () => {
    const harness = settled();
    harness.obeys = false;
    harness.wants([], [task("job", 1)]);
    harness.pass(12_000);
    harness.obeys = true;
    harness.wants([], [task("job", 2)]);
    harness.pass(1000);
    harness.takeActs();
    harness.perform({ kind: "runJob", ...task("job", 1) });
    harness.pass(1000);
    expect(harness.takeActs()).toEqual(["endJob job/1", "forgetJob job/1"]);
    expect(harness.jobs).toMatchObject([{ attempt: 2, phase: "running" }]);
  });

  test("a job of an earlier task of that name goes before the new one begins", () => {
    const harness = settled();
    harness.jobs = [{ id: "job", attempt: 3, phase: "exited", exitCode: 0, output: "of the earlier" }];
    harness.wants([], [task("job", 1)]);
    harness.pass(2000);
    expect(harness.takeActs()).toEqual(["forgetJob job/3", "runJob job/1"]);
  });

  test("jobs that nobody wants end", () => {
    const harness = settled();
    harness.jobs = [
      { id: "a", attempt: 1, phase: "running", exitCode: 0, output: "" },
      { id: "b", attempt: 1, phase: "exited", exitCode: 0, output: "" },
    ];
    harness.pass(2000);
    expect(harness.takeActs()).toEqual(["endJob a/1", "forgetJob b/1", "forgetJob a/1"]);
  });
});

describe("limits", () => {
  test("a host with more machines than a report holds tells of those that are wanted, keeps its lease, and ends the others bit by bit", () => {
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

describe("health", () => {
  const check: HealthCheck = {
    ...DEFAULT_HEALTH_CHECK,
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
