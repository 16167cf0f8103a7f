import { scenario } from "../runtime-sim/index.ts";

export default scenario({
  name: "moved-addresses",
  summary:
    "Members come back at other addresses, several at once and some at one that another has left, while others crash " +
    "and are cut off. Whoever has moved is found again, and the cluster's record of it follows.",
  nodes: [3, 5, 5, 7],
  spares: 2,
  raft: { snapshotAfterEntries: 200, snapshotEveryEntries: 100, snapshotTrailingEntries: 30 },
  operator: { membershipEveryMs: [20_000, 60_000], transferEveryMs: [10_000, 60_000], voters: [3, 7] },
  faults: [
    { kind: "readdress", everyMs: [4000, 15_000], durationMs: [100, 8000], targets: ["any", "leader", "follower"] },
    { kind: "crash", odds: 0.6, everyMs: [3000, 15_000], durationMs: [50, 8000], targets: ["any", "leader"] },
    { kind: "cold-restart", odds: 0.4, everyMs: [20_000, 60_000], durationMs: [100, 5000], targets: ["all"] },
    { kind: "isolate", odds: 0.6, everyMs: [5000, 20_000], durationMs: [500, 10_000], targets: ["any", "leader"] },
  ],
});
