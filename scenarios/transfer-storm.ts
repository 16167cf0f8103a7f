import { STEADY_WORKLOAD, scenario } from "../runtime-sim/index.ts";

export default scenario({
  name: "transfer-storm",
  summary:
    "The operator hands leadership on every second or so, to members that lag, are slow, or are gone, while " +
    "leaders answer reads from their lease. Clients notice a delay at most.",
  nodes: [3, 5],
  spares: 1,
  raft: { electionTimeoutMs: 500, heartbeatMs: 50, leaseReads: true },
  network: {
    lossChance: [0, 0.02],
    duplicateChance: [0, 0.05],
    delayMinMs: [1, 10],
    delayMeanMs: [1, 20],
    tailChance: [0, 0.02],
    tailFactor: [2, 10],
    oddLinks: [0, 4],
  },
  clocks: { wallOffsetMs: [-2000, 2000], rate: [0.99, 1.01] },
  workload: { ...STEADY_WORKLOAD, clients: [3, 12], keys: 2, arrivalsPerSecond: [8, 64], leaseReads: 0.7 },
  operator: { membershipEveryMs: [10_000, 30_000], transferEveryMs: [500, 2500], voters: [3, 7] },
  faults: [
    { kind: "delay", odds: 0.5, everyMs: [5000, 20_000], durationMs: [1000, 8000], targets: ["any", "all"] },
    {
      // It receives nothing: it transfers leadership and does not learn that it has lost it.
      kind: "isolate",
      odds: 0.7,
      everyMs: [500, 2500],
      durationMs: [100, 800],
      targets: ["leader"],
      parameters: { direction: ["inbound"] },
    },
    { kind: "cut-link", odds: 0.7, everyMs: [1000, 5000], durationMs: [200, 2000], targets: ["leader"] },
    { kind: "pause", odds: 0.6, everyMs: [5000, 20_000], durationMs: [100, 4000], targets: ["follower", "leader"] },
    { kind: "disk-slow", odds: 0.5, everyMs: [6000, 20_000], durationMs: [1000, 10_000], targets: ["any", "leader"] },
    { kind: "loss", odds: 0.5, everyMs: [6000, 20_000], durationMs: [1000, 8000], targets: ["all", "leader"] },
    { kind: "duplicate", odds: 0.5, everyMs: [6000, 20_000], durationMs: [1000, 8000], targets: ["all"] },
    { kind: "crash", odds: 0.5, everyMs: [8000, 25_000], durationMs: [100, 4000], targets: ["leader", "follower"] },
    { kind: "isolate", odds: 0.4, everyMs: [8000, 25_000], durationMs: [300, 4000], targets: ["leader", "follower"] },
  ],
});
