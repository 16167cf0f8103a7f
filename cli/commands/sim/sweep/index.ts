/** `sim sweep`: many seeds over threads. */
import { availableParallelism } from "node:os";
import { Tinypool } from "tinypool";
import { checkWritable, writeWhole } from "../../../files/index.ts";
import { EXIT, type ExitCode, type Interrupt, type SeedRange, type Shard, UsageError } from "../../../frame/index.ts";
import type { Terminal } from "../../../output/index.ts";
import { brokenOff, jsonOf, type RunRecord } from "../record.ts";
import type { RunRequest } from "../request.ts";
import { scenariosNamed } from "../scenarios.ts";
import { type JunitCase, junitXml } from "./junit.ts";
import { runsOf, type SweepPlan, seedsInShard } from "./plan.ts";
import { sweepProgress } from "./progress.ts";
import { type Ending, failureLine, isFailure, type SweepResult, Totals, totalsLines } from "./totals.ts";

/**
 * The limit of one thread's heap, many times what a run needs. A run that exceeds it fails, before the machine runs
 * out of memory.
 */
const THREAD_HEAP_MAX_MIB = 1024;

export interface SweepOptions {
  readonly seeds: SeedRange;
  readonly nodes?: number;
  readonly duration?: number;
  readonly jobs?: number;
  readonly time?: number;
  readonly shard?: Shard;
  readonly junit?: string;
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
    const { violations } = record.report;
    const ok = !isFailure(record.report);
    totals.add(request, record);
    if (options.json === true) terminal.out(JSON.stringify(jsonOf(record)));
    if (!ok) terminal.err(failureLine({ request, violations }, terminal.paintErr));
    if (options.junit !== undefined) {
      cases.push({ scenario: request.scenario, seed: request.seed, wallMs: record.wallMs, ok, violations });
    }
    showProgress(totals.sums.runs, totals.sums.failed);
  };

  const jobs = Math.max(1, Math.min(options.jobs ?? availableParallelism(), planned));
  const endMs = options.time === undefined ? Number.POSITIVE_INFINITY : beganMs + options.time;
  const ending = await runAll(runsOf(plan), jobs, endMs, interrupt.signal, onRecord);

  terminal.progress("");
  const result: SweepResult = { totals, planned, ending, jobs, wallMs: performance.now() - beganMs };
  // With --json, standard output holds the runs and nothing else.
  const [print, paint] = options.json === true ? [terminal.err, terminal.paintErr] : [terminal.out, terminal.paintOut];
  for (const line of totalsLines(result, paint)) print(line);
  if (options.junit !== undefined) writeWhole(options.junit, junitXml(cases));
  if (totals.failures.length > 0) return EXIT.failed;
  return ending === "interrupted" ? interrupt.exitCode : EXIT.holds;
}

async function runAll(
  requests: Iterator<RunRequest, void>,
  jobs: number,
  endMs: number,
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
      if (performance.now() >= endMs) {
        ending = "outOfTime";
        return;
      }
      const record = await runInPool(pool, request);
      if (signal.aborted) return;
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

/** A thread that dies, for example out of memory, is a failed run and does not end the sweep. */
async function runInPool(pool: Tinypool, request: RunRequest): Promise<RunRecord> {
  try {
    const record: RunRecord = await pool.run(request);
    return record;
  } catch (error) {
    return { report: brokenOff(request, error), wallMs: 0 };
  }
}
