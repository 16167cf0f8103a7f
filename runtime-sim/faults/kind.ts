/** What every kind of fault is made of. */

import type { Stream } from "../random/index.ts";
import { drawRange, type Range } from "../random/index.ts";
import type { ParameterValue } from "./planned-fault.ts";
import type { FaultWorld } from "./world.ts";

/** A parameter of a fault: what may be asked for, and what a seed draws. */
export type ParameterSpec =
  | { readonly meaning: string; readonly limits: Range; readonly swarm: Range; readonly whole?: true }
  | { readonly meaning: string; readonly choices: readonly string[] };

/** One injection of a fault. */
export interface Injection {
  /** Its own random stream. */
  readonly rng: Stream;
  /** Indexes of the hosts that it hits, resolved; at least one. */
  readonly hosts: readonly number[];
  /** Virtual time at which it is due to end. */
  readonly endUs: number;
  number(name: string): number;
  choice(name: string): string;
}

/** Puts back what the fault changed, and nothing else: others may be under way. */
export type EndFault = () => void;

export interface FaultKind {
  readonly name: string;
  readonly family: "network" | "process" | "disk" | "clock" | "worker";
  readonly summary: string;
  readonly parameters: Readonly<Record<string, ParameterSpec>>;
  /** How long a seed lets it last. */
  readonly durationMs: Range;
  /** Null when there was nothing to break: then it is not counted. */
  begin(world: FaultWorld, fault: Injection): EndFault | null;
}

/** For a fault that has nothing to put back, or that ends by itself. */
export const NOTHING_TO_END: EndFault = () => {};

export function drawParameter(spec: ParameterSpec, rng: Stream): ParameterValue {
  if ("choices" in spec) return rng.pick(spec.choices);
  const [lowest, highest] = spec.swarm;
  return drawRange([lowest, highest], rng, spec.whole === true);
}
