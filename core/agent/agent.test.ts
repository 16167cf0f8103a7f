/** One host's agent, between a host and a leader that the test plays. */
import { describe, expect, test } from "vitest";
import { DEFAULT_HEALTH_CHECK, type HealthCheck, vmSpec } from "../cluster/index.ts";
import { Bench, wantedTask as task, wantedVm as vm } from "../testing/index.ts";
import { BUILD_TIMEOUT_MS } from "./agent.ts";
import { LEASE_TTL_MS } from "./lease.ts";
import { encodeDirective, HOST_LIMITS } from "./protocol.ts";
import type { Machine } from "./types.ts";

/** An agent that has registered, and acts by an empty assignment. */
function settled(facts: ConstructorParameters<typeof Bench>[0] = {}): Bench {
  const bench = new Bench(facts);
  bench.look();
  bench.grant();
  bench.takeActs();
  return bench;
}

/** With this VM running. */
function running(): Bench {
  const bench = settled();
  bench.wants([vm("web", 5, "run")]);
  for (let n = 0; n < 4; n++) {
    bench.pass(1000);
    bench.finish();
  }
  bench.pass(1000);
  expect(bench.machines.get("web")?.phase).toBe("running");
  bench.takeActs();
  return bench;
}

/** What the last report says of the host. */
function told(bench: Bench): string[] {
  const inventories = bench.sent.flatMap(({ report }) => (report.inventory === null ? [] : [report.inventory]));
  const machines = inventories.at(-1)?.machines.map(({ name, epoch, phase }) => `${name}/${epoch} ${phase}`) ?? [];
  const jobs = inventories.at(-1)?.jobs.map(({ id, attempt, phase }) => `${id}/${attempt} ${phase}`) ?? [];
  return [...machines, ...jobs];
}

describe("leases", () => {
  test("nothing is begun before the cluster has answered", () => {
    const bench = new Bench();
    bench.machines.set("old", { name: "old", epoch: 1, phase: "running", reason: "" });
    for (let n = 0; n < 5; n++) {
      bench.look();
      bench.nowMs += 1000;
      bench.step({ kind: "wake" });
    }
    expect(bench.acts).toEqual([]);
    expect(bench.agent.holdsLease).toBe(false);
  });

  test("the switch is set before anything is begun, to when the report was sent plus the lease", () => {
    const bench = new Bench();
    bench.look();
    const { sentAtMs } = bench.lastSent;
    bench.wants([vm("web", 5, "run")]);
    bench.nowMs += 700;
    bench.grant();
    expect(bench.acts.map(({ kind }) => kind)).toEqual(["fenceAt", "build"]);
    expect(bench.acts[0]).toEqual({ kind: "fenceAt", atMs: sentAtMs + LEASE_TTL_MS });
    expect(bench.agent.leaseUntilMs).toBe(sentAtMs + LEASE_TTL_MS);
  });

  test("when the lease runs out nothing more is begun or ended, until there is another", () => {
    const bench = running();
    bench.nowMs += LEASE_TTL_MS;
    bench.wants([vm("web", 6, "run"), vm("db", 7, "run")]);
    bench.look();
    bench.put("web", 5, "failed", "fenced");
    bench.look();
    expect(bench.agent.holdsLease).toBe(false);
    expect(bench.takeActs()).toEqual([]);
    bench.pass(2000);
    expect(bench.takeActs()).toEqual(["build web/6", "build db/7"]);
  });

  test("an answer that comes so late that hardly any lease is left begins nothing, and the agent does not say that it acts by it", () => {
    const bench = settled();
    bench.nowMs += 1000;
    bench.step({ kind: "wake" });
    bench.wants([vm("web", 5, "run")], [task("job", 1)]);
    const sent = bench.lastSent;
    const before = sent.report.assignedIndex;
    // The process stood still meanwhile.
    bench.nowMs += LEASE_TTL_MS - 100;
    bench.deliver(sent, bench.directiveFor(sent));
    expect(bench.takeActs()).toEqual([]);
    bench.nowMs += 1000;
    bench.step({ kind: "wake" });
    expect(bench.lastSent.report.assignedIndex).toBe(before);
    bench.grant();
    expect(bench.takeActs()).toEqual(["build web/5", "runJob job/1"]);
  });

  test("a lease that is granted for an older report does not shorten the one it has", () => {
    const bench = settled();
    const untilMs = bench.agent.leaseUntilMs;
    bench.nowMs += 1000;
    bench.step({ kind: "wake" });
    bench.grant({ leaseTtlMs: 100 });
    expect(bench.agent.leaseUntilMs).toBe(untilMs);
    expect(bench.acts.filter(({ kind }) => kind === "fenceAt")).toHaveLength(1);
  });
});

describe("answers", () => {
  test.each([
    ["another worker's", { workerId: 8 }],
    ["a former process's", { bootId: 999 }],
    ["another report's", { sequence: 999 }],
  ])("%s is not taken for its own", (_, fields) => {
    const bench = new Bench();
    bench.look();
    bench.wants([vm("web", 5, "run")]);
    const { report } = bench.lastSent;
    const directive = { ...bench.directiveFor(bench.lastSent), ...fields };
    bench.step({ kind: "answered", sequence: report.sequence, directive: encodeDirective(directive) });
    expect(bench.acts).toEqual([]);
    expect(bench.agent.holdsLease).toBe(false);
  });

  test("nothing, and what is damaged, makes it ask another server", () => {
    const bench = settled();
    const asked: number[] = [];
    for (const directive of [null, new Uint8Array([1, 2, 3]), null]) {
      bench.nowMs += 1000;
      bench.step({ kind: "wake" });
      asked.push(bench.lastSent.to);
      bench.step({ kind: "answered", sequence: bench.lastSent.report.sequence, directive });
    }
    // And so does silence.
    bench.nowMs += 1000;
    bench.step({ kind: "wake" });
    asked.push(bench.lastSent.to);
    bench.nowMs += 1000;
    bench.step({ kind: "wake" });
    asked.push(bench.lastSent.to);
    expect(asked).toEqual([1, 2, 3, 1, 2]);
  });

  test("while nobody answers it asks less and less often, however much it has to tell", () => {
    const bench = running();
    bench.put("web", 5, "failed");
    bench.look();
    let count = 0;
    for (const untilMs = bench.nowMs + 60_000; bench.nowMs < untilMs; count++) {
      bench.nowMs = Math.max(bench.nowMs + 1, bench.wakeAtMs);
      bench.step({ kind: "wake" });
      bench.step({ kind: "answered", sequence: bench.lastSent.report.sequence, directive: null });
    }
    expect(count).toBeLessThan(100);
  });

  test("a report that nobody took is soon made again while there is a lease to keep, and seldom after", () => {
    const bench = settled();
    bench.nowMs += 1000;
    bench.step({ kind: "wake" });
    const refusedUntil = (untilMs: number): number => {
      let count = 0;
      for (; bench.nowMs < untilMs; count++) {
        bench.step({ kind: "answered", sequence: bench.lastSent.report.sequence, directive: null });
        bench.nowMs = bench.wakeAtMs;
        bench.step({ kind: "wake" });
      }
      return count;
    };
    const { leaseUntilMs } = bench.agent;
    const leftMs = leaseUntilMs - bench.nowMs;
    expect(refusedUntil(leaseUntilMs)).toBe(leftMs / 250);
    expect(refusedUntil(leaseUntilMs + 10_000)).toBeLessThanOrEqual(11);
  });

  test("told to register, it says what its host is, until the cluster has it", () => {
    const bench = settled();
    bench.nowMs += 1000;
    bench.step({ kind: "wake" });
    expect(bench.lastSent.report.facts).toBeNull();
    const { workerId, bootId, sequence } = bench.lastSent.report;
    bench.deliver(bench.lastSent, { kind: "register", workerId, bootId, sequence });
    bench.nowMs += 1000;
    bench.step({ kind: "wake" });
    expect(bench.lastSent.report.facts).not.toBeNull();
    expect(bench.lastSent.report.inventory).not.toBeNull();
  });

  test("an assignment that is older than the one it has is not taken", () => {
    const bench = running();
    const older = { index: 1, vms: [], tasks: [] };
    bench.nowMs += 1000;
    bench.step({ kind: "wake" });
    bench.grant({ assignment: older });
    bench.pass(5000);
    expect(bench.takeActs()).toEqual([]);
    expect(bench.machines.get("web")?.phase).toBe("running");
  });

  test("what has not changed is not told again", () => {
    const bench = running();
    const before = bench.sent.length;
    bench.pass(5000);
    const later = bench.sent.slice(before);
    expect(later.length).toBeGreaterThan(3);
    expect(later.every(({ report }) => report.inventory === null && report.facts === null)).toBe(true);
  });

  test("a leader that has not heard of its machines is told of all", () => {
    const bench = running();
    bench.nowMs += 1000;
    bench.step({ kind: "wake" });
    bench.grant({ inventoryVersion: 0 });
    bench.nowMs += 1000;
    bench.step({ kind: "wake" });
    expect(bench.lastSent.report.inventory?.machines).toHaveLength(1);
  });
});

describe("machines", () => {
  test("a VM is built, started, and left alone", () => {
    const bench = settled();
    bench.wants([vm("web", 5, "run")]);
    bench.pass(1000);
    expect(bench.takeActs()).toEqual(["build web/5"]);
    bench.finish();
    bench.pass(1000);
    expect(bench.takeActs()).toEqual(["start web/5"]);
    bench.finish();
    bench.pass(600_000);
    expect(bench.takeActs()).toEqual([]);
    expect(told(bench)).toEqual(["web/5 running"]);
  });

  test("the next run begins when the one before has ended", () => {
    const bench = running();
    bench.wants([vm("web", 9, "run")]);
    bench.pass(1000);
    expect(bench.takeActs()).toEqual(["stop web/5"]);
    bench.finish();
    bench.pass(1000);
    expect(bench.takeActs()).toEqual(["build web/9"]);
  });

  test("a stopped VM keeps its machine, and a deleted one does not", () => {
    const bench = running();
    bench.wants([vm("web", 5, "stop")]);
    bench.pass(1000);
    bench.finish();
    bench.pass(60_000);
    expect(bench.takeActs()).toEqual(["stop web/5"]);
    bench.wants([vm("web", 5, "gone")]);
    bench.pass(1000);
    expect(bench.takeActs()).toEqual(["delete web/5"]);
    expect(told(bench)).toEqual([]);
  });

  test("a machine that was built and never started is none to keep when the VM is stopped", () => {
    const bench = settled();
    bench.wants([vm("web", 5, "run")]);
    bench.pass(1000);
    bench.finish();
    bench.wants([vm("web", 5, "stop")]);
    bench.nowMs += 1000;
    bench.step({ kind: "wake" });
    bench.grant();
    bench.look();
    // It was still being built when the agent looked last.
    expect(bench.takeActs()).toEqual(["build web/5", "stop web/5", "delete web/5"]);
  });

  test("what nobody wants is told first, and then ended once", () => {
    const bench = settled();
    bench.put("orphan", 3, "running");
    bench.look();
    expect(bench.takeActs()).toEqual([]);
    bench.nowMs += 1000;
    bench.step({ kind: "wake" });
    expect(told(bench)).toEqual(["orphan/3 running"]);
    // The leader has not heard of it when it answers.
    bench.grant({ inventoryVersion: 0 });
    expect(bench.takeActs()).toEqual([]);
    bench.pass(1000);
    expect(bench.takeActs()).toEqual(["stop orphan/3"]);
    bench.pass(5000);
    expect(bench.takeActs()).toEqual([]);
    bench.finish();
    bench.pass(1000);
    expect(bench.takeActs()).toEqual(["delete orphan/3"]);
  });

  test("a later run than the one that is wanted is nobody's, and goes before that is built", () => {
    const bench = settled();
    bench.put("web", 9, "running");
    bench.wants([vm("web", 5, "run")]);
    for (let n = 0; n < 6; n++) {
      bench.pass(1000);
      bench.finish();
    }
    expect(bench.takeActs()).toEqual(["stop web/9", "delete web/9", "build web/5", "start web/5"]);
    // And it is as any other: once gone, it is not made again.
    bench.machines.delete("web");
    bench.look();
    bench.pass(20_000);
    expect(bench.takeActs()).toEqual([]);
  });

  test("a machine that ignores a stop is asked again, after its grace and not before", () => {
    const bench = running();
    bench.wants([vm("web", 5, "stop")]);
    bench.pass(1000);
    bench.pass(18_000);
    expect(bench.takeActs()).toEqual(["stop web/5"]);
    bench.pass(3000);
    expect(bench.takeActs()).toEqual(["stop web/5"]);
  });

  test("a build that does not end is ended, has failed, and leaves its disk to the next run", () => {
    const bench = settled();
    bench.wants([vm("web", 5, "run")]);
    bench.pass(BUILD_TIMEOUT_MS - 1000);
    expect(bench.takeActs()).toEqual(["build web/5"]);
    expect(told(bench)).toEqual(["web/5 building"]);
    bench.pass(3000);
    expect(bench.takeActs()).toEqual(["stop web/5"]);
    expect(told(bench)).toEqual(["web/5 failed"]);
    const reasons = bench.sent.flatMap(({ report }) => report.inventory?.machines.map(({ reason }) => reason) ?? []);
    expect(reasons).toContain("was not built in time");
    bench.wants([vm("web", 9, "run")]);
    bench.pass(1000);
    expect(bench.takeActs()).toEqual(["build web/9"]);
  });

  test("a build of which the host shows nothing has failed after that time, and is gone when it shall be", () => {
    const bench = settled();
    bench.obeys = false;
    bench.wants([vm("web", 5, "run")]);
    bench.pass(BUILD_TIMEOUT_MS + 20_000);
    expect(told(bench)).toEqual(["web/5 failed"]);
    const asked = bench.takeActs().length;
    bench.pass(60_000);
    expect(asked).toBeGreaterThan(100);
    expect(bench.takeActs()).toEqual([]);
    bench.wants([vm("web", 5, "gone")]);
    bench.pass(2000);
    expect(told(bench)).toEqual([]);
  });

  test("a host that goes on to build what it was told to end has failed all the same", () => {
    const bench = settled();
    bench.wants([vm("web", 5, "run")]);
    bench.pass(1000);
    bench.obeys = false;
    bench.pass(BUILD_TIMEOUT_MS);
    expect(told(bench)).toEqual(["web/5 failed"]);
    bench.finish();
    bench.pass(2000);
    // What is built too late is not started.
    expect(bench.takeActs().filter((act) => act.startsWith("start"))).toEqual([]);
    expect(told(bench)).toEqual(["web/5 failed"]);
  });

  test("a machine that hangs in its boot is ended, and has failed", () => {
    const bench = settled();
    bench.wants([vm("web", 5, "run")]);
    bench.pass(1000);
    bench.finish();
    bench.pass(1000);
    bench.takeActs();
    bench.pass(119_000);
    expect(bench.takeActs()).toEqual([]);
    expect(told(bench)).toEqual(["web/5 starting"]);
    bench.pass(3000);
    expect(bench.takeActs()).toEqual(["stop web/5"]);
    expect(told(bench)).toEqual(["web/5 failed"]);
  });

  test("one that hung, and is to be stopped, is not said to have ended before it has", () => {
    const bench = settled();
    bench.wants([vm("web", 5, "run")]);
    bench.pass(1000);
    bench.finish();
    bench.pass(122_000);
    expect(told(bench)).toEqual(["web/5 failed"]);
    bench.wants([vm("web", 5, "stop")]);
    bench.pass(5000);
    expect(told(bench)).toEqual(["web/5 stopping"]);
    bench.finish();
    bench.pass(1000);
    expect(told(bench)).toEqual(["web/5 stopped"]);
  });

  test("a machine that was there and is gone is not built again: it has failed", () => {
    const bench = running();
    bench.machines.clear();
    bench.pass(60_000);
    expect(bench.takeActs()).toEqual([]);
    expect(told(bench)).toEqual(["web/5 failed"]);
    bench.wants([vm("web", 9, "run")]);
    bench.pass(1000);
    expect(bench.takeActs()).toEqual(["build web/9"]);
  });

  test("a process that finds nothing of a run that the cluster has seen does not build it: it is not there", () => {
    const bench = running();
    bench.machines.clear();
    bench.boot();
    bench.wants([vm("web", 5, "run", true)]);
    bench.pass(60_000);
    expect(bench.takeActs()).toEqual([]);
    expect(told(bench)).toEqual([]);
    expect(bench.lastSent.report.assignedIndex).toBe(bench.assignment.index);
  });

  test("a build that does not show is asked for again, and told of meanwhile", () => {
    const bench = settled();
    bench.obeys = false;
    bench.wants([vm("web", 5, "run")]);
    bench.pass(9000);
    expect(bench.takeActs()).toEqual(["build web/5"]);
    expect(told(bench)).toEqual(["web/5 building"]);
    bench.pass(2000);
    expect(bench.takeActs()).toEqual(["build web/5"]);
    // Wanted no more, it is not told of for ever.
    bench.wants([vm("web", 5, "gone")]);
    bench.pass(20_000);
    expect(told(bench)).toEqual([]);
  });

  test("without a driver nothing is built, and what is there still goes when it shall", () => {
    const bench = settled({ driver: null });
    bench.put("old", 3, "running");
    bench.wants([vm("web", 5, "run"), vm("old", 3, "gone")]);
    bench.pass(1000);
    bench.finish();
    bench.pass(600_000);
    expect(bench.takeActs()).toEqual(["stop old/3", "delete old/3"]);
    expect(told(bench)).toEqual([]);
  });

  test("nothing is done to one VM for another's sake", () => {
    const bench = running();
    const web = vm("web", 5, "run");
    for (const [epoch, phase] of [
      [10, "building"],
      [11, "failed"],
      [12, "stopping"],
      [13, "running"],
    ] as const) {
      bench.put("other", epoch, phase);
      for (const intent of ["run", "stop", "gone"] as const) {
        bench.wants([vm("other", epoch, intent), web]);
        bench.pass(30_000);
      }
    }
    expect(bench.takeActs().filter((act) => act.includes("web"))).toEqual([]);
    expect(bench.machines.get("web")).toMatchObject({ epoch: 5, phase: "running" });
  });
});

describe("how it is done", () => {
  /** Told to run both, and not how. */
  function ignorant(): Bench {
    const bench = settled();
    bench.wants([vm("web", 5, "run")], [task("job", 1)]);
    bench.nowMs += 1000;
    bench.step({ kind: "wake" });
    bench.grant({ details: { vms: [], tasks: [] } });
    return bench;
  }

  test("what it does not know it asks for, soon, and begins it then", () => {
    const bench = ignorant();
    expect(bench.takeActs()).toEqual([]);
    bench.nowMs += 50;
    bench.step({ kind: "wake" });
    expect(bench.lastSent.report.lacks).toEqual({ vms: ["web"], tasks: ["job"] });
    // It has been told of the job, and has not refused it.
    expect(told(bench)).toEqual(["job/1 running"]);
    bench.grant();
    expect(bench.takeActs()).toEqual(["build web/5", "runJob job/1"]);
    bench.nowMs += 200;
    bench.step({ kind: "wake" });
    expect(bench.lastSent.report.lacks).toEqual({ vms: [], tasks: [] });
  });

  test("of another generation, or of another VM of that name, nothing is built", () => {
    for (const fields of [{ generation: 1 }, { generation: 3 }, { createdIndex: 9 }]) {
      const bench = settled();
      const wanted = { ...vm("web", 5, "run"), createdIndex: 3, generation: 2 };
      bench.wants([wanted]);
      bench.nowMs += 1000;
      bench.step({ kind: "wake" });
      bench.grant({ details: { vms: [{ ...wanted, ...fields }], tasks: [] } });
      expect(bench.takeActs()).toEqual([]);
      bench.nowMs += 50;
      bench.step({ kind: "wake" });
      expect(bench.lastSent.report.lacks.vms).toEqual(["web"]);
    }
  });

  test("what it asks for fits into one directive, and the rest comes after", () => {
    const bench = settled();
    const all = Array.from({ length: 100 }, (_, n) => vm(`vm-${n}`, 5, "run"));
    bench.wants(all);
    bench.details = { vms: [], tasks: [] };
    bench.pass(1100);
    expect(bench.lastSent.report.lacks.vms).toHaveLength(HOST_LIMITS.vmDetails);
    for (let n = 0; n < 10 && bench.machines.size < 100; n++) {
      const { lacks } = bench.lastSent.report;
      bench.details = { vms: all.filter(({ name }) => lacks.vms.includes(name)), tasks: [] };
      bench.pass(60);
    }
    expect(bench.machines.size).toBe(100);
  });

  test("a spec that has changed is asked for, and the machine that runs goes on", () => {
    const bench = running();
    bench.wants([{ ...vm("web", 5, "run"), generation: 2 }]);
    bench.details = { vms: [], tasks: [] };
    bench.pass(1100);
    expect(bench.lastSent.report.lacks.vms).toEqual(["web"]);
    expect(bench.takeActs()).toEqual([]);
  });
});

describe("jobs", () => {
  test("an attempt is begun once, and told of as running from then on", () => {
    const bench = settled();
    bench.obeys = false;
    bench.wants([], [task("job", 1)]);
    bench.pass(9000);
    expect(told(bench)).toEqual(["job/1 running"]);
    bench.pass(60_000);
    expect(bench.takeActs()).toEqual(["runJob job/1"]);
    expect(told(bench)).toEqual([]);
    bench.wants([], [task("job", 2)]);
    bench.pass(1000);
    expect(bench.takeActs()).toEqual(["runJob job/2"]);
  });

  test("an attempt that another process may have begun is not begun again: what the host shows is all there is of it", () => {
    const bench = settled();
    bench.wants([], [task("job", 1, false, true)]);
    bench.pass(60_000);
    expect(bench.takeActs()).toEqual([]);
    expect(told(bench)).toEqual([]);
  });

  test("an attempt that is over is told of until nobody wants it", () => {
    const bench = settled();
    bench.wants([], [task("job", 1)]);
    bench.pass(1000);
    bench.endJob("job", 1, "exited", "done");
    bench.pass(60_000);
    expect(told(bench)).toEqual(["job/1 exited"]);
    bench.wants([]);
    bench.pass(1000);
    expect(bench.takeActs()).toEqual(["runJob job/1", "forgetJob job/1"]);
  });

  test("a cancelled attempt is ended; one that is cancelled before it began never begins, whatever earlier one is there", () => {
    const bench = settled();
    bench.wants([], [task("job", 1)]);
    bench.pass(1000);
    bench.wants([], [task("job", 2, true)]);
    bench.pass(3000);
    expect(bench.takeActs()).toEqual(["runJob job/1", "endJob job/1", "forgetJob job/1"]);
    expect(told(bench)).toEqual([]);
    expect(bench.lastSent.report.assignedIndex).toBe(bench.assignment.index);
  });

  test("an attempt that shows late is ended while another runs: there are never two", () => {
    const bench = settled();
    bench.obeys = false;
    bench.wants([], [task("job", 1)]);
    bench.pass(12_000);
    bench.obeys = true;
    bench.wants([], [task("job", 2)]);
    bench.pass(1000);
    bench.takeActs();
    bench.perform({ kind: "runJob", ...task("job", 1) });
    bench.pass(1000);
    expect(bench.takeActs()).toEqual(["endJob job/1", "forgetJob job/1"]);
    expect(bench.jobs).toMatchObject([{ attempt: 2, phase: "running" }]);
  });

  test("a job of an earlier task of that name goes before the new one begins", () => {
    const bench = settled();
    bench.jobs = [{ id: "job", attempt: 3, phase: "exited", exitCode: 0, output: "of the earlier" }];
    bench.wants([], [task("job", 1)]);
    bench.pass(2000);
    expect(bench.takeActs()).toEqual(["forgetJob job/3", "runJob job/1"]);
  });

  test("jobs that nobody wants end", () => {
    const bench = settled();
    bench.jobs = [
      { id: "a", attempt: 1, phase: "running", exitCode: 0, output: "" },
      { id: "b", attempt: 1, phase: "exited", exitCode: 0, output: "" },
    ];
    bench.pass(2000);
    expect(bench.takeActs()).toEqual(["endJob a/1", "forgetJob b/1", "forgetJob a/1"]);
  });
});

describe("limits", () => {
  test("a host with more machines than a report holds tells of those that are wanted, keeps its lease, and ends the others bit by bit", () => {
    const bench = running();
    for (let n = 0; n < HOST_LIMITS.machines + 100; n++) bench.put(`a-${n}`, 1, "failed", "\u{1f4a5}".repeat(128));
    bench.pass(60_000);
    expect([...bench.machines.keys()]).toEqual(["web"]);
    expect(bench.agent.holdsLease).toBe(true);
    expect(bench.acts.filter((action) => "name" in action && action.name === "web" && action.kind === "stop")).toEqual(
      [],
    );
  });

  test("output and reasons are cut to what the cluster takes, and no character is torn apart", () => {
    const bench = settled();
    bench.wants([vm("web", 5, "run")], [task("job", 1)]);
    bench.pass(1000);
    bench.put("web", 5, "failed", "\u{1f4a5}".repeat(1000));
    bench.jobs = [{ id: "job", attempt: 1, phase: "exited", exitCode: 1, output: `x${"\u{1f4a5}".repeat(5000)}y` }];
    bench.pass(1000);
    const inventory = bench.sent.findLast(({ report }) => report.inventory !== null)?.report.inventory;
    expect(inventory?.jobs[0]?.output).toHaveLength(4096);
    expect(inventory?.jobs[0]?.output.endsWith("y")).toBe(true);
    expect(inventory?.machines[0]?.reason).toHaveLength(256);
  });

  test("very many jobs with very much output fit into one report", () => {
    const bench = settled();
    bench.jobs = Array.from({ length: HOST_LIMITS.jobs + 10 }, (_, n) => {
      return { id: `job-${n}`, attempt: 1, phase: "exited", exitCode: 0, output: "\uffff".repeat(10_000) } as const;
    });
    bench.pass(30_000);
    expect(bench.jobs).toEqual([]);
  });

  test("a machine with a name that no VM can have is nobody's business", () => {
    const bench = settled();
    bench.put("Not_A-Label", 1, "running");
    bench.put("web", -1, "running");
    bench.pass(60_000);
    expect(bench.takeActs()).toEqual([]);
    expect(bench.agent.holdsLease).toBe(true);
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
  function sick(): Bench {
    const bench = settled();
    bench.put("web", 5, "running");
    bench.wants([vm("web", 5, "run", true, checked)]);
    bench.watch = (action) => {
      if (action.kind === "probe") probes += 1;
    };
    return bench;
  }
  let probes = 0;

  test("failures count on when an assignment with the same checks comes anew", () => {
    const bench = sick();
    bench.pass(300);
    for (let n = 0; n < 3; n++) {
      bench.step({ kind: "probed", name: "web", epoch: 5, check: "ping", isHealthy: false });
      // Something else on this host has changed.
      bench.wants([vm("web", 5, "run", true, vmSpec({ healthChecks: [{ ...check }] })), vm(`vm-${n}`, n + 10, "stop")]);
      bench.pass(1000);
    }
    const machines = bench.sent.findLast(({ report }) => report.inventory !== null)?.report.inventory?.machines;
    expect(machines?.find(({ name }) => name === "web")).toMatchObject({
      isUnhealthy: true,
      reason: "health check ping is down",
    });
  });

  test("a probe whose result never comes counts as failed", () => {
    const bench = sick();
    bench.pass(30_000);
    const machines = bench.sent.findLast(({ report }) => report.inventory !== null)?.report.inventory?.machines;
    expect(machines?.[0]?.isUnhealthy).toBe(true);
  });

  test("a VM that has left wakes nobody, and without a lease nothing is probed", () => {
    const bench = sick();
    bench.pass(2000);
    bench.machines.clear();
    bench.wants([]);
    bench.pass(60_000);
    bench.put("web", 5, "running");
    bench.wants([vm("web", 5, "run", true, checked)]);
    bench.pass(2000);
    // Nobody answers any more.
    let wakes = 0;
    for (const untilMs = bench.nowMs + 60_000; bench.nowMs < untilMs; wakes++) {
      if (wakes > 1000) throw new Error("the agent never sleeps");
      if (bench.nowMs > bench.leaseUntilMs && bench.leaseUntilMs > 0) {
        probes = 0;
        bench.leaseUntilMs = 0;
      }
      bench.nowMs = Math.max(bench.nowMs, bench.wakeAtMs);
      bench.wakeAtMs = Number.POSITIVE_INFINITY;
      bench.step({ kind: "wake" });
    }
    expect(probes).toBe(0);
  });
});

test("an agent that has not seen its host says nothing", () => {
  const bench = new Bench();
  bench.step({ kind: "wake" });
  expect(bench.sent).toEqual([]);
  const machine: Machine = { name: "web", epoch: 1, phase: "running", reason: "" };
  bench.machines.set("web", machine);
  bench.look();
  expect(told(bench)).toEqual(["web/1 running"]);
});

describe("a worker that was removed", () => {
  function removed(bench: Bench): void {
    const { workerId, bootId, sequence } = bench.lastSent.report;
    bench.deliver(bench.lastSent, { kind: "removed", workerId, bootId, sequence });
  }

  test("ends whatever is there, lease or none, says nothing more, and has ended when all has gone", () => {
    const bench = new Bench();
    bench.put("orphan", 3, "running");
    bench.put("disk", 4, "stopped");
    bench.jobs = [{ id: "job", attempt: 1, phase: "running", exitCode: 0, output: "" }];
    bench.look();
    const reports = bench.sent.length;
    removed(bench);
    expect(bench.agent.holdsLease).toBe(false);
    expect(bench.takeActs()).toEqual(["delete disk/4", "stop orphan/3", "endJob job/1"]);
    bench.look();
    expect(bench.takeActs()).toEqual(["forgetJob job/1"]);
    bench.finish();
    bench.look();
    expect(bench.takeActs()).toEqual(["delete orphan/3"]);
    expect(bench.hasEnded).toBe(false);
    bench.look();
    expect(bench.hasEnded).toBe(true);
    bench.pass(60_000);
    expect(bench.sent).toHaveLength(reports);
    expect(bench.takeActs()).toEqual([]);
  });

  test("hears it from the network as well, and asks a machine that does not stop again and again", () => {
    const bench = running();
    bench.obeys = false;
    bench.step({ kind: "removed" });
    expect(bench.takeActs()).toEqual(["stop web/5"]);
    const untilMs = bench.nowMs + 60_000;
    for (let wakes = 0; wakes < 20 && bench.nowMs < untilMs; wakes++) {
      bench.nowMs = Math.min(untilMs, Math.max(bench.nowMs, bench.wakeAtMs));
      bench.wakeAtMs = Number.POSITIVE_INFINITY;
      bench.step({ kind: "wake" });
    }
    expect(bench.takeActs()).toEqual(["stop web/5", "stop web/5", "stop web/5"]);
    expect(bench.hasEnded).toBe(false);
    bench.machines.clear();
    bench.look();
    expect(bench.hasEnded).toBe(true);
  });

  test("begins nothing that it had been told to run, and believes no later answer", () => {
    const bench = settled();
    bench.nowMs += 1000;
    bench.step({ kind: "wake" });
    const { lastSent } = bench;
    bench.wants([vm("web", 5, "run")], [task("job", 1)]);
    bench.step({ kind: "removed" });
    bench.deliver(lastSent, bench.directiveFor(lastSent));
    bench.look();
    expect(bench.takeActs()).toEqual([]);
    expect(bench.hasEnded).toBe(true);
  });
});
