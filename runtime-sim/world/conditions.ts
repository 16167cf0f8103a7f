/** The ordinary conditions of a world, as data. */
import type { DiskSettings } from "../hardware/index.ts";
import type { LinkParameters } from "../network/index.ts";

/**
 * Hosts are numbered from 1: first the members, then the spares, then those that run machines. A fault on a host hits
 * the member that lives there when it begins.
 */
export type HostNumber = number;

/** Link parameters as JSON has them: null for no limit. */
export type LinkConditions = Omit<LinkParameters, "capacityBytesPerSecond" | "queueBytes"> & {
  readonly capacityBytesPerSecond: number | null;
  readonly queueBytes: number | null;
};

/** One directed link with conditions of its own. */
export type OddLink = LinkConditions & { readonly from: HostNumber; readonly to: HostNumber };

/** How a host's clock differs from true time from the beginning. */
export interface ClockConditions {
  /** Wall clock minus true time. */
  readonly wallOffsetMs: number;
  /** Clock seconds per true second. */
  readonly rate: number;
}

/** The ordinary conditions of a world, before any fault. */
export interface BaseConditions {
  readonly network: LinkConditions;
  readonly links: readonly OddLink[];
  /** On average one link in this many carries all its messages as bytes; 0 for none. */
  readonly byteLinksOneIn: number;
  /** One for each host, in order. */
  readonly clocks: readonly ClockConditions[];
  readonly disk: DiskSettings;
}

/** Conditions in the network's own terms. */
export function linkParameters(conditions: LinkConditions): LinkParameters {
  return {
    ...conditions,
    capacityBytesPerSecond: conditions.capacityBytesPerSecond ?? Infinity,
    queueBytes: conditions.queueBytes ?? Infinity,
  };
}
