/** What of a host fits into a report, and what is left out or cut. */
import { CLUSTER_LIMITS, countSchema, nameSchema } from "../domain/index.ts";
import type { Codec } from "../schema/index.ts";
import { HOST_LIMITS } from "./protocol.ts";
import type { Job, Machine } from "./types.ts";

/** Whether a machine can be one of the cluster's. Any other is none of the agent's business. */
export function isReportable({ name, epoch }: Machine): boolean {
  return isReadable(nameSchema, name) && isReadable(countSchema, epoch);
}

export function isReportableJob({ id, attempt }: Job): boolean {
  return isReadable(nameSchema, id) && isReadable(countSchema, attempt);
}

function isReadable<T>(schema: Codec<T>, value: T): boolean {
  try {
    schema.read(value, null);
    return true;
  } catch {
    return false;
  }
}

/** The machine as a report of `count` of them may hold it. */
export function withBoundedReason(machine: Machine, count: number): Machine {
  if (machine.reason === "") return machine;
  const lengthMax = Math.min(CLUSTER_LIMITS.reasonLength, Math.floor(HOST_LIMITS.reasonsLength / count));
  const reason = clean(machine.reason.slice(0, lengthMax));
  return reason === machine.reason ? machine : { ...machine, reason };
}

/** With the end of what each printed, so much that a report holds them all. */
export function withBoundedOutput(jobs: readonly Job[]): readonly Job[] {
  const ended = jobs.reduce((count, { phase }) => (phase === "running" ? count : count + 1), 0);
  const lengthMax = Math.min(CLUSTER_LIMITS.outputLength, Math.floor(HOST_LIMITS.outputsLength / Math.max(1, ended)));
  return jobs.map((job) => {
    const output = job.phase === "running" ? "" : clean(job.output.slice(-lengthMax));
    return output === job.output ? job : { ...job, output };
  });
}

/** Text that can be encoded: a cut may have torn a character apart. */
function clean(text: string): string {
  return text.toWellFormed().replace(/^\ufeff+/, "");
}

/**
 * All of them. If they are too many: those that matter, and as many of the others as fit. The rest follow when some of
 * these are gone.
 */
export function atMost<T>(all: readonly T[], countMax: number, matters: (one: T) => boolean): readonly T[] {
  if (all.length <= countMax) return all;
  return [...all.filter(matters), ...all.filter((one) => !matters(one))].slice(0, countMax);
}
