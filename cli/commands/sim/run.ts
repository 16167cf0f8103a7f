/** `sim [SCENARIO]`: one run. */
import { randomInt } from "node:crypto";
import {
  ClientHistory,
  type FaultSchedule,
  formatTransition,
  type HistoryForm,
  parseFaultSchedule,
  type Run,
  type Transition,
} from "../../../runtime-sim/index.ts";
import { checkWritable, JsonLinesFile, readJson, writeWhole } from "../../files/index.ts";
import { EXIT, type ExitCode, type Interrupt, UsageError } from "../../frame/index.ts";
import type { Paint, Style, Terminal } from "../../output/index.ts";
import { checkedAgain } from "./determinism.ts";
import { finish, newRun, WALL_LIMIT_DEFAULT_MS, type Watchers } from "./execute.ts";
import { jsonOf, type RunRecord } from "./record.ts";
import type { RunRequest } from "./request.ts";
import { summaryOf } from "./summary.ts";

export interface SimOptions {
  readonly seed?: number;
  readonly nodes?: number;
  readonly duration?: number;
  readonly json?: true;
  readonly verbose?: true;
  readonly trace?: string;
  readonly history?: string;
  readonly historyForm?: HistoryForm;
  readonly faults?: string;
  readonly saveFaults?: string;
  readonly checkDeterminism?: true;
  readonly wallLimit?: number;
}

/** Random seeds are short enough to be read aloud. */
const RANDOM_SEED_MAX = 999_999_999;

export async function runScenario(
  scenario: string,
  options: SimOptions,
  terminal: Terminal,
  interrupt: Interrupt,
): Promise<ExitCode> {
  const request: RunRequest = {
    scenario,
    seed: options.seed ?? randomInt(RANDOM_SEED_MAX + 1),
    nodes: options.nodes ?? null,
    durationMs: options.duration ?? null,
    faultsPath: options.faults ?? null,
  };
  const faults =
    options.faults === undefined
      ? null
      : readJson(
          options.faults,
          parseFaultSchedule,
          "the form is in docs/simulator.md; --save-faults writes such a file",
        );
  if (options.saveFaults !== undefined) checkWritable(options.saveFaults);
  if (options.history !== undefined) checkWritable(options.history);

  const wallLimitMs = options.wallLimit ?? WALL_LIMIT_DEFAULT_MS;
  const trace = options.trace === undefined ? null : new JsonLinesFile(options.trace);
  const history = options.history === undefined ? null : new ClientHistory();
  let record: RunRecord;
  try {
    const run = newCheckedRun(request, faults, watchers(options, trace, history, terminal));
    // Before the run, so that the file exists even if the run never ends.
    if (options.saveFaults !== undefined) writeWhole(options.saveFaults, `${JSON.stringify(run.schedule, null, 2)}\n`);
    record = await finish(run, request, interrupt.signal, wallLimitMs, showing(terminal, options, request, ""));
  } finally {
    trace?.close();
    if (history !== null && options.history !== undefined)
      writeHistory(options.history, history, options.historyForm ?? "jepsen");
  }
  if (options.checkDeterminism === true && !record.report.interrupted) {
    const onProgress = showing(terminal, options, request, ", again");
    record = await checkedAgain(record, request, faults, interrupt.signal, wallLimitMs, onProgress);
  }

  terminal.progress("");
  if (options.json === true) terminal.out(JSON.stringify(jsonOf(record)));
  else for (const line of summaryOf(record, terminal.paintOut)) terminal.out(line);
  if (!record.report.ok) return EXIT.failed;
  return interrupt.signal.aborted ? interrupt.exitCode : EXIT.holds;
}

/** Options that are valid one by one but not together are wrong usage too. */
function newCheckedRun(request: RunRequest, faults: FaultSchedule | null, watching: Watchers): Run {
  try {
    return newRun(request, faults, watching);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new UsageError(
      error.message,
      "leave --nodes and --duration out to take the scenario's or the schedule's own",
    );
  }
}

function writeHistory(path: string, history: ClientHistory, form: HistoryForm): void {
  const file = new JsonLinesFile(path);
  try {
    for (const line of history.lines(form)) file.write(line);
  } finally {
    file.close();
  }
}

function watchers(
  options: SimOptions,
  trace: JsonLinesFile | null,
  history: ClientHistory | null,
  terminal: Terminal,
): Watchers {
  // With --json, standard output holds one object and nothing else.
  const [print, paint] = options.json === true ? [terminal.err, terminal.paintErr] : [terminal.out, terminal.paintOut];
  return {
    ...(options.verbose === true ? { onTransition: (line) => print(dressed(line, paint)) } : {}),
    ...(trace === null ? {} : { trace: (event) => trace.write(event) }),
    ...(history === null ? {} : { history }),
  };
}

const STYLES: Partial<Record<Transition["kind"], Style>> = {
  violation: ["bold", "red"],
  halt: "red",
  evidence: "red",
  fault: "yellow",
  disk: "yellow",
  crash: "yellow",
  healed: "green",
  live: "green",
  quiet: "green",
};

function dressed(line: Transition, paint: Paint): string {
  const style = STYLES[line.kind];
  const text = formatTransition(line);
  return style === undefined ? text : paint(style, text);
}

function showing(
  terminal: Terminal,
  { verbose }: SimOptions,
  { scenario, seed }: RunRequest,
  suffix: string,
): (fraction: number) => void {
  if (verbose === true) return () => {};
  return (fraction) => terminal.progress(`${scenario}, seed ${seed}${suffix}: ${Math.floor(fraction * 100)} %`);
}
