/** Executes one run and measures its wall-clock time, which the pure rooms cannot read. */
import { type FaultSchedule, Run, type RunOptions } from "../../../runtime-sim/index.ts";
import { duration } from "../../output/index.ts";
import { brokenOff, type RunRecord, thrown, withViolation } from "./record.ts";
import { type RunRequest, replayCommand } from "./request.ts";
import { scenarioNamed } from "./scenarios.ts";

/** Some tens of milliseconds of work: the longest delay of Ctrl-C, of limits of time and of the progress line. */
const SLICE_EVENTS = 10_000;
/** A few events tell why a run takes so long; a run that cannot even make those ends without them. */
const CAUSE_WITHIN_MS = 10_000;
/** Many times what a run takes on a busy machine. */
export const WALL_LIMIT_DEFAULT_MS = 600_000;

export type Watchers = Pick<RunOptions, "onTransition" | "trace" | "history" | "coverage">;

export function newRun(request: RunRequest, faults: FaultSchedule | null, watchers: Watchers): Run {
  return new Run(scenarioNamed(request.scenario), {
    seed: request.seed,
    ...(request.nodes === null ? {} : { nodes: request.nodes }),
    ...(request.durationMs === null ? {} : { durationMs: request.durationMs }),
    ...(faults === null ? {} : { faults }),
    ...watchers,
  });
}

/**
 * Runs to the end, or until the signal says stop. A run that throws is a violation, and so is one that takes longer
 * than `wallLimitMs`.
 */
export async function finish(
  run: Run,
  request: RunRequest,
  signal: AbortSignal,
  wallLimitMs: number,
  onProgress: (fraction: number) => void,
): Promise<RunRecord> {
  const beganMs = performance.now();
  const hold = wallLimit(run, beganMs, wallLimitMs);
  try {
    while (!signal.aborted && !run.advance(SLICE_EVENTS)) {
      hold();
      onProgress(run.progress);
      // Gives signal handlers a turn.
      await new Promise(setImmediate);
    }
    return recordOf(run, request, beganMs);
  } catch (error) {
    return recordOfThrown(run, request, beganMs, error);
  }
}

/**
 * Runs to the end without a pause, for threads, which can be ended from outside. At `endAtMs` of the wall clock, which
 * all threads share, it stops where it is, as interrupted.
 */
export function finishAtOnce(
  request: RunRequest,
  watchers: Pick<Watchers, "coverage">,
  wallLimitMs: number,
  endAtMs: number,
): RunRecord {
  const beganMs = performance.now();
  let run: Run | null = null;
  try {
    run = newRun(request, null, watchers);
    const hold = wallLimit(run, beganMs, wallLimitMs);
    while (Date.now() < endAtMs && !run.advance(SLICE_EVENTS)) hold();
    return recordOf(run, request, beganMs);
  } catch (error) {
    return recordOfThrown(run, request, beganMs, error);
  }
}

/** Holds a run to its limit of wall time: to be called now and then. */
function wallLimit(run: Run, beganMs: number, limitMs: number): () => void {
  let exceededAtMs = Infinity;
  return () => {
    const nowMs = performance.now();
    if (nowMs < beganMs + limitMs) return;
    exceededAtMs = Math.min(exceededAtMs, nowMs);
    run.giveUp(`it takes longer than ${duration(limitMs)} by the wall clock`, nowMs > exceededAtMs + CAUSE_WITHIN_MS);
  };
}

function recordOf(run: Run, request: RunRequest, beganMs: number): RunRecord {
  const wallMs = elapsedMs(beganMs);
  const report = run.report();
  // The simulator does not know the options that led to the run.
  const violations = report.violations.map((violation) => ({ ...violation, replay: replayCommand(request) }));
  return { report: { ...report, violations }, wallMs };
}

function recordOfThrown(run: Run | null, request: RunRequest, beganMs: number, error: unknown): RunRecord {
  const wallMs = elapsedMs(beganMs);
  if (run === null) return { report: brokenOff(request, error), wallMs };
  const { report } = recordOf(run, request, beganMs);
  return { report: withViolation(report, thrown(request, error, report.events, report.virtualMs)), wallMs };
}

function elapsedMs(beganMs: number): number {
  return Math.round((performance.now() - beganMs) * 1000) / 1000;
}
