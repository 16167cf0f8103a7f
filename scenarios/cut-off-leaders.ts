import { STEADY_WORKLOAD, scenario } from "../runtime-sim/index.ts";

export default scenario({
  name: "cut-off-leaders",
  summary:
    "Leaders under full load, with a change of members just begun, are cut off for a moment and come back with a " +
    "tail of entries that nobody else has, while the others change members and compact their logs. What is cut " +
    "off goes as a whole, and nothing else goes with it.",
  nodes: [3, 4, 5],
  spares: 2,
  durationMs: 45_000,
  raft: {
    electionTimeoutMs: 300,
    heartbeatMs: 50,
    snapshotAfterEntries: 6,
    snapshotEveryEntries: 3,
    snapshotTrailingEntries: 1,
    maxAppendBytes: 2048,
  },
  workload: { ...STEADY_WORKLOAD, clients: [6, 16], keys: 6, arrivalsPerSecond: [48, 128] },
  operator: { membershipEveryMs: [200, 1000], transferEveryMs: null, voters: [2, 5] },
  faults: [
    { kind: "isolate", everyMs: [800, 3000], durationMs: [400, 2500], targets: ["leader"] },
    { kind: "cut-link", odds: 0.7, everyMs: [1000, 5000], durationMs: [200, 2000], targets: ["leader"] },
    { kind: "loss", odds: 0.7, everyMs: [3000, 10_000], durationMs: [1000, 5000], targets: ["leader", "all"] },
    { kind: "delay", odds: 0.5, everyMs: [5000, 15_000], durationMs: [1000, 5000], targets: ["all", "leader"] },
    { kind: "crash", odds: 0.5, everyMs: [4000, 15_000], durationMs: [100, 2000], targets: ["leader", "any"] },
  ],
});
