/**
 * The jobs of the host. Each is one attempt of a task. What the host shows of them, what it is asked to do so that the
 * assigned attempts run, and what is reported of them.
 */
import { ASK_AGAIN_MS, HostRequests, type HostRequestsState } from "./host-requests.ts";
import type { KnownDetails } from "./known-details.ts";
import { type AssignedTask, type Assignment, HOST_LIMITS } from "./protocol.ts";
import { atMost, isReportableJob, withBoundedOutput } from "./report-bounds.ts";
import type { Step } from "./step.ts";
import type { HostAction, Job } from "./types.ts";

interface Started {
  readonly attempt: number;
  readonly atMs: number;
}

/** All state. */
export interface TasksState {
  readonly shown: readonly Job[];
  readonly started: readonly (readonly [string, Started])[];
  readonly requests: HostRequestsState;
}

export class Tasks {
  readonly #step: Step;
  readonly #details: KnownDetails;
  /** What the host shows. */
  #shown: readonly Job[] = [];
  /** By id of the task, the attempt that the host was last asked to run. */
  readonly #started = new Map<string, Started>();
  /** By id and attempt: what was asked of it since. */
  readonly #requests: HostRequests;

  constructor(step: Step, details: KnownDetails) {
    this.#step = step;
    this.#details = details;
    this.#requests = new HostRequests(step);
  }

  get isEmpty(): boolean {
    return this.#shown.length === 0;
  }

  /** When time alone may next change what is to be done or told; Infinity: never. */
  get nextChangeMs(): number {
    const step = this.#step;
    let nextMs = Number.POSITIVE_INFINITY;
    for (const { atMs } of this.#started.values()) nextMs = Math.min(nextMs, step.ifLater(atMs + ASK_AGAIN_MS));
    for (const { atMs } of this.#requests.values()) nextMs = Math.min(nextMs, step.ifLater(atMs + ASK_AGAIN_MS));
    return nextMs;
  }

  show(jobs: readonly Job[]): void {
    this.#shown = withBoundedOutput(jobs.filter(isReportableJob));
  }

  act(tasks: readonly AssignedTask[]): void {
    const wanted = new Map(tasks.map(({ id, attempt }) => [id, attempt]));
    const running = new Set<string>();
    const shown = new Set<string>();
    for (const job of this.#shown) {
      shown.add(job.id);
      // Also one that shows late: no two attempts run at a time.
      if (wanted.get(job.id) !== job.attempt) this.#end(job);
      else if (job.phase === "running") running.add(job.id);
    }
    for (const { id, attempt, isBegun, isCancelled } of tasks) {
      if (isCancelled) {
        if (running.has(id)) this.#ask({ kind: "endJob", id, attempt });
      } else if (!shown.has(id) && !isBegun && this.#started.get(id)?.attempt !== attempt) {
        // An attempt is started once: if nothing comes of it, the cluster is told so, and makes another.
        this.#start(id, attempt);
      }
    }
    this.#forgetOthers(wanted);
  }

  /** What was asked for, of tasks that are not wanted, and of jobs that do not show. */
  #forgetOthers(wanted: ReadonlyMap<string, number>): void {
    for (const id of this.#started.keys()) if (!wanted.has(id)) this.#started.delete(id);
    const shown = new Set(this.#shown.map(jobKey));
    for (const [key] of this.#requests) if (!shown.has(key)) this.#requests.delete(key);
  }

  #start(id: string, attempt: number): void {
    const detail = this.#details.taskOf(id, attempt);
    if (detail === null) return;
    const { command, args, timeoutMs } = detail;
    this.#started.set(id, { attempt, atMs: this.#step.nowMs });
    this.#step.act({ kind: "runJob", id, attempt, command, args, timeoutMs });
  }

  /** Ends an attempt that nobody waits for, or has the host forget it once it is over. */
  #end({ id, attempt, phase }: Job): void {
    this.#ask({ kind: phase === "running" ? "endJob" : "forgetJob", id, attempt });
  }

  #ask(action: Extract<HostAction, { readonly kind: "endJob" | "forgetJob" }>): void {
    this.#requests.ask(jobKey(action), action.attempt, action);
  }

  /** As many as a report holds, sorted by id, with those that have been asked for and do not show yet. */
  report(assignment: Assignment | null): readonly Job[] {
    const shown = new Set(this.#shown.map(({ id }) => id));
    const expected: Job[] = [];
    for (const { id, attempt } of assignment?.tasks ?? []) {
      const started = this.#started.get(id);
      const isAwaited = started?.attempt === attempt && this.#step.nowMs < started.atMs + ASK_AGAIN_MS;
      // One that it will start when it knows how is expected as well.
      if ((isAwaited || this.#details.lacksTask(id)) && !shown.has(id))
        expected.push({ id, attempt, phase: "running", exitCode: 0, output: "" });
    }
    if (expected.length === 0 && this.#shown.length <= HOST_LIMITS.jobs) return this.#shown;
    const all = [...this.#shown, ...expected];
    const isAssigned = ({ id }: Job) => assignment?.tasks.some((task) => task.id === id) === true;
    return [...atMost(all, HOST_LIMITS.jobs, isAssigned)].sort((a, b) =>
      a.id === b.id ? a.attempt - b.attempt : a.id < b.id ? -1 : 1,
    );
  }

  capture(): TasksState {
    return { shown: this.#shown, started: [...this.#started], requests: this.#requests.capture() };
  }

  restore({ shown, started, requests }: TasksState): void {
    this.#shown = shown;
    for (const [id, one] of started) this.#started.set(id, one);
    this.#requests.restore(requests);
  }
}

function jobKey({ id, attempt }: { readonly id: string; readonly attempt: number }): string {
  return `${id} ${attempt}`;
}
