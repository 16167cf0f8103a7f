import { describe, expect, test } from "vitest";
import { Bench, endJob, forgetJob, runJob } from "./testing/index.ts";

describe("a job", () => {
  test("runs, exits, and is forgotten", () => {
    const bench = new Bench().do(runJob());
    expect(bench.job).toEqual({ id: "job", attempt: 1, phase: "running", exitCode: 0, output: "" });
    expect(bench.host.runningJobs).toMatchObject([{ id: "job", attempt: 1 }]);
    expect(bench.do(forgetJob()).job?.phase).toBe("running");
    expect(bench.step()).toBe(true);
    expect(bench.job).toMatchObject({ phase: "exited", output: "output of make" });
    expect(bench.host.runningJobs).toEqual([]);
    expect(bench.do(endJob()).job?.phase).toBe("exited");
    expect(bench.do(forgetJob()).job).toBeUndefined();
  });

  test("is run once an attempt, forgotten or not", () => {
    const bench = new Bench().do(runJob(), runJob());
    expect(bench.host.jobs()).toHaveLength(1);
    bench.wait();
    bench.do(runJob());
    expect(bench.job?.phase).toBe("exited");
    bench.do(forgetJob(), runJob());
    expect(bench.host.jobs()).toEqual([]);
    bench.do(runJob(2));
    expect(bench.host.jobs()).toMatchObject([{ attempt: 2, phase: "running" }]);
  });

  test("mostly exits with 0, not always", () => {
    const bench = new Bench();
    for (let attempt = 1; attempt <= 200; attempt += 1) bench.do(runJob(attempt));
    bench.wait();
    const failures = bench.host.jobs().filter(({ exitCode }) => exitCode !== 0).length;
    expect(failures).toBeGreaterThan(5);
    expect(failures).toBeLessThan(50);
  });

  test("fails when its time is over", () => {
    const bench = new Bench().do(runJob(1, "job", 0.003));
    expect(bench.host.nextUs).toBe(3);
    bench.step();
    expect(bench.job).toMatchObject({ phase: "failed", output: "timed out" });
  });

  test("fails when it is ended", () => {
    const bench = new Bench().do(runJob(), endJob(2), endJob(1, "other"));
    expect(bench.job?.phase).toBe("running");
    bench.do(endJob());
    expect(bench.job).toMatchObject({ phase: "failed", output: "ended" });
    expect(bench.host.nextUs).toBe(Infinity);
  });

  test("prints no more than is kept of it", () => {
    const bench = new Bench().do({
      kind: "runJob",
      id: "job",
      attempt: 1,
      command: "x".repeat(10_000),
      args: [],
      timeoutMs: 1e9,
    });
    bench.wait();
    expect(bench.job?.output).toHaveLength(4096);
  });

  test("has its place by id, then by attempt", () => {
    const bench = new Bench().do(runJob(1, "b"), runJob(10, "a"), runJob(9, "a"));
    expect(bench.host.jobs().map(({ id, attempt }) => `${id}${attempt}`)).toEqual(["a9", "a10", "b1"]);
  });
});
