/** A finished run: the simulator's report, and its wall-clock time. */
import type { RunReport, RunViolation } from "../../../runtime-sim/index.ts";
import { VERSION } from "../../frame/index.ts";
import { type RunRequest, replayCommand } from "./request.ts";

export interface RunRecord {
  readonly report: RunReport;
  readonly wallMs: number;
}

/** The violation of a run that threw. */
const EXCEPTION = "exception";

/** The report with one more violation. */
export function withViolation(report: RunReport, violation: RunViolation): RunReport {
  return { ...report, ok: false, violations: [...report.violations, violation], expectedUntil: null };
}

/** An error as a violation. */
export function thrown(request: RunRequest, error: unknown, event: number, atMs: number): RunViolation {
  return { oracle: EXCEPTION, event, atMs, message: messageOf(error), replay: replayCommand(request) };
}

/** The report of a run that ended without one. */
export function brokenOff(request: RunRequest, error: unknown): RunReport {
  const latencies = { count: 0, p50Ms: 0, p99Ms: 0, maxMs: 0 };
  const report: RunReport = {
    scenario: request.scenario,
    seed: request.seed,
    ok: false,
    traceHash: "",
    nodes: request.nodes ?? 0,
    virtualMs: 0,
    events: 0,
    elections: 0,
    commits: 0,
    operations: { ok: 0, refused: 0, unknown: 0, writes: latencies, reads: latencies, asked: {}, refusals: {} },
    messages: { sent: 0, delivered: 0, lost: 0, duplicated: 0, asBytes: 0 },
    faults: {},
    oracles: {},
    requests: {},
    refusals: {},
    shown: {},
    verdicts: [],
    evidence: {},
    marks: {},
    violations: [],
    expectedUntil: null,
    excused: null,
    interrupted: true,
  };
  return withViolation(report, thrown(request, error, 0, 0));
}

/** An error in words, with its stack if it has one. */
function messageOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** The object that `--json` prints. */
export function jsonOf({ report, wallMs }: RunRecord): object {
  const { scenario, seed, ok, traceHash, virtualMs, events, commits, elections, ...rest } = report;
  return { scenario, seed, ok, traceHash, virtualMs, wallMs, events, commits, elections, ...rest, version: VERSION };
}
