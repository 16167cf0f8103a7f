/** Jobs as processes: how they run, how they end, and that no process of a job outlives it. */
import { fork } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Job } from "../../core/index.ts";
import { monotonicMs, processesOf } from "../processes/index.ts";
import { Jobs } from "./jobs.ts";

let folder = "";
const opened: Jobs[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "blixard-test-"));
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((jobs) => jobs.close()));
  rmSync(folder, { recursive: true, force: true });
});

const HOUR_MS = 3_600_000;

async function openJobs(leaseMs = HOUR_MS): Promise<Jobs> {
  const jobs = await Jobs.open(folder, pino({ level: "silent" }), () => undefined);
  opened.push(jobs);
  jobs.fenceAt(monotonicMs() + leaseMs);
  return jobs;
}

function run(jobs: Jobs, id: string, script: string, timeoutMs = HOUR_MS): void {
  jobs.perform({ kind: "runJob", id, attempt: 1, command: "sh", args: ["-c", script], timeoutMs });
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}

async function over(jobs: Jobs, id: string): Promise<Job> {
  await until(() => jobs.list().some((job) => job.id === id && job.phase !== "running"));
  const job = jobs.list().find((each) => each.id === id);
  if (job === undefined) throw new Error("it was there");
  return job;
}

/** All processes of the jobs that run, and the keeper. */
function running(): readonly number[] {
  return processesOf({ group: null, markedWith: `${folder}/jobs/` });
}

/** The contents of a file that a job writes into its directory. Waits for it. */
async function written(id: string, name: string): Promise<string> {
  const path = join(folder, "jobs", `${id}.1`, name);
  await until(() => existsSync(path) && readFileSync(path, "utf8").endsWith("\n"));
  return readFileSync(path, "utf8").trim();
}

describe("a job", () => {
  test("runs without a shell, in a directory of its own, with a bare environment", async () => {
    const jobs = await openJobs();
    jobs.perform({ kind: "runJob", id: "env", attempt: 1, command: "env", args: [], timeoutMs: HOUR_MS });
    jobs.perform({ kind: "runJob", id: "echo", attempt: 1, command: "echo", args: ["$HOME; ls"], timeoutMs: HOUR_MS });
    run(jobs, "where", "pwd; exit 3");
    expect(await over(jobs, "echo")).toMatchObject({ phase: "exited", exitCode: 0, output: "$HOME; ls\n" });
    const where = join(folder, "jobs", "where.1");
    expect(await over(jobs, "where")).toMatchObject({ phase: "exited", exitCode: 3, output: `${where}\n` });
    const names = (await over(jobs, "env")).output.split("\n").map((line) => line.split("=")[0]);
    expect(names.toSorted()).toEqual(
      ["", "BLIXARD_ATTEMPT", "BLIXARD_OWNER", "BLIXARD_TASK", "HOME", "LANG", "PATH", "TMPDIR"].toSorted(),
    );
    jobs.perform({ kind: "forgetJob", id: "where", attempt: 1 });
    expect(existsSync(where)).toBe(false);
    expect(jobs.list().map(({ id }) => id)).toEqual(["echo", "env"]);
  });

  test("keeps the end of what it prints on both streams, however much that is", async () => {
    const jobs = await openJobs();
    run(jobs, "loud", "yes ä | head -c 20000000; echo; echo last; echo told >&2");
    const { output } = await over(jobs, "loud");
    expect(output.length).toBe(4096);
    // Each stream keeps its order; between the two there is none.
    for (const word of ["last\n", "told\n"]) expect(output.slice(-200)).toContain(word);
  });

  test("that cannot be run has failed, and says why", async () => {
    const jobs = await openJobs();
    jobs.perform({ kind: "runJob", id: "none", attempt: 1, command: "no-such-command", args: [], timeoutMs: HOUR_MS });
    expect(await over(jobs, "none")).toMatchObject({ phase: "failed", output: expect.stringContaining("ENOENT") });
  });

  test("that a signal has ended is told apart by its exit code", async () => {
    const jobs = await openJobs();
    run(jobs, "signal", "kill -SEGV $$");
    expect(await over(jobs, "signal")).toMatchObject({ phase: "exited", exitCode: 139 });
  });

  test("runs once, however often it is asked for", async () => {
    const jobs = await openJobs();
    for (let n = 0; n < 3; n++) run(jobs, "once", "echo ran >> ../ran; sleep 0.1");
    await over(jobs, "once");
    run(jobs, "once", "echo ran >> ../ran");
    run(jobs, "other", "true");
    await over(jobs, "other");
    expect(readFileSync(join(folder, "jobs", "ran"), "utf8")).toBe("ran\n");
  });

  test("takes with it what it leaves behind, in its group or out of it", async () => {
    const jobs = await openJobs();
    run(jobs, "daemon", "sleep 1000 & setsid sleep 1000 & sleep 0.2; exit 0");
    expect(await over(jobs, "daemon")).toMatchObject({ phase: "exited", exitCode: 0 });
    await until(() => running().length === 0);
  });
});

describe("a job is ended as a whole", () => {
  test("when it takes too long", async () => {
    const jobs = await openJobs();
    run(jobs, "long", "sleep 1000 & echo $! > child; wait", 300);
    expect(await over(jobs, "long")).toEqual({
      id: "long",
      attempt: 1,
      phase: "failed",
      exitCode: 0,
      output: "timed out",
    });
    await until(() => running().length === 0);
  });

  test("when it is cancelled, also when it does not want to", { timeout: 20_000 }, async () => {
    const jobs = await openJobs();
    run(jobs, "stubborn", "trap '' TERM; echo ready > ready; while true; do sleep 1; done");
    await written("stubborn", "ready");
    jobs.perform({ kind: "endJob", id: "stubborn", attempt: 1 });
    expect(await over(jobs, "stubborn")).toMatchObject({ phase: "failed", output: "ended as asked" });
    await until(() => running().length === 0);
  });

  test("when the lease of its host runs out; another one comes with a new lease", async () => {
    const jobs = await openJobs(1000);
    run(jobs, "fenced", "trap '' TERM; sleep 1000 & setsid sleep 1000 & wait");
    expect(await over(jobs, "fenced")).toMatchObject({ phase: "failed", output: expect.stringContaining("lease") });
    await until(() => running().length === 0);
    run(jobs, "late", "true");
    expect(await over(jobs, "late")).toMatchObject({ phase: "failed", output: expect.stringContaining("lease") });
    // Nobody was started for it, who could be taken for a keeper that hangs.
    expect(running()).toEqual([]);
    jobs.fenceAt(monotonicMs() + HOUR_MS);
    run(jobs, "renewed", "true");
    expect(await over(jobs, "renewed")).toMatchObject({ phase: "exited", exitCode: 0 });
  });

  test("before it begins, when it was on its way until the lease had run out", async () => {
    const jobs = await openJobs();
    run(jobs, "first", "echo $PPID > keeper; sleep 1000");
    const keeper = Number(await written("first", "keeper"));
    const untilMs = monotonicMs() + 100;
    process.kill(keeper, "SIGSTOP");
    jobs.fenceAt(untilMs);
    run(jobs, "delayed", "echo ran > ../delayed-ran");
    await until(() => monotonicMs() > untilMs);
    process.kill(keeper, "SIGCONT");
    for (const id of ["first", "delayed"]) expect(await over(jobs, id)).toMatchObject({ phase: "failed" });
    expect(existsSync(join(folder, "jobs", "delayed-ran"))).toBe(false);
  });

  test("goes on while the lease is renewed", async () => {
    const jobs = await openJobs(600);
    const renewing = setInterval(() => jobs.fenceAt(monotonicMs() + 600), 100);
    run(jobs, "steady", "sleep 2; echo done");
    const { output } = await over(jobs, "steady");
    clearInterval(renewing);
    expect(output).toBe("done\n");
  });

  test("when its keeper is killed, and the next one runs", async () => {
    const jobs = await openJobs();
    run(jobs, "orphan", "echo $PPID > keeper; setsid sleep 1000 & wait");
    const keeper = Number(await written("orphan", "keeper"));
    process.kill(keeper, "SIGKILL");
    expect(await over(jobs, "orphan")).toMatchObject({ phase: "failed", output: expect.stringContaining("died") });
    expect(running()).toEqual([]);
    run(jobs, "next", "true");
    expect(await over(jobs, "next")).toMatchObject({ phase: "exited", exitCode: 0 });
  });

  test("when the lease of its host runs out and its keeper hangs", async () => {
    const jobs = await openJobs();
    run(jobs, "hung", "echo $PPID > keeper; setsid sleep 1000 & wait");
    const keeper = Number(await written("hung", "keeper"));
    process.kill(keeper, "SIGSTOP");
    jobs.fenceAt(monotonicMs() + 100);
    expect(await over(jobs, "hung")).toMatchObject({ phase: "failed" });
    expect(running()).toEqual([]);
    jobs.fenceAt(monotonicMs() + HOUR_MS);
    run(jobs, "next", "true");
    expect(await over(jobs, "next")).toMatchObject({ phase: "exited", exitCode: 0 });
  });

  test("when its keeper cannot be started", async () => {
    const jobs = await openJobs();
    const { execPath } = process;
    process.execPath = join(folder, "no-such-program");
    run(jobs, "unkept", "true");
    process.execPath = execPath;
    expect(await over(jobs, "unkept")).toMatchObject({ phase: "failed", output: expect.stringContaining("died") });
    run(jobs, "next", "true");
    expect(await over(jobs, "next")).toMatchObject({ phase: "exited", exitCode: 0 });
  });

  test("when the host closes; and without a lease none is run", async () => {
    const jobs = await openJobs();
    run(jobs, "closed", "sleep 1000");
    await until(() => running().length > 1);
    await jobs.close();
    expect(running()).toEqual([]);
    const without = await Jobs.open(folder, pino({ level: "silent" }), () => undefined);
    opened.push(without);
    run(without, "early", "true");
    expect(await over(without, "early")).toMatchObject({ phase: "failed" });
  });
});

describe("the switch falls outside of the node's process", () => {
  /** A process like a node's, with one job that runs. */
  async function node(leaseMs: number): Promise<{ readonly signal: (name: NodeJS.Signals) => void }> {
    const child = fork(join(import.meta.dirname, "testing", "job-owner.ts"), [folder, `${leaseMs}`], { execArgv: [] });
    await written("sleeper", "ready");
    return { signal: (name) => void child.kill(name) };
  }

  test("at once when that is killed", async () => {
    const { signal } = await node(HOUR_MS);
    expect(running().length).toBeGreaterThan(1);
    signal("SIGKILL");
    await until(() => running().length === 0);
  });

  test("in time when that hangs", { timeout: 20_000 }, async () => {
    const { signal } = await node(3000);
    signal("SIGSTOP");
    // The keeper stays, to report to the node when that continues.
    await until(() => running().length === 1);
    signal("SIGKILL");
    await until(() => running().length === 0);
  });

  test("and whoever comes next ends what is left, a keeper that hangs among it", async () => {
    const { signal } = await node(HOUR_MS);
    const keeper = Number(readFileSync(join(folder, "jobs", "sleeper.1", "ready"), "utf8"));
    process.kill(keeper, "SIGSTOP");
    signal("SIGKILL");
    expect(running().length).toBeGreaterThan(1);
    await openJobs();
    expect(running()).toEqual([]);
  });
});
