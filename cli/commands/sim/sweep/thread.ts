/** The entry point of a thread of a sweep: one run, from plain values to plain values. */
import { finishAtOnce } from "../execute.ts";
import type { RunRecord } from "../record.ts";
import type { RunRequest } from "../request.ts";

export default function runInThread(request: RunRequest): RunRecord {
  return finishAtOnce(request);
}
