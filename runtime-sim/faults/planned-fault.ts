/** One fault of a schedule, as data. */
import type { HostNumber } from "../world/index.ts";

/**
 * Whom a fault hits: hosts by number, or by what they are when it begins. `all` is every member; `worker` one host
 * that runs machines.
 */
export type FaultTarget = "any" | "leader" | "follower" | "all" | "worker" | readonly HostNumber[];

export type ParameterValue = number | string;

export interface PlannedFault {
  /** Unique, and kept when the schedule is edited: it names the fault's random stream. */
  readonly id: number;
  /** Virtual time at which it begins. */
  readonly atMs: number;
  /** A name in the table of faults. */
  readonly kind: string;
  /** It ends this much later, or when all faults end. */
  readonly durationMs: number;
  readonly target: FaultTarget;
  readonly parameters: Readonly<Record<string, ParameterValue>>;
}
