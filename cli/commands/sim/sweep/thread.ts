/** The entry point of a thread of a sweep: one run, from plain values to plain values. */
import { finishAtOnce } from "../execute.ts";
import type { RunRecord } from "../record.ts";
import type { RunRequest } from "../request.ts";

export interface ThreadJob {
  readonly request: RunRequest;
  /** Counts the marks of the core that the run passes. */
  readonly coverage: boolean;
  readonly wallLimitMs: number;
  /** When the sweep ends, by the wall clock, in milliseconds since 1970. */
  readonly endAtMs: number;
}

export default function runInThread({ request, coverage, wallLimitMs, endAtMs }: ThreadJob): RunRecord {
  return finishAtOnce(request, { coverage }, wallLimitMs, endAtMs);
}
