/** `sim sweep`: many seeds over threads. */
import { availableParallelism } from "node:os";
import { Tinypool } from "tinypool";
import { checkWritable, writeWhole } from "../../../files/index.ts";
import { EXIT, type ExitCode, type Interrupt, type SeedRange, type Shard, UsageError } from "../../../frame/index.ts";
import type { Terminal } from "../../../output/index.ts";
import { WALL_LIMIT_DEFAULT_MS } from "../execute.ts";
import { brokenOff, jsonOf, type RunRecord } from "../record.ts";
import type { RunRequest } from "../request.ts";
import { scenariosNamed } from "../scenarios.ts";
import { coverageLines, coverageOf } from "./coverage.ts";
import { type JunitCase, junitXml } from "./junit.ts";
import { runsOf, type SweepPlan, seedsInShard } from "./plan.ts";
import { sweepProgress } from "./progress.ts";
import type { ThreadJob } from "./thread.ts";
import { type Ending, failureLine, isFailure, type SweepResult, Totals, totalsLines } from "./totals.ts";

/**
 * The limit of one thread's heap, many times what a run needs. A run that exceeds it fails, before the machine runs
 * out of memory.
 */
const THREAD_HEAP_MAX_MIB = 2048;
/** A run keeps to its limits between events. A thread that is later than this does not come back from an event. */
const THREAD_LATE_MS = 30_000;
/** The longest that a timer can wait. */
const TIMER_MAX_MS = 2 ** 31 - 1;

export interface SweepOptions {
  readonly seeds: SeedRange;
  readonly nodes?: number;
  readonly duration?: number;
  readonly jobs?: number;
  readonly time?: number;
  readonly wallLimit?: number;
  readonly shard?: Shard;
  readonly junit?: string;
  readonly coverage?: true;
  readonly json?: true;
}

export async function sweep(
  scenarios: readonly string[],
  options: SweepOptions,
  terminal: Terminal,
  interrupt: Interrupt,
): Promise<ExitCode> {
  const plan: SweepPlan = {
    scenarios: scenariosNamed(scenarios).map(({ name }) => name),
    seeds: options.seeds,
    shard: options.shard ?? { index: 1, count: 1 },
    nodes: options.nodes ?? null,
    durationMs: options.duration ?? null,
  };
  const planned = seedsInShard(plan) * plan.scenarios.length;
  if (!Number.isSafeInteger(planned)) {
    throw new UsageError("the sweep has more runs than can be counted", "give a smaller --seeds, or a --shard of it");
  }
  if (options.junit !== undefined) checkWritable(options.junit);

  const beganMs = performance.now();
  const totals = new Totals(plan.scenarios);
  const cases: JunitCase[] = [];
  const showProgress = sweepProgress(terminal, planned, beganMs);
  const onRecord = (request: RunRequest, record: RunRecord): void => {
    const { violations, interrupted } = record.report;
    const ok = !isFailure(record.report);
    if (record.report.ok && interrupted) {
      totals.cutShort += 1;
      return;
    }
    totals.add(request, record);
    if (options.json === true) terminal.out(JSON.stringify(jsonOf(record)));
    if (!ok) terminal.err(failureLine({ request, violations }, terminal.paintErr));
    if (options.junit !== undefined) {
      cases.push({ scenario: request.scenario, seed: request.seed, wallMs: record.wallMs, ok, violations });
    }
    showProgress(totals.sums.runs, totals.sums.failed);
  };

  const jobs = Math.max(1, Math.min(options.jobs ?? availableParallelism(), planned));
  const common: Common = {
    coverage: options.coverage === true,
    wallLimitMs: options.wallLimit ?? WALL_LIMIT_DEFAULT_MS,
    endAtMs: options.time === undefined ? Number.POSITIVE_INFINITY : Date.now() + options.time,
  };
  const ending = await runAll(runsOf(plan), jobs, common, interrupt.signal, onRecord);

  terminal.progress("");
  const result: SweepResult = { totals, planned, ending, jobs, wallMs: performance.now() - beganMs };
  // With --json, standard output holds the runs and nothing else.
  const [print, paint] = options.json === true ? [terminal.err, terminal.paintErr] : [terminal.out, terminal.paintOut];
  for (const line of totalsLines(result, paint)) print(line);
  if (options.coverage === true) {
    if (options.json === true) terminal.out(JSON.stringify({ coverage: coverageOf(totals.marks) }));
    for (const line of coverageLines(totals.marks, paint)) print(line);
  }
  if (options.junit !== undefined) writeWhole(options.junit, junitXml(cases));
  if (totals.failures.length + totals.idleActs.length > 0) return EXIT.failed;
  return ending === "interrupted" ? interrupt.exitCode : EXIT.holds;
}

/** What is the same for all runs. */
type Common = Omit<ThreadJob, "request">;

async function runAll(
  requests: Iterator<RunRequest, void>,
  jobs: number,
  common: Common,
  signal: AbortSignal,
  onRecord: (request: RunRequest, record: RunRecord) => void,
): Promise<Ending> {
  const pool = new Tinypool({
    filename: new URL("./thread.ts", import.meta.url).href,
    minThreads: jobs,
    maxThreads: jobs,
    resourceLimits: { maxOldGenerationSizeMb: THREAD_HEAP_MAX_MIB },
  });
  const stop = (): void => void pool.destroy();
  signal.addEventListener("abort", stop, { once: true });
  let ending: Ending = "complete";

  /** Gives one thread run after run, until none is left. All threads take from the same requests. */
  const feed = async (): Promise<void> => {
    for (;;) {
      const next = requests.next();
      if (next.done === true) return;
      const request = next.value;
      if (Date.now() >= common.endAtMs) {
        ending = "outOfTime";
        return;
      }
      const record = await runInPool(pool, { request, ...common });
      if (signal.aborted) return;
      if (record.report.ok && record.report.interrupted) ending = "outOfTime";
      onRecord(request, record);
    }
  };
  try {
    await Promise.all(Array.from({ length: jobs }, feed));
    return signal.aborted ? "interrupted" : ending;
  } finally {
    signal.removeEventListener("abort", stop);
    await pool.destroy();
  }
}

/**
 * A thread that dies, for example out of memory, or that does not come back, is a failed run and does not end the
 * sweep.
 */
async function runInPool(pool: Tinypool, job: ThreadJob): Promise<RunRecord> {
  const { request, wallLimitMs, endAtMs } = job;
  const lateMs = Math.min(wallLimitMs, Math.max(0, endAtMs - Date.now())) + THREAD_LATE_MS;
  const late = AbortSignal.timeout(Math.min(lateMs, TIMER_MAX_MS));
  try {
    const record: RunRecord = await pool.run(job, { signal: late });
    return record;
  } catch (error) {
    const cause = late.aborted ? new Error("one event takes for ever: its thread did not come back in time") : error;
    return { report: brokenOff(request, cause), wallMs: 0 };
  }
}
