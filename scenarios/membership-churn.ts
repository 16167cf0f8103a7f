import { scenario } from "../runtime-sim/index.ts";

export default scenario({
  name: "membership-churn",
  summary:
    "Members are added, promoted, demoted, swapped and removed all the time, the leader among them, while hosts " +
    "crash and the network fails. Every decision is a majority's of a configuration that was decided itself.",
  nodes: [1, 2, 3, 4, 5],
  spares: 3,
  raft: { snapshotAfterEntries: 300, snapshotEveryEntries: 150, snapshotTrailingEntries: 50 },
  operator: { membershipEveryMs: [2000, 8000], transferEveryMs: [10_000, 30_000], voters: [1, 7] },
  faults: [
    { kind: "crash", odds: 0.7, everyMs: [6000, 20_000], durationMs: [100, 5000], targets: ["any", "leader"] },
    { kind: "isolate", odds: 0.6, everyMs: [8000, 25_000], durationMs: [500, 8000], targets: ["any", "leader"] },
    { kind: "halves", odds: 0.5, everyMs: [12_000, 40_000], durationMs: [500, 8000], targets: ["all"] },
    { kind: "cut-link", odds: 0.4, everyMs: [8000, 30_000], durationMs: [500, 10_000], targets: ["any", "leader"] },
    { kind: "loss", odds: 0.5, everyMs: [10_000, 30_000], durationMs: [1000, 10_000], targets: ["all"] },
    { kind: "duplicate", odds: 0.4, everyMs: [10_000, 30_000], durationMs: [1000, 10_000], targets: ["all"] },
    { kind: "pause", odds: 0.3, everyMs: [10_000, 40_000], durationMs: [500, 10_000], targets: ["any", "leader"] },
    { kind: "cold-restart", odds: 0.2, everyMs: [40_000, 80_000], durationMs: [100, 3000], targets: ["all"] },
  ],
});
