import { STEADY_WORKLOAD, scenario } from "../runtime-sim/index.ts";

export default scenario({
  name: "election-duels",
  summary:
    "Delays of the order of the election time-out and leaders that vanish make candidates collide again and " +
    "again. Somebody must win in the end, and never two in one term.",
  nodes: [4, 5, 6, 7],
  raft: { electionTimeoutMs: 300, heartbeatMs: 30 },
  network: {
    lossChance: [0, 0.05],
    duplicateChance: [0, 0.1],
    delayMinMs: [5, 40],
    delayMeanMs: [10, 80],
    tailChance: [0, 0.02],
    tailFactor: [2, 10],
    oddLinks: [0, 8],
  },
  workload: { ...STEADY_WORKLOAD, clients: [2, 8], keys: 4, arrivalsPerSecond: [2, 32] },
  operator: { membershipEveryMs: null, transferEveryMs: [5000, 20_000], voters: [1, 7] },
  faults: [
    { kind: "isolate", everyMs: [2000, 8000], durationMs: [300, 3000], targets: ["leader"] },
    {
      kind: "cold-restart",
      odds: 0.5,
      everyMs: [20_000, 60_000],
      durationMs: [100, 1000],
      targets: ["all"],
      parameters: { spreadMs: [0, 10] },
    },
    { kind: "pause", odds: 0.5, everyMs: [5000, 20_000], durationMs: [300, 3000], targets: ["leader", "all"] },
    { kind: "cut-link", odds: 0.5, everyMs: [4000, 15_000], durationMs: [300, 10_000], targets: ["any", "leader"] },
    { kind: "delay", odds: 0.6, everyMs: [8000, 25_000], durationMs: [1000, 10_000], targets: ["all"] },
  ],
});
