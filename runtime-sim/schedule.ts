/**
 * What will go wrong in a run, as data: drawn from the seed (draw.ts), saved, edited, minimised, replayed. Nothing else about the faults of a run
 * comes from anywhere but here and the seed, and each fault takes its dice from a stream named after its own `id`, so that a fault taken out leaves all
 * others as they were.
 */

import type { PlannedLiar } from "./byzantine/index.ts";
import type { DiskSettings } from "./disk.ts";
import type { LinkParameters } from "./network.ts";

/** Hosts are numbered from 1: first the members, then the spares, then those that run machines. A fault on a host means whoever lives there when it begins. */
export type HostNumber = number;

/** Whom a fault hits: hosts by number, or by what they are when it begins. `all` is every member; `worker` one host that runs machines. */
export type FaultTarget = "any" | "leader" | "follower" | "all" | "worker" | readonly HostNumber[];

export type ParameterValue = number | string;

export interface PlannedFault {
  /** Its own for ever: names the stream of its dice. */
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

/** Link parameters as JSON has them: null for no limit. */
export type LinkConditions = Omit<LinkParameters, "capacityBytesPerSecond" | "queueBytes"> & {
  readonly capacityBytesPerSecond: number | null;
  readonly queueBytes: number | null;
};

/** One directed link that is not as all others. */
export type OddLink = LinkConditions & { readonly from: HostNumber; readonly to: HostNumber };

/** How a host's clock differs from true time from the beginning. */
export interface ClockConditions {
  /** Wall clock minus true time. */
  readonly wallOffsetMs: number;
  /** Clock seconds per true second. */
  readonly rate: number;
}

/** The world on its ordinary days, before any fault. */
export interface BaseConditions {
  readonly network: LinkConditions;
  readonly links: readonly OddLink[];
  /** On average one link in this many carries all its messages as bytes; 0 for none. */
  readonly byteLinksOneIn: number;
  /** One for each host, in order. */
  readonly clocks: readonly ClockConditions[];
  readonly disk: DiskSettings;
}

export interface FaultSchedule {
  readonly version: 1;
  /** Which scenario and seed it was drawn for. Replayed under others it is still what goes wrong. */
  readonly scenario: string;
  readonly seed: number;
  /** First members. */
  readonly nodes: number;
  /** Faults happen before this; then they all end. */
  readonly durationMs: number;
  readonly base: BaseConditions;
  /** A Byzantine peer among the first members; null when all are honest. */
  readonly liar: PlannedLiar | null;
  readonly faults: readonly PlannedFault[];
}

/** Ceilings on what a schedule may ask for. */
export const SCHEDULE_LIMITS = {
  nodes: 7,
  hosts: 2048,
  faults: 100_000,
  links: 4096,
  durationMs: 400 * 86_400_000,
} as const;

/** Conditions in the network's own terms. */
export function linkParameters(conditions: LinkConditions): LinkParameters {
  return {
    ...conditions,
    capacityBytesPerSecond: conditions.capacityBytesPerSecond ?? Infinity,
    queueBytes: conditions.queueBytes ?? Infinity,
  };
}
