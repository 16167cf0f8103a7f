import { describe, expect, test } from "vitest";
import { noHypervisorFaults } from "./hypervisor-faults.ts";
import { Bench, build, probe, start, stop } from "./testing/index.ts";

describe("faults", () => {
  test("slow builds, which say halfway how far they are", () => {
    const usualUs = new Bench().do(build()).host.nextUs;
    const bench = new Bench({ buildSlowFactor: 7 }).do(build());
    bench.step();
    expect(bench.machine()).toMatchObject({ phase: "building", reason: "half built" });
    expect(Math.abs(bench.host.nextUs - 7 * usualUs)).toBeLessThan(8);
    bench.step();
    expect(bench.machine()).toMatchObject({ phase: "built", reason: "" });
  });

  test("failed builds, after which the next epoch may do better", () => {
    const bench = new Bench({ buildFailChance: 1 }).do(build());
    expect(bench.phase).toBe("building");
    bench.step();
    expect(bench.machine()).toMatchObject({ phase: "failed", reason: "build failed" });
    bench.host.faults.buildFailChance = 0;
    expect(bench.run(2).phase).toBe("running");
  });

  test("boots that hang until they are stopped", () => {
    const bench = new Bench({ bootHangChance: 1 }).do(build());
    bench.wait();
    bench.do(start());
    bench.wait();
    expect(bench.phase).toBe("starting");
    expect(bench.host.nextUs).toBe(Infinity);
    expect(bench.host.running()).toHaveLength(1);
    bench.do(stop()).wait();
    expect(bench.phase).toBe("stopped");
  });

  test("crashes", () => {
    const bench = new Bench({ crashMeanMs: 5000 }).run();
    expect(bench.phase).toBe("running");
    // Drawn when it began to run: it comes, whatever the injector does now.
    bench.host.faults = noHypervisorFaults();
    expect(bench.step()).toBe(true);
    expect(bench.machine()).toMatchObject({ phase: "failed", reason: "crashed" });
    expect(bench.host.running()).toEqual([]);
  });

  test("crashes as early after a boot that nobody looked at", () => {
    const bench = new Bench({ crashMeanMs: 5000 }).do(build());
    bench.wait();
    bench.do(start()).wait();
    expect(bench.machine()).toMatchObject({ phase: "failed", reason: "crashed" });
  });

  test("no crash of a machine that is stopped before", () => {
    const bench = new Bench({ crashMeanMs: 1e6 }).run().do(stop());
    bench.wait();
    expect(bench.machine()).toMatchObject({ phase: "stopped", reason: "powered off" });
  });

  test("zombies, which run on until they are asked again", () => {
    const bench = new Bench({ zombieChance: 1 }).run().do(stop());
    bench.wait();
    expect(bench.phase).toBe("stopping");
    expect(bench.host.running()).toHaveLength(1);
    bench.do(stop());
    expect(bench.phase).toBe("stopping");
    bench.step();
    expect(bench.phase).toBe("stopped");
    expect(bench.host.running()).toEqual([]);
  });

  test("wrong reports of one machine, in its phase or its reason, that leave the truth alone", () => {
    const bench = new Bench().run(1, "a").run(2, "b").run(3, "c");
    const truth = bench.host.inventory();
    const running = bench.host.running();
    bench.host.faults.wrongReportChance = 1;
    const seen = new Set<string>();
    for (let reading = 0; reading < 200; reading += 1) {
      const wrong = bench.host.inventory().filter((machine, index) => machine !== truth[index]);
      expect(wrong).toHaveLength(1);
      for (const { name, epoch, phase, reason } of wrong) {
        expect(phase !== "running" || reason !== "").toBe(true);
        expect(epoch).toBe("_abc".indexOf(name));
        seen.add(name).add(phase);
      }
      expect(bench.host.running()).toBe(running);
    }
    expect(seen.size).toBe(3 + 7);
    bench.host.faults.wrongReportChance = 0;
    expect(bench.host.inventory()).toBe(truth);
  });

  test("no wrong report where there is nothing to report", () => {
    expect(new Bench({ wrongReportChance: 1 }).host.inventory()).toEqual([]);
  });

  test("unhealthy guests", () => {
    const bench = new Bench({ unhealthyChance: 1 }).run().do(probe());
    bench.wait();
    expect(bench.host.takeProbeResults()).toMatchObject([{ healthy: false }]);
    expect(bench.phase).toBe("running");
  });
});
