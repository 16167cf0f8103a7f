/** The totals of a sweep. Reports are added and not kept: a sweep of a million seeds keeps sums and failures only. */
import { REFUSAL_KINDS } from "../../../../core/index.ts";
import type { RunReport, RunViolation } from "../../../../runtime-sim/index.ts";
import { brief, count, duration, indent, type Paint, plural, table } from "../../../output/index.ts";
import type { RunRecord } from "../record.ts";
import { type RunRequest, replayCommand } from "../request.ts";

interface Sums {
  runs: number;
  failed: number;
  virtualMs: number;
  events: number;
  elections: number;
  commits: number;
}

/** Runs with an act until it must have mattered in one. */
const ACT_RUNS_MIN = 20;

/** How often an act was done, and in how many runs it mattered. */
interface ActSums {
  runs: number;
  /** Lies in all. */
  told: number;
  /** Runs in which the liar led while it lied. */
  led: number;
  /** Runs in which an honest node had to notice a lie, or was harmed. */
  noticed: number;
  /** Runs in which an honest node acted on a lie. */
  believed: number;
}

export interface Failure {
  readonly request: RunRequest;
  readonly violations: readonly RunViolation[];
}

export class Totals {
  readonly sums: Sums = { runs: 0, failed: 0, virtualMs: 0, events: 0, elections: 0, commits: 0 };
  readonly byScenario = new Map<string, Sums>();
  readonly requests = new Map<string, number>();
  /** Kind to how often, of commands that were committed and refused. */
  readonly refusals = new Map<string, number>();
  readonly faults = new Map<string, number>();
  readonly oracles = new Map<string, number>();
  readonly shown = new Map<string, number>();
  /** By Byzantine act. */
  readonly acts = new Map<string, ActSums>();
  /** Of the core, where coverage was asked for. */
  readonly marks = new Map<string, number>();
  readonly failures: Failure[] = [];
  /** Scenarios that failed as they are known to, until when, and how often. */
  readonly expected = new Map<string, { readonly until: string; times: number }>();
  /** Runs that were under way when the time was over, and held so far. They count for nothing else. */
  cutShort = 0;

  constructor(scenarios: readonly string[]) {
    for (const scenario of scenarios) this.byScenario.set(scenario, { ...this.sums });
  }

  add(request: RunRequest, { report }: RunRecord): void {
    const ofScenario = this.byScenario.get(request.scenario);
    for (const sums of ofScenario === undefined ? [this.sums] : [this.sums, ofScenario]) addTo(sums, report);
    addCounts(this.requests, report.requests);
    addCounts(this.refusals, report.refusals);
    addCounts(this.faults, report.faults);
    addCounts(this.oracles, report.oracles);
    addCounts(this.shown, report.shown);
    addCounts(this.marks, report.marks);
    for (const verdict of report.verdicts) this.#addVerdict(verdict);
    if (isFailure(report)) this.failures.push({ request, violations: report.violations });
    else if (report.expectedUntil !== null) this.#addExpected(request.scenario, report.expectedUntil);
  }

  #addVerdict({ act, count: told, led, noticed, believed }: RunReport["verdicts"][number]): void {
    const sums = this.acts.get(act) ?? { runs: 0, told: 0, led: 0, noticed: 0, believed: 0 };
    this.acts.set(act, sums);
    sums.runs += 1;
    sums.told += told;
    if (led) sums.led += 1;
    if (noticed > 0) sums.noticed += 1;
    if (believed > 0) sums.believed += 1;
  }

  /** Acts that honest nodes neither had to notice nor believed, in so many runs that they cannot fail. */
  get idleActs(): readonly string[] {
    const idle = [...this.acts].filter(
      ([, { runs, noticed, believed }]) => runs >= ACT_RUNS_MIN && noticed + believed === 0,
    );
    return idle.map(([act]) => act);
  }

  #addExpected(scenario: string, until: string): void {
    const known = this.expected.get(scenario);
    if (known === undefined) this.expected.set(scenario, { until, times: 1 });
    else known.times += 1;
  }
}

/** Whether it fails otherwise than its scenario is known to. */
export function isFailure({ ok, expectedUntil }: RunReport): boolean {
  return !ok && expectedUntil === null;
}

function addTo(sums: Sums, report: RunReport): void {
  const { virtualMs, events, elections, commits } = report;
  sums.runs += 1;
  if (isFailure(report)) sums.failed += 1;
  sums.virtualMs += virtualMs;
  sums.events += events;
  sums.elections += elections;
  sums.commits += commits;
}

function addCounts(totals: Map<string, number>, counts: Readonly<Record<string, number>>): void {
  for (const [name, times] of Object.entries(counts)) totals.set(name, (totals.get(name) ?? 0) + times);
}

/** How a sweep ended. */
export type Ending = "complete" | "outOfTime" | "interrupted";

export interface SweepResult {
  readonly totals: Totals;
  /** Runs of the shard, done or not. */
  readonly planned: number;
  readonly ending: Ending;
  readonly jobs: number;
  readonly wallMs: number;
}

/** The totals for a person; each failed seed comes with the command that replays it. */
export function totalsLines({ totals, planned, ending, jobs, wallMs }: SweepResult, paint: Paint): string[] {
  const { sums } = totals;
  const row = (name: string, { runs, failed, virtualMs, events, elections, commits }: Sums): string[] => [
    name,
    count(runs),
    failed === 0 ? "0" : paint(["bold", "red"], count(failed)),
    duration(virtualMs),
    ...[events, elections, commits].map(count),
  ];
  const rows = [
    ["scenario", "runs", "failed", "virtual time", "events", "elections", "commits"],
    ...Array.from(totals.byScenario, ([scenario, ofScenario]) => row(scenario, ofScenario)),
  ];
  if (totals.byScenario.size > 1) rows.push(row("all", sums));
  const seconds = Math.max(wallMs, 0.001) / 1000;
  const lines = [
    ...table("<>>>>>>", rows),
    "",
    ...countsLines("requests of tenants and operators (times)", sorted(totals.requests), paint),
    ...countsLines("commands refused (times)", sorted(totals.refusals), paint),
    ...neverRefused(totals.refusals, paint),
    ...countsLines("faults injected (times)", totals.faults, paint),
    ...countsLines("oracles (checks)", totals.oracles, paint),
    ...countsLines("shown, as their scenarios are there to (times)", totals.shown, paint),
    ...actLines(totals, paint),
    ...expectedLines(totals, paint),
    `${plural(sums.runs, "run")} in ${duration(wallMs)} with ${plural(jobs, "job")}: ` +
      `${brief(sums.runs / seconds)} a second, ${brief(sums.virtualMs / 1000 / seconds)} × as fast as real time`,
  ];
  const cutShort = totals.cutShort === 0 ? "" : `, ${count(totals.cutShort)} more cut short`;
  if (ending === "outOfTime")
    lines.push(`out of time: ${count(sums.runs)} of ${plural(planned, "run")} made${cutShort}`);
  if (ending === "interrupted") lines.push(`interrupted: ${count(sums.runs)} of ${plural(planned, "run")} made`);
  if (totals.failures.length > 0) lines.push("");
  for (const failure of totals.failures) lines.push(...failureLines(failure, paint));
  for (const act of totals.idleActs) {
    lines.push(`${paint("red", "cannot fail")} ${act}: no honest node had to notice it or believed it, in any run`);
  }
  lines.push(`${paint("bold", "result")}  ${resultText(totals, paint)}`);
  return lines;
}

/** By name. */
function sorted(counts: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  return new Map([...counts].sort(([left], [right]) => (left < right ? -1 : 1)));
}

/** Kinds of refusals that no run met. */
function neverRefused(met: ReadonlyMap<string, number>, paint: Paint): string[] {
  const never = REFUSAL_KINDS.filter((kind) => !met.has(kind));
  if (never.length === 0) return [];
  const lines: string[] = [];
  for (let from = 0; from < never.length; from += PER_LINE) lines.push(never.slice(from, from + PER_LINE).join(", "));
  return [paint("bold", "never refused for"), ...indent(lines), ""];
}

/** Kinds of refusals in one line. */
const PER_LINE = 5;

function actLines({ acts }: Totals, paint: Paint): string[] {
  if (acts.size === 0) return [];
  const rows = Array.from(acts, ([act, { runs, told, led, noticed, believed }]) => [
    act,
    ...[runs, told, led, noticed, believed].map(count),
  ]);
  const heading = ["act", "runs", "lies", "led", "had to be noticed", "believed"];
  return [
    `${paint("bold", "Byzantine acts")} (runs in which the liar led, an honest node had to notice, or believed it)`,
    ...indent(table("<>>>>>", [heading, ...rows])),
    "",
  ];
}

function countsLines(title: string, counts: ReadonlyMap<string, number>, paint: Paint): string[] {
  if (counts.size === 0) return [];
  const rows = Array.from(counts, ([name, times]) => [name, count(times)]);
  return [paint("bold", title), ...indent(table("<>", rows)), ""];
}

function expectedLines({ expected }: Totals, paint: Paint): string[] {
  if (expected.size === 0) return [];
  const rows = Array.from(expected, ([scenario, { until, times }]) => [scenario, count(times), `until ${until}`]);
  return [paint("bold", "violated, as expected (runs)"), ...indent(table("<><", rows)), ""];
}

function resultText({ sums, failures, idleActs }: Totals, paint: Paint): string {
  if (failures.length > 0)
    return paint(["bold", "red"], `violated in ${count(sums.failed)} of ${plural(sums.runs, "run")}`);
  if (idleActs.length > 0) return paint(["bold", "red"], `violated: ${plural(idleActs.length, "act")} cannot fail`);
  return paint(["bold", "green"], "holds");
}

function failureLines(failure: Failure, paint: Paint): string[] {
  return [failureLine(failure, paint), ...indent([replayCommand(failure.request)]), ""];
}

/** One line about a failed run. */
export function failureLine({ request: { scenario, seed }, violations }: Failure, paint: Paint): string {
  const [first, ...more] = violations;
  const what =
    first === undefined ? "not ok" : `${first.oracle} at event ${count(first.event)}: ${firstLine(first.message)}`;
  const others = more.length === 0 ? "" : ` (and ${count(more.length)} more)`;
  return `${paint("red", "violated")} ${scenario} seed ${seed}: ${what}${others}`;
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}
