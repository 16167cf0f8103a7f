/** The report of one run, for a person. */
import type { LatencySummary, RunReport } from "../../../runtime-sim/index.ts";
import { brief, count, duration, indent, moment, type Paint, plural, table } from "../../output/index.ts";
import type { RunRecord } from "./record.ts";

/** Lines, without a blank one at the start and at the end. */
export function summaryOf({ report, wallMs }: RunRecord, paint: Paint): string[] {
  const sections = [
    header(report, wallMs, paint),
    operations(report, paint),
    Object.keys(report.operations.refusals).length === 0
      ? []
      : counted("refused to clients", "times", report.operations.refusals, paint),
    messages(report, paint),
    Object.keys(report.requests).length === 0
      ? []
      : counted("requests of tenants and operators", "times", report.requests, paint),
    counted("faults injected", "times", report.faults, paint),
    counted("oracles", "checks", report.oracles, paint),
    Object.keys(report.shown).length === 0
      ? []
      : counted("shown, as this scenario is there to", "times", report.shown, paint),
    verdicts(report, paint),
    Object.keys(report.evidence).length === 0 ? [] : counted("evidence kept", "times", report.evidence, paint),
    ...report.violations.map((violation) => violationLines(violation, paint)),
    result(report, paint),
  ];
  return sections
    .filter((section) => section.length > 0)
    .flatMap((section, index) => (index === 0 ? section : ["", ...section]));
}

function header(report: RunReport, wallMs: number, paint: Paint): string[] {
  const { scenario, seed, virtualMs, events, nodes, elections, commits } = report;
  // A run may be shorter than the resolution of the clock.
  const seconds = Math.max(wallMs, 0.001) / 1000;
  return table("<<", [
    [paint("bold", "scenario"), paint("bold", scenario)],
    ["seed", String(seed)],
    ["virtual time", `${duration(virtualMs)} in ${duration(wallMs)}, ${brief(virtualMs / 1000 / seconds)} × as fast`],
    ["events", `${count(events)}, ${count(Math.round(events / seconds))} a second`],
    ["nodes", count(nodes)],
    ["elections", count(elections)],
    ["commits", count(commits)],
  ]);
}

function operations({ operations: { ok, refused, unknown, writes, reads } }: RunReport, paint: Paint): string[] {
  const latency = (name: string, { count: number, p50Ms, p99Ms, maxMs }: LatencySummary): string[] => [
    name,
    count(number),
    ...[p50Ms, p99Ms, maxMs].map((ms) => (number === 0 ? "-" : duration(ms))),
  ];
  return [
    `${paint("bold", "client operations")} (latencies in virtual time)`,
    ...indent(
      table("<>>>>", [["", "answered", "p50", "p99", "max"], latency("writes", writes), latency("reads", reads)]),
    ),
    ...indent([`${count(ok)} ok, ${count(refused)} refused, ${count(unknown)} of unknown outcome`]),
  ];
}

function messages({ messages: { sent, delivered, lost, duplicated, asBytes } }: RunReport, paint: Paint): string[] {
  return [
    paint("bold", "messages"),
    ...indent(
      table("<>", [
        ["sent", count(sent)],
        ["delivered", count(delivered)],
        ["lost", count(lost)],
        ["duplicated", count(duplicated)],
        ["as bytes", count(asBytes)],
      ]),
    ),
  ];
}

function counted(title: string, unit: string, counts: Readonly<Record<string, number>>, paint: Paint): string[] {
  const rows = Object.entries(counts).map(([name, times]) => [name, count(times)]);
  const heading = paint("bold", title);
  if (rows.length === 0) return [`${heading}: none`];
  return [`${heading} (${unit})`, ...indent(table("<>", rows))];
}

function verdicts({ verdicts: rows }: RunReport, paint: Paint): string[] {
  if (rows.length === 0) return [];
  return [
    paint("bold", "Byzantine verdicts"),
    ...indent(
      table("<><>><<<", [
        ["act", "times", "led", "to notice", "believed", "expected", "seen", ""],
        ...rows.map(({ act, count: times, led, noticed, believed, expected, seen, ok }) => [
          act,
          count(times),
          led ? "yes" : "no",
          count(noticed),
          count(believed),
          expected,
          seen,
          ok ? paint("green", "as expected") : paint("red", "NOT AS EXPECTED"),
        ]),
      ]),
    ),
  ];
}

function violationLines(
  { oracle, event, atMs, message, replay }: RunReport["violations"][number],
  paint: Paint,
): string[] {
  const [first = "", ...more] = message.split("\n");
  return [
    paint(["bold", "red"], `violated: ${oracle}`),
    ...indent([
      `at      event ${count(event)}, virtual time ${moment(atMs)}`,
      `saw     ${first}`,
      ...more.map((line) => `        ${line}`),
      `replay  ${replay}`,
    ]),
  ];
}

function result(report: RunReport, paint: Paint): string[] {
  return table("<<", [
    ["trace hash", report.traceHash === "" ? "none" : report.traceHash],
    [paint("bold", "result"), resultOf(report, paint)],
  ]);
}

function resultOf(report: RunReport, paint: Paint): string {
  const { ok, excused, interrupted, violations, expectedUntil, virtualMs } = report;
  if (expectedUntil !== null) return paint(["bold", "yellow"], `violated, as expected until ${expectedUntil}`);
  if (!ok) return paint(["bold", "red"], `violated (${plural(violations.length, "violation")})`);
  if (interrupted)
    return paint("yellow", `interrupted at virtual time ${moment(virtualMs)}, nothing violated until then`);
  if (excused !== null) return `${paint(["bold", "green"], "holds")}; not live again, excused: ${excused}`;
  return paint(["bold", "green"], "holds");
}
