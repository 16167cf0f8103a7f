/** `sim check-history FILE`: the linearizability checker alone, on a history from any source. */
import {
  checkHistory,
  DEFAULT_HISTORY_LIMITS,
  HistoryError,
  type HistoryForm,
  type HistoryResult,
  historyFormOf,
  parseJepsenHistory,
  parseOwnHistory,
  register,
  VM_MODEL,
} from "../../../runtime-sim/index.ts";
import { readLines } from "../../files/index.ts";
import { EXIT, type ExitCode, FailureError, VERSION } from "../../frame/index.ts";
import { count, duration, type Paint, plural, type Terminal } from "../../output/index.ts";

export interface CheckHistoryOptions {
  readonly json?: true;
}

/** The parts of the checker's answer that do not depend on the model. */
type Result = Pick<HistoryResult<unknown, unknown, unknown>, "verdict" | "keys" | "operations" | "configurations"> & {
  readonly violations: readonly { readonly key: string; readonly message: string }[];
  readonly undecided: HistoryResult<unknown, unknown, unknown>["undecided"];
};

/** A history as it was read, and a check of it. */
interface Read {
  readonly form: HistoryForm;
  readonly failed: number;
  readonly unknown: number;
  /** Calls that a checker of single records has nothing to say of. */
  readonly notJudged: number;
  readonly check: () => Result;
}

/** Exit code 0 only for a linearizable history: a check that was given up proves nothing. */
export function checkHistoryFile(path: string, { json }: CheckHistoryOptions, terminal: Terminal): ExitCode {
  const history = read(path);
  const beganMs = performance.now();
  const result = history.check();
  const wallMs = Math.round(performance.now() - beganMs);

  if (json === true) terminal.out(JSON.stringify(historyJson(path, history, result, wallMs)));
  else for (const line of historyLines(history, result, wallMs, terminal.paintOut)) terminal.out(line);
  return result.verdict === "linearizable" ? EXIT.holds : EXIT.failed;
}

function read(path: string): Read {
  try {
    return parse(readLines(path, DEFAULT_HISTORY_LIMITS.lineLengthMax));
  } catch (error) {
    if (!(error instanceof HistoryError)) throw error;
    throw new FailureError(`${path}, ${error.message}`, "the forms of a history are in docs/simulator.md");
  }
}

/** In the form of its first line that is not empty. */
function parse(lines: Generator<string, void, undefined>): Read {
  const begun: string[] = [];
  for (let next = lines.next(); next.done !== true; next = lines.next()) {
    begun.push(next.value);
    if (next.value.trim() !== "") break;
  }
  const form = historyFormOf(begun.at(-1) ?? "");
  if (form === "own") {
    const { operations, ...counts } = parseOwnHistory(resumed(begun, lines));
    return { form, ...counts, check: () => checkHistory(VM_MODEL, operations) };
  }
  const { operations, ...counts } = parseJepsenHistory(resumed(begun, lines));
  return { form, ...counts, notJudged: 0, check: () => checkHistory(register(), operations) };
}

function* resumed(begun: readonly string[], rest: Iterable<string>): Generator<string, void, undefined> {
  yield* begun;
  yield* rest;
}

function historyJson(path: string, history: Read, result: Result, wallMs: number): object {
  const { verdict, keys, operations, configurations, violations, undecided } = result;
  const { form, unknown, failed, notJudged } = history;
  return {
    file: path,
    form,
    ok: verdict === "linearizable",
    verdict,
    keys,
    operations,
    unknown,
    failed,
    notJudged,
    configurations,
    wallMs,
    violations: violations.map(({ key, message }) => ({ key, message })),
    undecided,
    version: VERSION,
  };
}

/** For a person. */
function historyLines(history: Read, result: Result, wallMs: number, paint: Paint): string[] {
  const verdict = {
    linearizable: paint(["bold", "green"], "linearizable"),
    violated: paint(["bold", "red"], "not linearizable"),
    undecided: paint(["bold", "yellow"], "undecided"),
  }[result.verdict];
  const unknown = history.unknown === 0 ? "" : `, ${count(history.unknown)} of unknown outcome`;
  const failed = history.failed === 0 ? "" : `; ${count(history.failed)} that failed left out`;
  const notJudged =
    history.notJudged === 0 ? "" : `; ${count(history.notJudged)} of no single VM, or stale, not judged`;
  return [
    ...result.violations.flatMap(({ message }) => [...message.split("\n"), ""]),
    ...result.undecided.flatMap(({ message }) => [message, ""]),
    `${verdict}: ${plural(result.operations, "operation")} on ${plural(result.keys, "key")}${unknown}${failed}` +
      `${notJudged}; ${plural(result.configurations, "configuration")} explored in ${duration(wallMs)}`,
  ];
}
