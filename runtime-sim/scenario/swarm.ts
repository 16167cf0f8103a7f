/**
 * What swarms have in common: their conditions, how they mix a kind of fault, and options and limits from so low that
 * they are met all the time to those of a real cluster.
 */
import type { FaultKind } from "../faults/index.ts";
import type { Range } from "../random/index.ts";
import type { FaultMix, Scenario } from "./scenario.ts";
import type { Variety } from "./variety.ts";

/** A request must fit in what may be uncommitted, whatever is drawn of the two. */
const REQUEST_BYTES_MAX = 16 * 1024;

/** Of scenarios that draw from `LOWERED_OPTIONS`. */
export const SWARM_CONDITIONS = {
  spares: 2,
  raft: {
    maxRequestBytes: REQUEST_BYTES_MAX,
    snapshotAfterEntries: 200,
    snapshotEveryEntries: 100,
    snapshotTrailingEntries: 30,
    snapshotChunkBytes: 4096,
  },
  network: {
    lossChance: [0, 0.03],
    duplicateChance: [0, 0.05],
    delayMinMs: [0, 5],
    delayMeanMs: [0.2, 10],
    tailChance: [0, 0.01],
    tailFactor: [2, 100],
    oddLinks: [0, 4],
  },
  byteLinksOneIn: 6,
  operator: { membershipEveryMs: [10_000, 60_000], transferEveryMs: [10_000, 60_000], voters: [1, 7] },
} as const satisfies Partial<Scenario>;

export const LOWERED_OPTIONS: Variety["raft"] = [
  ["maxInflightMessages", [1, 64]],
  ["maxInflightBytes", [256, 4 * 1024 * 1024]],
  ["maxAppendBytes", [1, 256 * 1024]],
  ["maxUncommittedBytes", [REQUEST_BYTES_MAX, 16 * 1024 * 1024]],
  ["maxRequestBytes", [2048, REQUEST_BYTES_MAX]],
  ["maxPendingRequests", [4, 4096]],
  ["batchEntries", [1, 100]],
  ["batchBytes", [1, 1024 * 1024]],
  ["batchMs", [0, 50]],
  ["requestTimeoutMs", [1000, 10_000]],
  ["snapshotAfterEntries", [1, 500]],
  ["snapshotEveryEntries", [1, 250]],
  ["snapshotTrailingEntries", [0, 100]],
  ["snapshotChunkBytes", [1024, 64 * 1024]],
];

export const LOWERED_LIMITS: Variety["limits"] = [
  ["sessions", [2, 40]],
  ["vms", [3, 40]],
  ["tokens", [1, 20]],
  ["nodes", [4, 20]],
  ["events", [64, 1024]],
  ["workers", [1, 8]],
  ["tenants", [1, 8]],
  ["tasks", [1, 20]],
  ["ipPools", [1, 4]],
];

/** In which share of the seeds a kind of fault happens, and the mean time between one and the next. */
export interface Frequency {
  readonly odds: number;
  readonly everyMs: Range;
}

/** A kind of fault now and then, and another time often; either, both or neither in a seed. */
export function rareAndOften(
  kind: FaultKind,
  rare: Frequency,
  often: Frequency,
  narrowed: Pick<FaultMix, "targets" | "parameters">,
): FaultMix[] {
  const [shortest, longest] = kind.durationMs;
  // What happens often lasts less long, or nothing would ever be committed.
  const durationMs = [shortest, Math.max(shortest, Math.round(longest / 4))] as const;
  return [
    { kind: kind.name, ...rare, ...narrowed },
    { kind: kind.name, ...often, durationMs, ...narrowed },
  ];
}
