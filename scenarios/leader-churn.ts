import { STEADY_WORKLOAD, scenario } from "../runtime-sim/index.ts";

export default scenario({
  name: "leader-churn",
  summary:
    "Leaders are lost in the middle of replicating, over and over, with entries of several terms on some logs " +
    "and not on others, as in figure 8 of the Raft paper. An entry of an older term counts as committed only " +
    "through one of the leader's own.",
  nodes: [5],
  durationMs: 60_000,
  // One entry for each append, over slow links: a leader that is lost has replicated part of its log to some of the
  // others.
  raft: { electionTimeoutMs: 150, heartbeatMs: 20, maxAppendBytes: 1, maxInflightMessages: 1, batchEntries: 1 },
  network: {
    lossChance: [0, 0.05],
    duplicateChance: [0, 0.05],
    delayMinMs: [1, 8],
    delayMeanMs: [1, 12],
    tailChance: [0, 0.01],
    tailFactor: [2, 20],
    oddLinks: [0, 4],
  },
  workload: { ...STEADY_WORKLOAD, keys: 5 },
  faults: [
    {
      kind: "strike-leaders",
      everyMs: [2000, 6000],
      durationMs: [5000, 20_000],
      targets: ["all"],
      parameters: { chance: [0.5, 1], delayMs: [0, 60], outageMs: [50, 800] },
    },
    { kind: "crash", odds: 0.7, everyMs: [500, 3000], durationMs: [50, 800], targets: ["leader", "any"] },
    { kind: "isolate", odds: 0.7, everyMs: [500, 3000], durationMs: [50, 800], targets: ["leader", "any"] },
    { kind: "cut-link", odds: 0.7, everyMs: [500, 3000], durationMs: [100, 2000], targets: ["leader", "any"] },
    { kind: "halves", odds: 0.4, everyMs: [1500, 5000], durationMs: [100, 1500], targets: ["all"] },
    { kind: "disk-slow", odds: 0.4, everyMs: [3000, 10_000], durationMs: [500, 4000], targets: ["follower", "all"] },
    { kind: "clog", odds: 0.4, everyMs: [2000, 8000], durationMs: [100, 1500], targets: ["leader", "all"] },
  ],
});
