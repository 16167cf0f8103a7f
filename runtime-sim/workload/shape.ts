/** What a scenario says of its clients and its operator. */
import type { Range } from "../random/index.ts";

export interface WorkloadShape {
  readonly clients: number;
  readonly keys: number;
  /** Mean of the exponential pause between two calls of one client, drawn once for a seed. */
  readonly thinkMeanMs: Range;
  /** Share of reads served from any node's own state, which promise nothing. */
  readonly staleReads: number;
  /** Share of reads that ask for a lease read. */
  readonly leaseReads: number;
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
  clients: 5,
  keys: 6,
  thinkMeanMs: [150, 600],
  staleReads: 0,
  leaseReads: 0,
};

/** Nobody but the probe of the quiet phase. */
export const NO_CLIENTS: WorkloadShape = { ...STEADY_WORKLOAD, clients: 0 };

export const IDLE_OPERATOR: OperatorShape = { membershipEveryMs: null, transferEveryMs: null, voters: [1, 7] };
