/**
 * The step of an agent that is under way: its time, and what comes of it. All parts of an agent share one. Between two
 * steps its state is the time alone.
 */
import type { AgentEffect, HostAction } from "./types.ts";

export class Step {
  /** By the host's monotonic clock. Never goes back. */
  nowMs = 0;
  #effects: AgentEffect[] = [];

  begin(nowMs: number): void {
    this.nowMs = Math.max(this.nowMs, nowMs);
  }

  push(effect: AgentEffect): void {
    this.#effects.push(effect);
  }

  /** Asks the host for something. */
  act(action: HostAction): void {
    this.#effects.push({ kind: "act", action });
  }

  /** All effects of the step, in order. */
  end(): readonly AgentEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  /** What has been asked for so far. */
  get effects(): readonly AgentEffect[] {
    return this.#effects;
  }

  /** The time if it is still to come; Infinity: it has passed. */
  ifLater(atMs: number): number {
    return atMs > this.nowMs ? atMs : Number.POSITIVE_INFINITY;
  }
}
