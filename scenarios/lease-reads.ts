import { STEADY_WORKLOAD, scenario } from "../runtime-sim/index.ts";

export default scenario({
  name: "lease-reads",
  summary:
    "Leaders answer reads from their lease while clocks run at different rates within the stated bound, " +
    "leadership moves, and leaders are paused and cut off. No read may miss a write that was acknowledged " +
    "before it.",
  nodes: [3, 5],
  raft: { leaseReads: true, clockDriftBound: 0.05 },
  // Any two rates differ by less than the bound.
  clocks: { wallOffsetMs: [-60_000, 60_000], rate: [0.98, 1.02] },
  workload: { ...STEADY_WORKLOAD, clients: [3, 12], keys: 3, arrivalsPerSecond: [8, 64], leaseReads: 0.8 },
  operator: { membershipEveryMs: null, transferEveryMs: [3000, 10_000], voters: [1, 7] },
  faults: [
    {
      kind: "strike-leaders",
      odds: 0.5,
      everyMs: [10_000, 30_000],
      durationMs: [5000, 15_000],
      targets: ["all"],
      parameters: { outageMs: [100, 4000] },
    },
    { kind: "isolate", everyMs: [3000, 12_000], durationMs: [500, 6000], targets: ["leader"] },
    { kind: "cut-off-minority", odds: 0.6, everyMs: [5000, 20_000], durationMs: [500, 6000], targets: ["leader"] },
    { kind: "pause", everyMs: [4000, 15_000], durationMs: [200, 6000], targets: ["leader", "any"] },
    { kind: "slow-node", odds: 0.5, everyMs: [8000, 25_000], durationMs: [1000, 8000], targets: ["leader"] },
    { kind: "delay", odds: 0.6, everyMs: [8000, 25_000], durationMs: [1000, 10_000], targets: ["leader", "all"] },
    { kind: "clock-offset", odds: 0.5, everyMs: [8000, 25_000], targets: ["leader", "any"] },
    { kind: "crash", odds: 0.4, everyMs: [10_000, 30_000], durationMs: [100, 4000], targets: ["leader", "any"] },
  ],
});
