/**
 * Carries a fault schedule out: begins and ends each fault at its time, and ends all that are left when the quiet
 * phase comes.
 */
import type { Stream } from "../random/index.ts";
import type { EndFault, FaultKind, Injection } from "./kind.ts";
import type { FaultTarget, PlannedFault } from "./planned-fault.ts";
import type { FaultWorld } from "./world.ts";

export interface InjectorWorld extends FaultWorld {
  /** The random stream of one fault. */
  faultRng(id: number): Stream;
  /** The hosts that the target means now; empty when it means none. */
  resolve(target: FaultTarget, rng: Stream): readonly number[];
  faultBegan(kind: FaultKind, fault: PlannedFault, hosts: readonly number[]): void;
  faultEnded(kind: FaultKind, fault: PlannedFault): void;
}

interface Active {
  readonly kind: FaultKind;
  readonly fault: PlannedFault;
  readonly end: EndFault;
}

export class Injector {
  readonly #world: InjectorWorld;
  readonly #active = new Set<Active>();
  #stopped = false;
  /** Kind to how often it was injected, in order of first injection. */
  readonly counts = new Map<string, number>();

  constructor(world: InjectorWorld) {
    this.#world = world;
  }

  /** Arranges for a fault to begin at its time. */
  plan(kind: FaultKind, fault: PlannedFault): void {
    const atUs = Math.round(fault.atMs * 1000);
    this.#world.after(Math.max(0, atUs - this.#world.nowUs), () => {
      if (!this.#stopped) this.#begin(kind, fault);
    });
  }

  /** Faults under way. */
  get active(): number {
    return this.#active.size;
  }

  /** Ends all faults, the oldest first, and lets none begin any more. */
  stop(): void {
    this.#stopped = true;
    for (const active of this.#active) this.#end(active);
  }

  #begin(kind: FaultKind, fault: PlannedFault): void {
    const world = this.#world;
    const rng = world.faultRng(fault.id);
    const hosts = world.resolve(fault.target, rng);
    if (hosts.length === 0) return;
    const durationUs = Math.max(1, Math.round(fault.durationMs * 1000));
    const end = kind.begin(world, injectionOf(fault, rng, hosts, world.nowUs + durationUs));
    if (end === null) return;
    this.counts.set(kind.name, (this.counts.get(kind.name) ?? 0) + 1);
    world.faultBegan(kind, fault, hosts);
    const active: Active = { kind, fault, end };
    this.#active.add(active);
    world.after(durationUs, () => this.#end(active));
  }

  #end(active: Active): void {
    if (!this.#active.delete(active)) return;
    active.end();
    this.#world.faultEnded(active.kind, active.fault);
  }
}

function injectionOf(fault: PlannedFault, rng: Stream, hosts: readonly number[], endUs: number): Injection {
  const value = (name: string): number | string => {
    const given = fault.parameters[name];
    if (given === undefined) throw new RangeError(`fault ${fault.id} (${fault.kind}) has no parameter ${name}`);
    return given;
  };
  return { rng, hosts, endUs, number: (name) => Number(value(name)), choice: (name) => String(value(name)) };
}
