import { STEADY_WORKLOAD, scenario } from "../runtime-sim/index.ts";

export default scenario({
  name: "late-orders",
  summary:
    "Orders to campaign reach members that stand still, and are followed long after the leader has given the transfer " +
    "up, while that leader hears nobody and answers reads from its lease. No read may miss a write that was " +
    "acknowledged before it.",
  nodes: [3],
  durationMs: 45_000,
  raft: { electionTimeoutMs: 500, heartbeatMs: 50, leaseReads: true },
  workload: { ...STEADY_WORKLOAD, clients: [8, 16], keys: 1, arrivalsPerSecond: [64, 160], leaseReads: 0.9 },
  operator: { membershipEveryMs: null, transferEveryMs: [300, 900], voters: [3, 3] },
  faults: [
    { kind: "pause", everyMs: [400, 1500], durationMs: [450, 1200], targets: ["follower"] },
    {
      kind: "isolate",
      everyMs: [400, 1500],
      durationMs: [200, 600],
      targets: ["leader"],
      parameters: { direction: ["inbound"] },
    },
    { kind: "pause", odds: 0.6, everyMs: [2000, 8000], durationMs: [400, 700], targets: ["leader"] },
    { kind: "delay", odds: 0.5, everyMs: [4000, 15_000], durationMs: [1000, 5000], targets: ["any", "leader"] },
  ],
});
