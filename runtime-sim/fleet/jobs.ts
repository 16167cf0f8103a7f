/**
 * The jobs of a simulated host: each attempt runs at most once, and ends by itself, by its timeout, or because it is
 * ended.
 */
import type { HostAction, Job } from "../../core/index.ts";
import type { Stream } from "../random/index.ts";
import type { Agenda } from "./agenda.ts";

const JOB_FAILURE_CHANCE = 0.1;
/** What the contract allows for a job's output. */
const OUTPUT_MAX = 4096;

type RunJobAction = Extract<HostAction, { readonly kind: "runJob" }>;

export interface RunningJob {
  readonly id: string;
  readonly attempt: number;
}

interface Attempt {
  job: Job;
}

export class Jobs {
  /** Counts changes of what can be seen. */
  changes = 0;
  readonly #agenda: Agenda;
  readonly #rng: Stream;
  readonly #jobMeanMs: number;
  readonly #attempts = new Map<string, Attempt>();
  /** Attempt and id of all that was ever run since the last reboot. */
  readonly #ran = new Set<string>();
  /** Made when somebody looks, and kept until something changes. */
  #all: readonly Job[] | null = null;
  #running: readonly RunningJob[] | null = null;

  constructor(agenda: Agenda, rng: Stream, jobMeanMs: number) {
    this.#agenda = agenda;
    this.#rng = rng;
    this.#jobMeanMs = jobMeanMs;
  }

  /** Sorted by id, then by attempt; the same array until something changes. */
  get all(): readonly Job[] {
    this.#all ??= [...this.#attempts.values()].map(({ job }) => job).sort(byId);
    return this.#all;
  }

  /** Those that run, in the same order; the same array until something changes. */
  get running(): readonly RunningJob[] {
    this.#running ??= this.all.filter(({ phase }) => phase === "running");
    return this.#running;
  }

  run(action: RunJobAction, nowUs: number): void {
    const { id, attempt: number, command, timeoutMs } = action;
    if (this.#ran.has(key(number, id))) return;
    this.#ran.add(key(number, id));
    const attempt: Attempt = { job: { id, attempt: number, phase: "running", exitCode: 0, output: "" } };
    this.#attempts.set(key(number, id), attempt);
    this.#changed();
    const exitCode = this.#rng.chance(JOB_FAILURE_CHANCE) ? this.#rng.integer(1, 255) : 0;
    const exitUs = nowUs + Math.ceil(1000 * this.#rng.exponential(this.#jobMeanMs));
    const timeoutUs = nowUs + Math.ceil(1000 * timeoutMs);
    this.#agenda.plan(attempt, Math.min(exitUs, timeoutUs), () => {
      if (exitUs < timeoutUs) this.#end(attempt, "exited", exitCode, `output of ${command}`.slice(-OUTPUT_MAX));
      else this.#end(attempt, "failed", 0, "timed out");
    });
  }

  #end(attempt: Attempt, phase: Job["phase"], exitCode: number, output: string): void {
    this.#agenda.cancel(attempt);
    attempt.job = { ...attempt.job, phase, exitCode, output };
    this.#changed();
  }

  forget(id: string, number: number): void {
    const attempt = this.#attempts.get(key(number, id));
    if (attempt === undefined || attempt.job.phase === "running") return;
    this.#attempts.delete(key(number, id));
    this.#changed();
  }

  end(id: string, number: number, reason: string): void {
    const attempt = this.#attempts.get(key(number, id));
    if (attempt?.job.phase === "running") this.#end(attempt, "failed", 0, reason);
  }

  endAll(reason: string): void {
    for (const attempt of this.#attempts.values()) {
      if (attempt.job.phase === "running") this.#end(attempt, "failed", 0, reason);
    }
  }

  /** After a reboot nothing is left. The owner of the agenda clears that. */
  clear(): void {
    if (this.#attempts.size > 0) this.#changed();
    this.#attempts.clear();
    this.#ran.clear();
  }

  #changed(): void {
    this.changes += 1;
    this.#all = null;
    this.#running = null;
  }
}

/** The number comes first: an id may hold anything. */
function key(number: number, id: string): string {
  return `${number} ${id}`;
}

function byId(a: Job, b: Job): number {
  if (a.id === b.id) return a.attempt - b.attempt;
  return a.id < b.id ? -1 : 1;
}
