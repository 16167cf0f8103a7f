/**
 * The priorities of the VMs that may be preempted. Most requests find none below their own, and then no worker needs
 * to be looked at.
 */
import { intentOf, type VmRecord } from "../domain/index.ts";
import { count } from "./counts.ts";

export class PreemptibleVms {
  /** By name. */
  #priorities = new Map<string, number>();
  /** How many there are of each priority. */
  #counts = new Map<number, number>();

  vmChanged(vm: VmRecord): void {
    const { name, spec, workerId } = vm;
    const isPreemptible = spec.preemptible && workerId !== null && intentOf(vm) === "run";
    this.#set(name, isPreemptible ? spec.priority : undefined);
  }

  vmGone(name: string): void {
    this.#set(name, undefined);
  }

  #set(name: string, priority: number | undefined): void {
    const before = this.#priorities.get(name);
    if (before === priority) return;
    if (before !== undefined) count(this.#counts, before, -1);
    if (priority === undefined) {
      this.#priorities.delete(name);
      return;
    }
    this.#priorities.set(name, priority);
    count(this.#counts, priority, 1);
  }

  /** Whether any of them has a lower priority. */
  hasBelow(priority: number): boolean {
    for (const other of this.#counts.keys()) if (other < priority) return true;
    return false;
  }

  capture() {
    return { priorities: new Map(this.#priorities), counts: new Map(this.#counts) };
  }

  restore(captured: ReturnType<PreemptibleVms["capture"]>): void {
    this.#priorities = new Map(captured.priorities);
    this.#counts = new Map(captured.counts);
  }
}
