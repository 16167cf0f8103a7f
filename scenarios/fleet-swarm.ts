import {
  CALM_FLEET,
  FAULTS,
  type FaultKind,
  type FaultMix,
  type FleetVariety,
  LEASE_LONG_ABSENCES,
  LOWERED_LIMITS,
  LOWERED_OPTIONS,
  NO_CLIENTS,
  rareAndOften,
  SWARM_CONDITIONS,
  scenario,
} from "../runtime-sim/index.ts";

/** Whom a kind of fault may hit. What is done to links is done to those of workers as well. */
function targetsOf({ family }: FaultKind): NonNullable<FaultMix["targets"]> {
  if (family === "worker") return ["worker"];
  return family === "network" ? ["any", "leader", "follower", "all", "worker"] : ["any", "leader", "follower"];
}

/** Of these kinds only as much as leases allow for: how clocks that leave the bound are met is said below. */
const WITHIN_BOUND: Readonly<Record<string, FaultMix["parameters"]>> = {
  "clock-drift": { factor: [0.99, 1.01] },
  "worker-drift": { factor: [0.99, 1.01] },
  "clock-jump-forward": { monotonicMs: [0, 0] },
};

/**
 * A seed has a quarter of the kinds of hosts and an eighth of those of members, from rare to all the time, each with
 * parameters out of its full range.
 */
function mix(kind: FaultKind): FaultMix[] {
  // A cluster without a leader tests little of fleets: members have less to suffer than in their own swarm.
  const odds = kind.family === "worker" ? 1 : 0.5;
  const rare = { odds: 0.15 * odds, everyMs: [15_000, 40_000] } as const;
  const often = { odds: 0.1 * odds, everyMs: [3000, 12_000] } as const;
  return rareAndOften(kind, rare, often, { targets: targetsOf(kind), parameters: WITHIN_BOUND[kind.name] ?? {} });
}

/** A host, or a member, is away for about as long as a lease lasts: it may come back just before, or just after. */
function leaseLong(kind: string, targets: NonNullable<FaultMix["targets"]>): FaultMix {
  return { kind, odds: 0.2, everyMs: [8000, 30_000], durationsMs: LEASE_LONG_ABSENCES, targets };
}

/** Clocks beyond the bound that leases rest on: from then on a VM may run twice, and that it does is only counted. */
function beyondBound(kind: string, targets: NonNullable<FaultMix["targets"]>): FaultMix {
  return { kind, odds: 0.04, everyMs: [10_000, 40_000], targets };
}

const variety: FleetVariety = {
  whole: {
    workers: [1, 7],
    datacenters: [1, 2],
    zones: [1, 3],
    racks: [1, 3],
    vms: [0, 20],
    vmsMax: [5, 30],
    tenants: [1, 4],
    poolSize: [0, 40],
    pools: [1, 3],
    askers: [0, 4],
  },
  shares: { groupShare: [0, 1], waitShare: [0, 0.5], healthShare: [0, 0.6], openShare: [0, 1] },
  vcpus: [
    [4, 8],
    [8, 16],
    [16, 32],
  ],
  memoryMiB: [
    [8192, 16_384],
    [32_768, 65_536],
  ],
  hypervisor: [
    CALM_FLEET.hypervisor,
    { buildMeanMs: 50, bootMeanMs: 50, stopMeanMs: 20, jobMeanMs: 200 },
    { buildMeanMs: 2000, bootMeanMs: 3000, stopMeanMs: 2000, jobMeanMs: 10_000 },
  ],
  scheduler: [
    {},
    { strategy: "least-available" },
    { strategy: "round-robin" },
    { strategy: "spread", spreadScope: "zone", minDomains: 2 },
    { strategy: "cost", costIncreasePercentMax: 20 },
    { strategy: "locality", preemption: false },
  ],
  overcommit: [null, null, { cpu: 2, memory: 1.2, disk: 1.1, reservePercent: 15 }],
  vmVcpus: [
    [1, 2],
    [1, 4],
    [1, 8],
  ],
  vmPriority: [
    [500, 500],
    [0, 1000],
  ],
  recovery: [
    CALM_FLEET.recovery,
    { backoffMs: 100, backoffMaxMs: 1000, restartsMax: 1 },
    { backoffMs: 2000, backoffMaxMs: 10_000, restartsMax: 5 },
    { backoffMs: 1, backoffMaxMs: 1, restartsMax: 0 },
  ],
  quota: [
    null,
    null,
    { vms: 5, vcpus: 12, vmsPerWorker: 3 },
    { createsPerMinute: 20, requestsPerSecond: 2, requestsBurst: 5 },
  ],
  // From a request now and then to as many as the cluster can take.
  askEveryMs: [
    [10, 60],
    [100, 500],
    [500, 2000],
    [2000, 8000],
  ],
  questionEveryMs: [
    [200, 1000],
    [1000, 5000],
  ],
  removeEveryMs: [null, [10_000, 60_000]],
  wishShare: 0.7,
  wishWeight: [1, 8],
};

export default scenario({
  ...SWARM_CONDITIONS,
  name: "fleet-swarm",
  summary:
    "Members, hosts that run machines, tenants and operators together, each kind of fault and of wish switched on or " +
    "off by the seed with parameters drawn from its whole range. Most of what is found of fleets is found here.",
  nodes: [1, 2, 3, 3, 3, 4, 5, 5, 6, 7],
  durationMs: 60_000,
  livenessBoundMs: 300_000,
  variety: {
    durationMs: [20_000, 70_000],
    raft: LOWERED_OPTIONS,
    raftShare: 0.15,
    limits: LOWERED_LIMITS,
    limitShare: 0.15,
    fleet: variety,
  },
  disk: { syncMinMs: [0.1, 2], syncMeanMs: [0.05, 10] },
  clocks: { wallOffsetMs: [-60_000, 60_000], rate: [0.992, 1.008] },
  workload: NO_CLIENTS,
  fleet: CALM_FLEET,
  faults: [
    // A frozen clock is as slow as a clock can be.
    ...FAULTS.filter(({ name }) => name !== "clock-freeze" && name !== "readdress").flatMap(mix),
    leaseLong("cut-off-worker", ["worker"]),
    leaseLong("cut-worker-links", ["worker"]),
    leaseLong("agent-pause", ["worker"]),
    leaseLong("agent-crash", ["worker"]),
    leaseLong("host-down", ["worker"]),
    leaseLong("isolate", ["leader"]),
    leaseLong("pause", ["leader"]),
    leaseLong("crash", ["leader", "any"]),
    // An entry is far from its proposal when every disk is slow.
    { kind: "disk-slow", odds: 0.3, everyMs: [10_000, 30_000], durationMs: [3000, 20_000], targets: ["all"] },
    beyondBound("clock-drift", ["any", "leader"]),
    beyondBound("worker-drift", ["worker"]),
    beyondBound("clock-jump-forward", ["any", "leader"]),
    beyondBound("clock-freeze", ["any", "leader"]),
    // Last, so that all others are drawn as they were without it.
    ...FAULTS.filter(({ name }) => name === "readdress").flatMap(mix),
  ],
});
