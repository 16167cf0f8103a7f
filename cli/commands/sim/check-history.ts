/** `sim check-history FILE`: the linearizability checker alone, on a history from any source. */
import {
  checkHistory,
  DEFAULT_JEPSEN_LIMITS,
  type HistoryResult,
  JepsenError,
  type JepsenHistory,
  parseJepsenHistory,
  register,
} from "../../../runtime-sim/index.ts";
import { readLines } from "../../files/index.ts";
import { EXIT, type ExitCode, FailureError, VERSION } from "../../frame/index.ts";
import { count, duration, type Paint, plural, type Terminal } from "../../output/index.ts";

export interface CheckHistoryOptions {
  readonly json?: true;
}

/** The parts of the checker's answer that do not depend on the type of a register's value. */
type Result = Pick<HistoryResult<unknown, unknown, unknown>, "verdict" | "keys" | "configurations"> & {
  readonly violations: readonly { readonly key: string; readonly message: string }[];
  readonly undecided: HistoryResult<unknown, unknown, unknown>["undecided"];
};

/** Exit code 0 only for a linearizable history: a check that was given up proves nothing. */
export function checkHistoryFile(path: string, { json }: CheckHistoryOptions, terminal: Terminal): ExitCode {
  const history = read(path);
  const beganMs = performance.now();
  const result = checkHistory(register(), history.operations);
  const wallMs = Math.round(performance.now() - beganMs);

  if (json === true) terminal.out(JSON.stringify(historyJson(path, history, result, wallMs)));
  else for (const line of historyLines(history, result, wallMs, terminal.paintOut)) terminal.out(line);
  return result.verdict === "linearizable" ? EXIT.holds : EXIT.failed;
}

function read(path: string): JepsenHistory {
  try {
    return parseJepsenHistory(readLines(path, DEFAULT_JEPSEN_LIMITS.lineLengthMax));
  } catch (error) {
    if (!(error instanceof JepsenError)) throw error;
    throw new FailureError(`${path}, ${error.message}`, "the form of a history is in docs/simulator.md");
  }
}

function historyJson(path: string, history: JepsenHistory, result: Result, wallMs: number): object {
  const { verdict, keys, configurations, violations, undecided } = result;
  return {
    file: path,
    ok: verdict === "linearizable",
    verdict,
    keys,
    operations: history.operations.length,
    unknown: history.unknown,
    failed: history.failed,
    configurations,
    wallMs,
    violations: violations.map(({ key, message }) => ({ key, message })),
    undecided,
    version: VERSION,
  };
}

/** For a person. */
export function historyLines(history: JepsenHistory, result: Result, wallMs: number, paint: Paint): string[] {
  const verdict = {
    linearizable: paint(["bold", "green"], "linearizable"),
    violated: paint(["bold", "red"], "not linearizable"),
    undecided: paint(["bold", "yellow"], "undecided"),
  }[result.verdict];
  const unknown = history.unknown === 0 ? "" : `, ${count(history.unknown)} of unknown outcome`;
  const failed = history.failed === 0 ? "" : `; ${count(history.failed)} that failed left out`;
  return [
    ...result.violations.flatMap(({ message }) => [...message.split("\n"), ""]),
    ...result.undecided.flatMap(({ message }) => [message, ""]),
    `${verdict}: ${plural(history.operations.length, "operation")} on ${plural(result.keys, "key")}${unknown}${failed}; ` +
      `${plural(result.configurations, "configuration")} explored in ${duration(wallMs)}`,
  ];
}
