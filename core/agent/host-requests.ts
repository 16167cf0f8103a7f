/**
 * What the host was last asked to do about each machine or job. No answer comes to an action: one
 * that shows no result in the inventory is asked for again after a while, and the agent knows since when it has asked.
 */
import type { Step } from "./step.ts";
import type { HostAction } from "./types.ts";

/** When what was asked for does not show, it is asked for again. */
export const ASK_AGAIN_MS = 10_000;

/** What can be asked for more than once. */
type Repeatable = Exclude<HostAction, { readonly kind: "fenceAt" | "probe" | "runJob" }>;

export interface HostRequest {
  readonly kind: Repeatable["kind"];
  /** The epoch of a machine, the attempt of a job. */
  readonly run: number;
  /** When the same was asked for first, and last. */
  readonly sinceMs: number;
  readonly atMs: number;
}

/** All state: by key, in the order in which they were asked for first. */
export type HostRequestsState = readonly (readonly [string, HostRequest])[];

export class HostRequests {
  readonly #step: Step;
  readonly #last = new Map<string, HostRequest>();

  constructor(step: Step) {
    this.#step = step;
  }

  /** Asks for it, unless that was asked for within the last `patienceMs`. */
  ask(key: string, run: number, action: Repeatable, patienceMs = ASK_AGAIN_MS): void {
    const { nowMs } = this.#step;
    const last = this.#last.get(key);
    const isAgain = last?.kind === action.kind && last.run === run;
    if (isAgain && nowMs < last.atMs + patienceMs) return;
    this.#last.set(key, { kind: action.kind, run, sinceMs: isAgain ? last.sinceMs : nowMs, atMs: nowMs });
    this.#step.act(action);
  }

  get(key: string): HostRequest | undefined {
    return this.#last.get(key);
  }

  get size(): number {
    return this.#last.size;
  }

  [Symbol.iterator](): IterableIterator<[string, HostRequest]> {
    return this.#last[Symbol.iterator]();
  }

  values(): IterableIterator<HostRequest> {
    return this.#last.values();
  }

  /** It shows, or does not matter any more. */
  delete(key: string): void {
    this.#last.delete(key);
  }

  capture(): HostRequestsState {
    return [...this.#last];
  }

  restore(state: HostRequestsState): void {
    for (const [key, request] of state) this.#last.set(key, request);
  }
}
