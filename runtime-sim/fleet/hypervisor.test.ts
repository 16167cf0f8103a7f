import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type HostAction, type Job, type Machine, vmSpec } from "../../core/index.ts";
import type { ProbeResult } from "./hypervisor.ts";
import { noHypervisorFaults } from "./hypervisor-faults.ts";
import {
  Bench,
  build,
  CONDITIONS,
  endJob,
  forgetJob,
  LONG_US,
  probe,
  remove,
  runJob,
  SECOND_US,
  SPEC,
  start,
  stop,
} from "./testing/index.ts";

/** A host whose `vm` of epoch 5 is in that phase. */
function inPhase(phase: Machine["phase"]): Bench {
  const bench = new Bench();
  if (phase === "failed") {
    bench.host.faults.buildFailChance = 1;
    bench.do(build(5)).wait();
    bench.host.faults.buildFailChance = 0;
    return bench;
  }
  bench.do(build(5));
  if (phase !== "building") bench.wait();
  if (phase !== "building" && phase !== "built") bench.do(start(5));
  if (phase === "running" || phase === "stopping" || phase === "stopped") bench.step();
  if (phase === "stopping" || phase === "stopped") bench.do(stop(5));
  if (phase === "stopped") bench.step();
  expect(bench.phase).toBe(phase);
  return bench;
}

const RESTING = ["built", "stopped", "failed"] as const;
const EXECUTING = ["starting", "running", "stopping"] as const;

describe("a machine", () => {
  test("goes from absent to running to absent, each time telling when", () => {
    const bench = new Bench();
    expect(bench.host.nextUs).toBe(Infinity);
    bench.do(build());
    expect(bench.machine()).toEqual({ name: "vm", epoch: 1, phase: "building", reason: "" });
    expect(bench.host.nextUs).toBeGreaterThan(0);
    expect(bench.host.advance(bench.host.nextUs - 1)).toBe(false);
    expect(bench.step()).toBe(true);
    expect(bench.phase).toBe("built");
    expect(bench.host.running()).toEqual([]);

    bench.do(start());
    expect(bench.phase).toBe("starting");
    expect(bench.host.running()).toEqual([{ name: "vm", epoch: 1, spec: SPEC, interfaces: [] }]);
    bench.step();
    expect(bench.phase).toBe("running");
    expect(bench.host.nextUs).toBe(Infinity);

    bench.do(stop());
    expect(bench.phase).toBe("stopping");
    expect(bench.host.running()).toHaveLength(1);
    bench.step();
    expect(bench.machine()).toMatchObject({ phase: "stopped", reason: "powered off" });
    expect(bench.host.running()).toEqual([]);

    bench.do(remove());
    expect(bench.phase).toBe("absent");
    expect(bench.host.nextUs).toBe(Infinity);
  });

  test("takes about as long as it should", () => {
    const bench = new Bench();
    let totalUs = 0;
    for (let epoch = 1; epoch <= 1000; epoch += 1) {
      const beganUs = bench.nowUs;
      bench.do(build(epoch)).step();
      totalUs += bench.nowUs - beganUs;
    }
    expect(totalUs / 1000 / 1000).toBeGreaterThan(0.9 * CONDITIONS.buildMeanMs);
    expect(totalUs / 1000 / 1000).toBeLessThan(1.1 * CONDITIONS.buildMeanMs);
  });

  test("that does not power off in time is ended", () => {
    const bench = new Bench().do(build(1, "vm", vmSpec({ stopTimeoutMs: 1 })));
    bench.wait();
    bench.do(start()).step();
    bench.do(stop());
    expect(bench.host.nextUs).toBe(bench.nowUs + 1000);
    bench.step();
    expect(bench.machine()).toMatchObject({ phase: "stopped", reason: "ended: it had not powered off in time" });
  });

  test("is not stopped later for being asked twice", () => {
    const bench = inPhase("stopping");
    const { nextUs } = bench.host;
    bench.nowUs = nextUs - 1;
    bench.do(stop(5));
    expect(bench.host.nextUs).toBe(nextUs);
  });
});

describe("build", () => {
  test.each(RESTING)("replaces a %s machine of a lower epoch", (phase) => {
    const bench = inPhase(phase).do(build(6));
    expect(bench.machine()).toEqual({ name: "vm", epoch: 6, phase: "building", reason: "" });
    expect(bench.host.inventory()).toHaveLength(1);
  });

  test.each(["building", ...EXECUTING] as const)("leaves a %s machine of a lower epoch alone", (phase) => {
    const bench = inPhase(phase).do(build(6));
    expect(bench.machine()).toMatchObject({ epoch: 5, phase });
  });

  test.each(["building", ...RESTING, ...EXECUTING] as const)(
    "changes nothing at a %s machine of its epoch or a higher one",
    (phase) => {
      const bench = inPhase(phase);
      const { nextUs } = bench.host;
      const seen = bench.host.inventory();
      bench.do(build(5), build(4));
      expect(bench.host.inventory()).toBe(seen);
      expect(bench.host.nextUs).toBe(nextUs);
    },
  );
});

describe("start", () => {
  test("acts on a built machine of that very epoch alone", () => {
    const bench = new Bench().do(start());
    expect(bench.phase).toBe("absent");
    expect(inPhase("built").do(start(4), start(6)).phase).toBe("built");
    expect(inPhase("built").do(start(5)).phase).toBe("starting");
  });

  test.each(["building", "starting", "running", "stopping", "stopped", "failed"] as const)(
    "is ignored by a %s machine",
    (phase) => {
      const bench = inPhase(phase);
      const seen = bench.host.inventory();
      bench.do(start(5));
      expect(bench.host.inventory()).toBe(seen);
    },
  );

  test("is done once in an epoch, even if the machine was deleted and built again", () => {
    const bench = inPhase("stopped").do(remove(5), build(5));
    bench.wait();
    expect(bench.do(start(5)).phase).toBe("built");
    // The next epoch is another machine.
    bench.do(build(6)).wait();
    expect(bench.do(start(6)).phase).toBe("starting");
  });
});

describe("stop", () => {
  test.each(RESTING)("is ignored by a %s machine", (phase) => {
    expect(inPhase(phase).do(stop(5)).phase).toBe(phase);
  });

  test("ends a build, which has failed, and leaves the name to the next one; also one that hangs", () => {
    for (const buildHangChance of [0, 1]) {
      const bench = new Bench({ buildHangChance }).do(build(5));
      if (buildHangChance === 1) expect(bench.host.nextUs).toBe(Infinity);
      expect(bench.do(stop(4)).phase).toBe("building");
      expect(bench.do(stop(5)).phase).toBe("failed");
      expect(bench.host.nextUs).toBe(Infinity);
      expect(bench.do(build(6)).phase).toBe("building");
    }
  });

  test("acts on a machine that starts, and it does not get to run", () => {
    const bench = inPhase("starting").do(stop(5));
    expect(bench.phase).toBe("stopping");
    bench.wait();
    expect(bench.phase).toBe("stopped");
    expect(bench.host.nextUs).toBe(Infinity);
  });

  test("acts on that very epoch alone", () => {
    expect(inPhase("running").do(stop(4), stop(6)).phase).toBe("running");
  });
});

describe("delete", () => {
  test.each(["building", ...RESTING] as const)("removes a %s machine of that epoch or a lower one", (phase) => {
    for (const epoch of [5, 6]) {
      const bench = inPhase(phase).do(remove(epoch));
      expect(bench.phase).toBe("absent");
      // An abandoned build does not end.
      expect(bench.host.nextUs).toBe(Infinity);
    }
    expect(inPhase(phase).do(remove(4)).phase).toBe(phase);
  });

  test.each(EXECUTING)("leaves a %s machine alone", (phase) => {
    expect(inPhase(phase).do(remove(5), remove(6)).phase).toBe(phase);
  });
});

describe("a probe", () => {
  test("of a running machine says that it is healthy, after a while, once", () => {
    const bench = new Bench().run().do(probe());
    expect(bench.host.takeProbeResults()).toEqual([]);
    // The inventory has not changed.
    expect(bench.step()).toBe(false);
    expect(bench.host.takeProbeResults()).toEqual([{ name: "vm", epoch: 1, check: "alive", healthy: true }]);
    expect(bench.host.takeProbeResults()).toEqual([]);
  });

  test.each(["building", "starting", "stopping", ...RESTING] as const)(
    "of a %s machine says that it is not",
    (phase) => {
      const bench = inPhase(phase).do(probe(5));
      bench.wait();
      expect(bench.host.takeProbeResults()).toEqual([{ name: "vm", epoch: 5, check: "alive", healthy: false }]);
    },
  );

  test("of a machine that is not there, or of another epoch, says that it is not", () => {
    const bench = new Bench().run(2).do(probe(1), probe(3), probe(2, "other"));
    bench.wait();
    expect(bench.host.takeProbeResults().map(({ healthy }) => healthy)).toEqual([false, false, false]);
  });

  test("of a machine that goes before it answers says that it is not", () => {
    const bench = new Bench().run().do(probe(), stop());
    bench.wait();
    expect(bench.host.takeProbeResults()).toMatchObject([{ healthy: false }]);
  });

  test("that is not answered in time says that it is not", () => {
    const bench = new Bench().run().do(probe(1, "vm", 0.001));
    expect(bench.host.nextUs).toBe(bench.nowUs + 1);
    bench.step();
    expect(bench.host.takeProbeResults()).toMatchObject([{ healthy: false }]);
  });
});

describe("the fence", () => {
  test("ends all that executes, at its time, and nothing else", () => {
    const bench = new Bench({ zombieChance: 1 }).run(1, "running").run(1, "zombie").do(stop(1, "zombie"));
    bench.do(build(1, "stopped")).wait();
    bench.host.faults = { ...noHypervisorFaults(), bootHangChance: 1 };
    bench.do(start(1, "stopped"), stop(1, "stopped")).wait();
    bench.do(build(1, "starting"), build(1, "built")).wait();
    bench.do(start(1, "starting"));
    bench.host.faults.buildSlowFactor = 1e9;
    bench.do(build(1, "building"), runJob(1, "done")).wait();
    bench.do(runJob(1, "going", Infinity));
    bench.host.setFence(bench.nowUs + 1);
    expect(bench.host.running().map(({ name }) => name)).toEqual(["running", "starting", "zombie"]);

    expect(bench.host.nextUs).toBe(bench.nowUs + 1);
    expect(bench.host.advance(bench.nowUs)).toBe(false);
    expect(bench.step()).toBe(true);
    expect(bench.host.inventory().map(({ name, phase, reason }) => `${name} ${phase} ${reason}`)).toEqual([
      "building building ",
      "built built ",
      "running failed fenced",
      "starting failed fenced",
      "stopped stopped powered off",
      "zombie failed fenced",
    ]);
    expect(bench.host.running()).toEqual([]);
    expect(bench.host.runningJobs).toEqual([]);
    expect(bench.host.jobs()).toMatchObject([
      { id: "done", phase: "exited" },
      { id: "going", phase: "failed", output: "fenced" },
    ]);
    // A zombie is dead by now.
    expect(bench.do(stop(1, "zombie")).machine("zombie")?.phase).toBe("failed");
    // What they would have done has gone with them: the build alone is to come.
    bench.step();
    expect(bench.machine("building")).toMatchObject({ phase: "building", reason: "half built" });
    bench.step();
    expect(bench.machine("building")?.phase).toBe("built");
    expect(bench.host.nextUs).toBe(Infinity);
  });

  test("keeps its last setting, and falls once", () => {
    const bench = new Bench().run();
    bench.host.setFence(bench.nowUs + 10);
    bench.host.setFence(bench.nowUs + 1000);
    bench.wait(999);
    expect(bench.phase).toBe("running");
    bench.wait(1);
    expect(bench.phase).toBe("failed");
    bench.run(2);
    bench.wait();
    expect(bench.phase).toBe("running");
  });

  test("does not fall at Infinity, and falls at once when its time has passed", () => {
    const bench = new Bench().run();
    bench.host.setFence(bench.nowUs + 10);
    bench.host.setFence(Infinity);
    expect(bench.host.nextUs).toBe(Infinity);
    bench.host.setFence(0);
    expect(bench.wait(0)).toBe(true);
    expect(bench.machine()).toMatchObject({ phase: "failed", reason: "fenced" });
  });

  test("is not set by an action, whose time is of a clock unknown here", () => {
    expect(() => new Bench().do({ kind: "fenceAt", atMs: 1 })).toThrow(/setFence/);
  });
});

test("a reboot leaves nothing behind but the faults", () => {
  const bench = new Bench({ crashMeanMs: 1e6 }).run().do(build(1, "built"), runJob(), probe());
  bench.host.setFence(bench.nowUs + LONG_US);
  bench.do(runJob(2, "job", 0), probe(1, "vm", 0));
  bench.wait(0);
  const before = bench.host.inventory();
  bench.host.reboot();
  expect(bench.host.inventory()).toEqual([]);
  expect(before).toHaveLength(2);
  expect(bench.host.jobs()).toEqual([]);
  expect(bench.host.running()).toEqual([]);
  expect(bench.host.runningJobs).toEqual([]);
  expect(bench.host.takeProbeResults()).toEqual([]);
  expect(bench.host.nextUs).toBe(Infinity);
  expect(bench.host.faults.crashMeanMs).toBe(1e6);
  // Not even the memory of what was started: that is for the agent to have.
  expect(bench.run().phase).toBe("running");
});

describe("an orphan", () => {
  test("runs without having been asked for, and can be got rid of", () => {
    const bench = new Bench();
    bench.host.plantOrphan("stray", 7, bench.nowUs);
    expect(bench.machine("stray")).toEqual({ name: "stray", epoch: 7, phase: "running", reason: "" });
    expect(bench.host.running()).toEqual([{ name: "stray", epoch: 7, spec: null, interfaces: [] }]);
    bench.do(stop(7, "stray")).wait();
    bench.do(remove(7, "stray"));
    expect(bench.host.inventory()).toEqual([]);
  });

  test("was started: its epoch is used up", () => {
    const bench = new Bench();
    bench.host.plantOrphan("vm", 7, 0);
    bench.do(stop(7)).wait();
    bench.do(remove(7), build(7)).wait();
    expect(bench.do(start(7)).phase).toBe("built");
  });

  test("does not take the place of another machine", () => {
    const bench = inPhase("built");
    bench.host.plantOrphan("vm", 9, bench.nowUs);
    expect(bench.machine()).toMatchObject({ epoch: 5, phase: "built" });
  });

  test("crashes as others do", () => {
    const bench = new Bench({ crashMeanMs: 1000 });
    bench.host.plantOrphan("stray", 7, bench.nowUs);
    bench.step();
    expect(bench.machine("stray")).toMatchObject({ phase: "failed", reason: "crashed" });
  });
});

const name = fc.constantFrom("a", "b");
// Seldom a higher one, after which nothing is left to be done with the lower.
const number = fc.constantFrom(1, 1, 1, 2, 2, 3);
const action = fc.constantFrom(build, build, start, start, start, stop, stop, remove, probe, runJob, endJob, forgetJob);
const passing = fc.constantFrom("step", "step", "step", "wait", "wait", "fence");
// Without a bias to the ends of ranges and lists: with it hardly anything ever gets to run.
const act = fc.noBias(
  fc.oneof(
    { weight: 2, arbitrary: fc.tuple(action, number, name) },
    { weight: 1, arbitrary: fc.tuple(passing, fc.nat(2 * SECOND_US), name) },
  ),
);
const faults = fc.record({
  buildFailChance: fc.constantFrom(0, 0.3),
  bootHangChance: fc.constantFrom(0, 0.3),
  crashMeanMs: fc.constantFrom(Infinity, 2000),
  zombieChance: fc.constantFrom(0, 0.3),
  unhealthyChance: fc.constantFrom(0, 0.3),
});

/** Carries out acts as drawn; `look` after each of them. */
function perform(
  bench: Bench,
  acts: readonly (readonly [string | ((number: number, name: string) => HostAction), number, string])[],
  look: (advanced: boolean | null) => void,
): void {
  for (const [what, amount, about] of acts) {
    let advanced: boolean | null = null;
    if (typeof what !== "string") bench.do(what(amount, about));
    else if (what === "fence") bench.host.setFence(bench.nowUs + amount);
    else if (what === "wait") advanced = bench.wait(amount);
    else if (bench.host.nextUs < Infinity) advanced = bench.step();
    look(advanced);
  }
}

test("whatever is asked for, a machine starts once in an epoch, has its name to itself, and is seen to change only when it does", () => {
  let started = 0;
  let ended = 0;
  fc.assert(
    fc.property(
      fc.array(act, { minLength: 60, maxLength: 150, size: "max" }),
      faults,
      fc.integer(),
      (acts, drawn, seed) => {
        const bench = new Bench(drawn, seed);
        const { host } = bench;
        const starts = new Set<string>();
        let executing = new Set<string>();
        let machines = host.inventory();
        let jobs = host.jobs();
        perform(bench, acts, (advanced) => {
          const seen = host.inventory();
          const seenJobs = host.jobs();
          expect(host.inventory()).toBe(seen);
          // The same array exactly as long as it says the same.
          expect(seen === machines).toBe(JSON.stringify(seen) === JSON.stringify(machines));
          expect(seenJobs === jobs).toBe(JSON.stringify(seenJobs) === JSON.stringify(jobs));
          if (advanced !== null) {
            expect(advanced).toBe(seen !== machines || seenJobs !== jobs);
            expect(host.nextUs).toBeGreaterThan(bench.nowUs);
          }
          machines = seen;
          jobs = seenJobs;

          const names = seen.map((machine) => machine.name);
          expect(names).toEqual([...new Set(names)].sort());
          const now = new Set(host.running().map((machine) => `${machine.name}/${machine.epoch}`));
          expect(now.size).toBe(seen.filter(({ phase }) => EXECUTING.some((one) => one === phase)).length);
          for (const machine of now) {
            if (executing.has(machine)) continue;
            expect(starts).not.toContain(machine);
            starts.add(machine);
            started += 1;
          }
          for (const machine of executing) if (!now.has(machine)) ended += 1;
          executing = now;
        });
      },
    ),
    { numRuns: 300 },
  );
  expect(started).toBeGreaterThan(100);
  expect(ended).toBeGreaterThan(50);
});

test("the same calls with the same random stream are the same host", () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 80, size: "max" }), faults, fc.integer(), (acts, drawn, seed) => {
      const [one, other] = [0, 1].map(() => {
        const bench = new Bench({ ...drawn, wrongReportChance: 0.3 }, seed);
        const seen: (readonly [number, readonly Machine[], readonly Job[], readonly ProbeResult[]])[] = [];
        perform(bench, acts, () => {
          seen.push([bench.host.nextUs, bench.host.inventory(), bench.host.jobs(), bench.host.takeProbeResults()]);
        });
        return seen;
      });
      expect(one).toEqual(other);
    }),
    { numRuns: 50 },
  );
});
