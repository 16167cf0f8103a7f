import { scenario } from "../runtime-sim/index.ts";

export default scenario({
  name: "leader-churn",
  summary:
    "Leaders are lost in the middle of replicating, over and over, with entries of several terms on some logs and not on others, as in figure 8 of the Raft paper. An entry of an older term counts as committed only through one of the leader's own.",
  nodes: [5],
  // One entry an append, so that a leader dies between an older entry and its own.
  raft: { electionTimeoutMs: 400, heartbeatMs: 50, maxInflightMessages: 4, maxAppendBytes: 1, batchMs: 2 },
  workload: { clients: 6, keys: 5, thinkMeanMs: [20, 80], staleReads: 0, leaseReads: 0 },
  durationMs: 90_000,
  faults: [
    { kind: "crash", everyMs: [1200, 3000], durationMs: [100, 4000], targets: ["leader"] },
    { kind: "cut-off-minority", odds: 0.8, everyMs: [2500, 8000], durationMs: [300, 4000], targets: ["leader"] },
    {
      kind: "isolate",
      odds: 0.6,
      everyMs: [4000, 12_000],
      durationMs: [300, 3000],
      targets: ["leader"],
      parameters: { direction: ["inbound", "both"] },
    },
    { kind: "cut-link", odds: 0.8, everyMs: [1500, 6000], durationMs: [200, 4000], targets: ["leader"] },
    { kind: "disk-slow", odds: 0.5, everyMs: [5000, 20_000], durationMs: [1000, 8000], targets: ["follower", "all"] },
    { kind: "clog", odds: 0.5, everyMs: [4000, 15_000], durationMs: [200, 3000], targets: ["leader", "all"] },
  ],
});
