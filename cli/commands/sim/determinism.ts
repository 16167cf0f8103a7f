/** The same run twice: whether the hashes are equal, and if not, the first event that differs. */
import type { FaultSchedule, TraceEvent } from "../../../runtime-sim/index.ts";
import { jsonLine } from "../../files/index.ts";
import { moment } from "../../output/index.ts";
import { finish, newRun } from "./execute.ts";
import { type RunRecord, withViolation } from "./record.ts";
import { type RunRequest, replayCommand } from "./request.ts";

/** The violation of a run that differs the second time. */
const DETERMINISM = "determinism";

const AGREE_SIDE_BY_SIDE =
  "side by side the two runs agree: something outlives a run, such as a counter or a cache of a module";

/** Runs the request again and returns its record, with a violation added when the second run differs. */
export async function checkedAgain(
  record: RunRecord,
  request: RunRequest,
  faults: FaultSchedule | null,
  signal: AbortSignal,
  wallLimitMs: number,
  onProgress: (fraction: number) => void,
): Promise<RunRecord> {
  const again = await finish(newRun(request, faults, {}), request, signal, wallLimitMs, onProgress);
  if (signal.aborted || again.report.traceHash === record.report.traceHash) return record;

  const hashes = `trace hash ${record.report.traceHash} at first, ${again.report.traceHash} the second time`;
  const difference = firstDifference(request, faults);
  const report = withViolation(record.report, {
    oracle: DETERMINISM,
    event: difference?.event ?? record.report.events,
    atMs: difference?.atMs ?? record.report.virtualMs,
    message: `${hashes}\n${difference?.message ?? AGREE_SIDE_BY_SIDE}`,
    replay: `${replayCommand(request)} --check-determinism`,
  });
  return { ...record, report };
}

interface Difference {
  readonly event: number;
  readonly atMs: number;
  readonly message: string;
}

/** Runs the request twice, event by event side by side, up to the first event that differs. */
function firstDifference(request: RunRequest, faults: FaultSchedule | null): Difference | null {
  const traces: [TraceEvent[], TraceEvent[]] = [[], []];
  const [left, right] = traces.map((trace) => newRun(request, faults, { trace: (event) => trace.push(event) }));
  if (left === undefined || right === undefined) throw new Error("two runs were asked for");
  for (;;) {
    const ended = [left.advance(1), right.advance(1)];
    const difference = comparedTraces(traces);
    if (difference !== null) return difference;
    if (ended.every((end) => end)) return null;
    for (const trace of traces) trace.length = 0;
  }
}

/** The first place where two traces differ, in words. */
export function comparedTraces([left, right]: readonly [
  readonly TraceEvent[],
  readonly TraceEvent[],
]): Difference | null {
  for (let place = 0; place < Math.max(left.length, right.length); place++) {
    const [first, second] = [left[place], right[place]];
    const [firstText, secondText] = [first, second].map((event) =>
      event === undefined ? "nothing: the run is over" : jsonLine(event),
    );
    if (firstText === secondText) continue;
    const known = first ?? second;
    return {
      event: known?.event ?? 0,
      atMs: known?.atMs ?? 0,
      message: `the first event that differs, at ${moment(known?.atMs ?? 0)}:\nfirst   ${firstText}\nsecond  ${secondText}`,
    };
  }
  return null;
}
