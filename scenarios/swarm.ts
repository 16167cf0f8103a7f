import {
  FAULTS,
  type FaultKind,
  type FaultMix,
  LOWERED_LIMITS,
  LOWERED_OPTIONS,
  rareAndOften,
  STEADY_WORKLOAD,
  SWARM_CONDITIONS,
  scenario,
} from "../runtime-sim/index.ts";

/** Whom a kind of fault may hit: a partition of all members has no single target. */
function targetsOf({ family }: FaultKind): NonNullable<FaultMix["targets"]> {
  return family === "network" ? ["any", "leader", "follower", "all"] : ["any", "leader", "follower"];
}

/** A seed has about a third of all kinds, from rare to all the time, each with parameters out of its full range. */
function mix(kind: FaultKind): FaultMix[] {
  const rare = { odds: 0.2, everyMs: [20_000, 60_000] } as const;
  const often = { odds: 0.15, everyMs: [4000, 20_000] } as const;
  return rareAndOften(kind, rare, often, { targets: targetsOf(kind) });
}

export default scenario({
  ...SWARM_CONDITIONS,
  name: "swarm",
  summary:
    "Everything that can go wrong, each kind of fault switched on or off by the seed with parameters drawn from " +
    "its whole range. Most of what is found is found here.",
  nodes: [1, 2, 3, 3, 4, 5, 5, 5, 6, 7],
  variety: {
    durationMs: null,
    raft: LOWERED_OPTIONS,
    raftShare: 0.15,
    limits: LOWERED_LIMITS,
    limitShare: 0.3,
    fleet: null,
  },
  disk: { syncMinMs: [0.1, 2], syncMeanMs: [0.05, 5] },
  clocks: { wallOffsetMs: [-60_000, 60_000], rate: [0.95, 1.05] },
  workload: { ...STEADY_WORKLOAD, clients: [1, 16], keys: 5, arrivalsPerSecond: [1, 48], widthMax: 64 },
  // There are no hosts that run machines: their faults have scenarios of their own, in which clocks stay within what
  // leases allow.
  faults: FAULTS.filter(({ family }) => family !== "worker").flatMap(mix),
});
