/**
 * Health checks: when each is due, what its last results were, and whether the machine counts as healthy. The results
 * come from the host.
 */
import type { HealthCheck } from "../domain/index.ts";
import { mark } from "../marks.ts";

/** A result that has not come by then, after the check's own time-out, is a failure. */
const LATE_MS = 5000;

interface CheckState {
  dueMs: number;
  /** When the probe under way is given up; Infinity: none is. */
  giveUpMs: number;
  failuresInRow: number;
  successesInRow: number;
  isDown: boolean;
}

function freshCheck(dueMs: number): CheckState {
  return { dueMs, giveUpMs: Number.POSITIVE_INFINITY, failuresInRow: 0, successesInRow: 0, isDown: false };
}

interface MachineHealth {
  readonly epoch: number;
  readonly checks: readonly HealthCheck[];
  readonly states: ReadonlyMap<string, CheckState>;
}

/** All state. */
export type HealthState = readonly {
  readonly name: string;
  readonly epoch: number;
  readonly checks: readonly HealthCheck[];
  readonly states: readonly (readonly [string, Readonly<CheckState>])[];
}[];

export class HealthMonitor {
  readonly #machines = new Map<string, MachineHealth>();

  /** Forgets all other machines. */
  keepOnly(names: ReadonlySet<string>): void {
    for (const name of this.#machines.keys()) if (!names.has(name)) this.#machines.delete(name);
  }

  /** The checks of a machine that are due now. They count as under way from here on. */
  due(
    name: string,
    epoch: number,
    checks: readonly HealthCheck[],
    runningSinceMs: number,
    nowMs: number,
  ): readonly HealthCheck[] {
    let machine = this.#machines.get(name);
    if (machine?.epoch !== epoch || machine.checks !== checks) {
      machine = { epoch, checks, states: this.#states(machine, epoch, checks, runningSinceMs) };
      this.#machines.set(name, machine);
    }
    const due: HealthCheck[] = [];
    for (const check of checks) {
      const state = machine.states.get(check.name);
      if (state === undefined) continue;
      if (nowMs >= state.giveUpMs) this.#count(check, state, false);
      if (nowMs < state.dueMs) continue;
      state.dueMs = nowMs + check.intervalMs;
      if (state.giveUpMs !== Number.POSITIVE_INFINITY) continue;
      state.giveUpMs = nowMs + check.timeoutMs + LATE_MS;
      due.push(check);
    }
    return due;
  }

  /** A new assignment mostly has the same checks in it: their results so far still count. */
  #states(
    before: MachineHealth | undefined,
    epoch: number,
    checks: readonly HealthCheck[],
    runningSinceMs: number,
  ): ReadonlyMap<string, CheckState> {
    const states = new Map<string, CheckState>();
    for (const check of checks) {
      const known = before?.epoch === epoch ? before.checks.find((one) => sameCheck(one, check)) : undefined;
      const state = known === undefined ? undefined : before?.states.get(known.name);
      states.set(check.name, state ?? freshCheck(runningSinceMs + check.initialDelayMs));
    }
    return states;
  }

  probed(name: string, epoch: number, checkName: string, isHealthy: boolean): void {
    const machine = this.#machines.get(name);
    const state = machine?.states.get(checkName);
    const check = machine?.checks.find((one) => one.name === checkName);
    if (machine?.epoch !== epoch || state === undefined || check === undefined) return;
    if (state.giveUpMs !== Number.POSITIVE_INFINITY) this.#count(check, state, isHealthy);
  }

  #count(check: HealthCheck, state: CheckState, isHealthy: boolean): void {
    state.giveUpMs = Number.POSITIVE_INFINITY;
    state.failuresInRow = isHealthy ? 0 : state.failuresInRow + 1;
    state.successesInRow = isHealthy ? state.successesInRow + 1 : 0;
    if (state.failuresInRow >= check.failures) {
      if (!state.isDown) mark("agent/health-check-down");
      state.isDown = true;
    } else if (state.successesInRow >= check.successes) {
      if (state.isDown) mark("agent/health-check-up-again");
      state.isDown = false;
    }
  }

  /**
   * Why the machine is unhealthy; empty: it is healthy. One critical check that is down is enough; of the others,
   * those that have half of the weight together. One that weighs nothing only tells.
   */
  complaint(name: string, epoch: number): string {
    const machine = this.#machines.get(name);
    if (machine?.epoch !== epoch) return "";
    let weight = 0;
    let downWeight = 0;
    const down: string[] = [];
    for (const check of machine.checks) {
      weight += check.weight;
      if (machine.states.get(check.name)?.isDown !== true) continue;
      if (check.critical) return `health check ${check.name} is down`;
      downWeight += check.weight;
      down.push(check.name);
    }
    return downWeight > 0 && downWeight * 2 >= weight ? `health checks ${down.join(", ")} are down`.slice(0, 256) : "";
  }

  get nextDueMs(): number {
    let atMs = Number.POSITIVE_INFINITY;
    for (const { states } of this.#machines.values()) {
      for (const { dueMs, giveUpMs } of states.values()) atMs = Math.min(atMs, dueMs, giveUpMs);
    }
    return atMs;
  }

  capture(): HealthState {
    return [...this.#machines].map(([name, { epoch, checks, states }]) => {
      return { name, epoch, checks, states: [...states].map(([check, state]) => [check, { ...state }]) };
    });
  }

  restore(machines: HealthState): void {
    for (const { name, epoch, checks, states } of machines) {
      const copies = new Map(states.map(([check, state]) => [check, { ...state }]));
      this.#machines.set(name, { epoch, checks, states: copies });
    }
  }
}

/** Both were read by one decoder, which puts the fields in one order. */
function sameCheck(a: HealthCheck, b: HealthCheck): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
