/** What a scenario says of its clients and its operator. */
import type { Range } from "../random/index.ts";

export interface WorkloadShape {
  /** How many there are, drawn once for a seed, each doubling as likely as another: 1 to 2 as 8 to 16. */
  readonly clients: Range;
  /** VMs that all of them share. */
  readonly keys: number;
  /** Of all clients together while nothing makes them wait, drawn once for a seed in the same way. */
  readonly arrivalsPerSecond: Range;
  /** Calls that one client may have under way; most have one. */
  readonly widthMax: number;
  /** Share of reads served from any node's own state, which promise nothing. */
  readonly staleReads: number;
  /** Share of reads that ask for a lease read. */
  readonly leaseReads: number;
  /** Clients ask a liar as well as any other member. Else none asks it: it may answer anything. */
  readonly asksLiars: boolean;
}

export interface OperatorShape {
  /** Mean time between membership changes; null for none. */
  readonly membershipEveryMs: Range | null;
  /** Mean time between leadership transfers; null for none. */
  readonly transferEveryMs: Range | null;
  /** Mean time between changes of how the cluster chooses address pools; left out for none. */
  readonly settingsEveryMs?: Range;
  /** It does not go below, nor above. */
  readonly voters: Range;
}

export const STEADY_WORKLOAD: WorkloadShape = {
  clients: [1, 12],
  keys: 6,
  arrivalsPerSecond: [1, 32],
  widthMax: 16,
  staleReads: 0.1,
  leaseReads: 0,
  asksLiars: false,
};

/** Nobody but the probe of the quiet phase. */
export const NO_CLIENTS: WorkloadShape = { ...STEADY_WORKLOAD, clients: [0, 0] };

export const IDLE_OPERATOR: OperatorShape = { membershipEveryMs: null, transferEveryMs: null, voters: [1, 7] };
