import { ANY_LIAR, actsTo, STEADY_WORKLOAD, scenario } from "../runtime-sim/index.ts";

export default scenario({
  name: "byzantine-churn",
  summary:
    "One member lies while members come and go, itself among them, and whoever is new or was away is caught up by " +
    "snapshots, some of them the liar's. It may be one that has joined, and it lies to newcomers as well.",
  nodes: [4, 5],
  spares: 3,
  raft: {
    snapshotAfterEntries: 20,
    snapshotEveryEntries: 15,
    snapshotTrailingEntries: 5,
    snapshotChunkBytes: 4096,
  },
  network: {
    lossChance: [0, 0.02],
    duplicateChance: [0, 0.03],
    delayMinMs: [0.1, 3],
    delayMeanMs: [0.2, 6],
    tailChance: [0, 0.01],
    tailFactor: [5, 20],
    oddLinks: [0, 2],
  },
  workload: { ...STEADY_WORKLOAD, arrivalsPerSecond: [4, 24] },
  operator: { membershipEveryMs: [2000, 7000], transferEveryMs: [2000, 6000], voters: [3, 7] },
  liar: { ...ANY_LIAR, acts: [...actsTo("members"), ...actsTo("joiners"), ...actsTo("joiners")], joins: 0.3 },
  faults: [
    { kind: "crash", everyMs: [15_000, 40_000], durationMs: [200, 6000], targets: ["any", "leader"] },
    { kind: "isolate", odds: 0.5, everyMs: [10_000, 30_000], durationMs: [1000, 8000], targets: ["any", "leader"] },
    { kind: "pause", odds: 0.3, everyMs: [30_000, 60_000], durationMs: [100, 5000], targets: ["any", "leader"] },
  ],
});
