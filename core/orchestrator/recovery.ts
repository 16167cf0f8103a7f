/**
 * Lets failed VMs run again: where they are, each time after a longer wait; and after so many restarts, on another
 * worker. A VM that keeps failing wherever it is placed is left alone in the end.
 */
import { type ClusterState, vmOf } from "../cluster/index.ts";
import { intentOf, type VmRecord } from "../domain/index.ts";
import { mark } from "../marks.ts";
import { Deadlines } from "./deadlines.ts";
import type { Proposals } from "./proposals.ts";

/** Moves to other workers before a VM that keeps failing is left alone. */
const RELOCATIONS_MAX = 3;

export class Recovery {
  readonly #proposals: Proposals;
  /** By name, when it is to run again, or to move. */
  readonly #due = new Deadlines<string>();

  constructor(proposals: Proposals) {
    this.#proposals = proposals;
  }

  vmChanged(vm: VmRecord, nowMs: number): void {
    const { name } = vm;
    if (!isToRecover(vm)) this.#due.delete(name);
    else if (!this.#due.has(name)) this.#due.set(name, nowMs + backoffMs(vm));
  }

  vmGone(name: string): void {
    this.#due.delete(name);
  }

  step(state: ClusterState, nowMs: number): void {
    while (!this.#proposals.isFull) {
      const name = this.#due.take(nowMs);
      if (name === undefined) return;
      const vm = vmOf(state, name);
      if (vm !== null && isToRecover(vm)) this.#recover(vm);
    }
  }

  /** What is in flight about it already comes first: it is looked at again when that is settled. */
  #recover({ name, epoch, spec, restarts, relocations }: VmRecord): void {
    const subject = { kind: "vm", name } as const;
    if (restarts < spec.recovery.restartsMax) {
      mark("recovery/restart");
      this.#proposals.propose(subject, { kind: "recoverVm", name, epoch });
    } else if (relocations < RELOCATIONS_MAX && spec.workerId === null) {
      // A VM that may run nowhere else would lose its disk and gain nothing.
      mark("recovery/relocation");
      this.#proposals.propose(subject, { kind: "evictVm", name, epoch, cause: "recovery", to: null });
    } else {
      mark("recovery/left-alone");
    }
  }

  /** Infinity: nothing is due. */
  get nextMs(): number {
    return this.#due.nextMs;
  }

  capture() {
    return this.#due.capture();
  }

  restore(captured: ReturnType<Recovery["capture"]>): void {
    this.#due.restore(captured);
  }
}

function isToRecover(vm: VmRecord): boolean {
  return vm.state === "Failed" && vm.workerId !== null && intentOf(vm) === "run";
}

function backoffMs({ spec: { recovery }, restarts }: VmRecord): number {
  let ms = recovery.backoffMs;
  for (let n = 0; n < restarts && ms < recovery.backoffMaxMs; n++) ms *= recovery.backoffFactor;
  return Math.min(ms, recovery.backoffMaxMs);
}
