/**
 * The jobs of a host, as its agent sees them. A job is one attempt of a task. Jobs are run by the keeper (keeper.ts),
 * a process that is there as long as there is a job. Jobs do not outlive the node's process: those that an earlier
 * process has left behind are ended before this host reports anything.
 */
import { type ChildProcess, fork } from "node:child_process";
import { rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Logger } from "pino";
import { CLUSTER_LIMITS, type HostAction, type Job, TIMED_OUT } from "../../core/index.ts";
import { Deadline, killAll, markOf, monotonicMs, PROCESS_MARK } from "../processes/index.ts";
import type { Ended, JobOrder, Order } from "./keeper-protocol.ts";

export type JobAction = Extract<HostAction, { readonly kind: "runJob" | "endJob" | "forgetJob" }>;

const KEEPER = fileURLToPath(new URL("./keeper.ts", import.meta.url));

/**
 * How long after the fence the keeper may still have jobs. After that it hangs. Much shorter than the grace that the
 * cluster gives (core/agent/lease.ts).
 */
const KEEPER_LATE_MS = 500;

export class Jobs {
  readonly #folder: string;
  readonly #log: Logger;
  readonly #changed: () => void;
  readonly #jobs = new Map<string, Job>();
  #keeper: ChildProcess | null = null;
  #fenceAtMs: number | null = null;
  readonly #keeperLate = new Deadline(() => this.#replaceKeeper());
  /** Jobs that came while those of a keeper that has died are still being ended; null: no keeper has died. */
  #held: JobOrder[] | null = null;
  #isClosed = false;

  private constructor(folder: string, log: Logger, changed: () => void) {
    this.#folder = folder;
    this.#log = log;
    this.#changed = changed;
  }

  /**
   * Resolves when no job of an earlier process runs any more. `changed` is called whenever `list` returns something
   * else, and sometimes when it does not.
   */
  static async open(dataDir: string, log: Logger, changed: () => void): Promise<Jobs> {
    const folder = join(resolve(dataDir), "jobs");
    await killAll({ group: null, markedWith: markOf(folder) });
    rmSync(folder, { recursive: true, force: true });
    return new Jobs(folder, log, changed);
  }

  /** Sorted by id, then by attempt. */
  list(): readonly Job[] {
    return [...this.#jobs.values()].sort((a, b) => (a.id === b.id ? a.attempt - b.attempt : a.id < b.id ? -1 : 1));
  }

  /**
   * Sets the fence: when all jobs are ended, by CLOCK_MONOTONIC, unless it is set to another time before. No job is
   * run before it is set for the first time.
   */
  fenceAt(atMs: number): void {
    this.#fenceAtMs = atMs;
    this.#keeperLate.set(atMs + KEEPER_LATE_MS);
    this.#order({ kind: "fenceAt", atMs });
  }

  perform(action: JobAction): void {
    switch (action.kind) {
      case "runJob": {
        const { kind: _, ...order } = action;
        this.#run(order);
        return;
      }
      case "endJob":
        this.#order({ kind: "end", id: action.id, attempt: action.attempt });
        return;
      case "forgetJob":
        this.#forget(keyOf(action));
        return;
    }
  }

  /** Ends them all, and resolves when that is done. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#keeperLate.clear();
    const keeper = this.#keeper;
    this.#keeper = null;
    if (keeper === null) return;
    const gone = new Promise((resolve) => keeper.once("exit", resolve));
    if (keeper.connected) keeper.disconnect();
    await gone;
  }

  #run(order: JobOrder): void {
    const key = keyOf(order);
    if (this.#isClosed || this.#jobs.has(key)) return;
    const { id, attempt, command } = order;
    this.#jobs.set(key, { id, attempt, phase: "running", exitCode: 0, output: "" });
    this.#log.info({ task: id, attempt, command }, "runs a task");
    // No keeper is started after the fence: `#replaceKeeper`, still to come, would take it for one that hangs.
    if (this.#fenceAtMs === null || monotonicMs() >= this.#fenceAtMs)
      this.#jobs.set(key, jobOf(id, attempt, { kind: "fenced" }, ""));
    else if (this.#held === null) this.#handOver(order);
    else this.#held.push(order);
    this.#changed();
  }

  #handOver(order: JobOrder): void {
    this.#keeper ??= this.#startKeeper();
    if (this.#fenceAtMs !== null) this.#order({ kind: "fenceAt", atMs: this.#fenceAtMs });
    this.#order({ kind: "run", outputLength: CLUSTER_LIMITS.outputLength, ...order });
  }

  #startKeeper(): ChildProcess {
    const keeper = fork(KEEPER, [this.#folder], {
      // In a process group of its own, so that Ctrl-C reaches the node only, which ends things in order.
      detached: true,
      execArgv: [],
      env: { PATH: process.env["PATH"], [PROCESS_MARK]: markOf(this.#folder) },
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    keeper.on("message", (ended: Ended) => this.#ended(ended));
    keeper.once("error", (error) => {
      this.#log.error({ err: error }, "the keeper of jobs failed");
      // A process that could not be started never exits.
      if (keeper.pid === undefined) void this.#keeperGone(keeper, error.message);
    });
    keeper.once("exit", (code, signal) => void this.#keeperGone(keeper, signal ?? `exit code ${code}`));
    return keeper;
  }

  #order(order: Order): void {
    // If the keeper is gone, `#keeperGone` says what has become of its jobs.
    if (this.#keeper?.connected === true) this.#keeper.send(order, () => undefined);
  }

  #ended({ id, attempt, how, output }: Ended): void {
    const key = keyOf({ id, attempt });
    if (this.#jobs.get(key)?.phase !== "running") return;
    this.#jobs.set(key, jobOf(id, attempt, how, output));
    this.#log.info({ task: id, attempt, how }, "a task has ended");
    this.#dismissKeeper();
    this.#changed();
  }

  #dismissKeeper(): void {
    for (const { phase } of this.#jobs.values()) if (phase === "running") return;
    const keeper = this.#keeper;
    this.#keeper = null;
    if (keeper?.connected === true) keeper.disconnect();
  }

  /** The keeper hangs and this process does not. One of the two is enough to end the jobs in time. */
  #replaceKeeper(): void {
    if (![...this.#jobs.values()].some(({ phase }) => phase === "running")) return;
    this.#log.error("the keeper has not ended its jobs with the lease of this host");
    this.#keeper?.kill("SIGKILL");
  }

  /** Its jobs may still run. They have failed once they are ended. */
  async #keeperGone(keeper: ChildProcess, end: string): Promise<void> {
    if (keeper !== this.#keeper) return;
    this.#log.error({ end }, "the keeper of jobs has died: its jobs are ended");
    this.#keeper = null;
    const lost = [...this.#jobs].filter(([, { phase }]) => phase === "running");
    this.#held = [];
    await killAll({ group: null, markedWith: markOf(this.#folder) });
    for (const [key, { id, attempt }] of lost)
      this.#jobs.set(key, failed(id, attempt, "the process that kept it has died"));
    const held = this.#held;
    this.#held = null;
    if (!this.#isClosed) for (const order of held) this.#handOver(order);
    this.#changed();
  }

  #forget(key: string): void {
    const job = this.#jobs.get(key);
    if (job === undefined || job.phase === "running") return;
    this.#jobs.delete(key);
    rmSync(join(this.#folder, key), { recursive: true, force: true });
    this.#changed();
  }
}

function jobOf(id: string, attempt: number, how: Ended["how"], output: string): Job {
  switch (how.kind) {
    case "exited":
      return { id, attempt, phase: "exited", exitCode: how.exitCode, output };
    case "notStarted":
      return failed(id, attempt, `it could not be run: ${how.reason}`.slice(0, REASON_LENGTH));
    case "timedOut":
      return failed(id, attempt, TIMED_OUT);
    case "cancelled":
      return failed(id, attempt, "ended as asked");
    case "fenced":
      return failed(id, attempt, "ended because the lease of its host ran out");
  }
}

function failed(id: string, attempt: number, output: string): Job {
  return { id, attempt, phase: "failed", exitCode: 0, output };
}

const REASON_LENGTH = 200;

function keyOf({ id, attempt }: { readonly id: string; readonly attempt: number }): string {
  return `${id}.${attempt}`;
}
