import {
  FAULTS,
  type FaultKind,
  type FaultMix,
  LOWERED_LIMITS,
  LOWERED_OPTIONS,
  LOWERED_REQUEST_BYTES,
  STEADY_WORKLOAD,
  scenario,
} from "../runtime-sim/index.ts";

/** Whom a kind of fault may hit: a partition of all members has no single target. */
function targetsOf({ family }: FaultKind): NonNullable<FaultMix["targets"]> {
  return family === "network" ? ["any", "leader", "follower", "all"] : ["any", "leader", "follower"];
}

/** A seed has about a third of all kinds, from rare to all the time, each with parameters out of its full range. */
function mix(kind: FaultKind): FaultMix[] {
  return [
    { kind: kind.name, odds: 0.2, everyMs: [20_000, 60_000], targets: targetsOf(kind) },
    { kind: kind.name, odds: 0.15, everyMs: [4000, 20_000], durationMs: shortened(kind), targets: targetsOf(kind) },
  ];
}

/** What happens often lasts less long, or nothing would ever be committed. */
function shortened({ durationMs: [shortest, longest] }: FaultKind): readonly [number, number] {
  return [shortest, Math.max(shortest, Math.round(longest / 4))];
}

export default scenario({
  name: "swarm",
  summary:
    "Everything that can go wrong, each kind of fault switched on or off by the seed with parameters drawn from " +
    "its whole range. Most of what is found is found here.",
  nodes: [1, 2, 3, 3, 4, 5, 5, 5, 6, 7],
  spares: 2,
  raft: {
    maxRequestBytes: LOWERED_REQUEST_BYTES,
    snapshotAfterEntries: 200,
    snapshotEveryEntries: 100,
    snapshotTrailingEntries: 30,
    snapshotChunkBytes: 4096,
  },
  variety: {
    durationMs: null,
    raft: LOWERED_OPTIONS,
    raftShare: 0.15,
    limits: LOWERED_LIMITS,
    limitShare: 0.3,
    fleet: null,
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
  disk: { syncMinMs: [0.1, 2], syncMeanMs: [0.05, 5] },
  clocks: { wallOffsetMs: [-60_000, 60_000], rate: [0.95, 1.05] },
  workload: { ...STEADY_WORKLOAD, clients: [1, 16], keys: 5, arrivalsPerSecond: [1, 48], widthMax: 64 },
  operator: { membershipEveryMs: [10_000, 60_000], transferEveryMs: [10_000, 60_000], voters: [1, 7] },
  // There are no hosts that run machines: their faults have scenarios of their own, in which clocks stay within what
  // leases allow.
  faults: FAULTS.filter(({ family }) => family !== "worker").flatMap(mix),
});
