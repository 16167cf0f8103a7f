import { STEADY_WORKLOAD, scenario } from "../runtime-sim/index.ts";

export default scenario({
  name: "snapshot-catch-up",
  summary:
    "Logs are compacted after a few entries, so that whoever was away, and every newcomer, is caught up by " +
    "snapshots in tiny chunks. Crashes and bad links interrupt the transfer at every point.",
  nodes: [3, 5],
  spares: 2,
  raft: {
    snapshotAfterEntries: 30,
    snapshotEveryEntries: 20,
    snapshotTrailingEntries: 5,
    snapshotChunkBytes: 512,
    maxInflightMessages: 8,
    maxAppendBytes: 2048,
  },
  workload: { ...STEADY_WORKLOAD, clients: [2, 10], keys: 12, arrivalsPerSecond: [8, 64] },
  operator: { membershipEveryMs: [10_000, 25_000], transferEveryMs: [20_000, 60_000], voters: [3, 7] },
  faults: [
    { kind: "crash", everyMs: [4000, 12_000], durationMs: [500, 10_000], targets: ["any", "follower", "leader"] },
    { kind: "isolate", odds: 0.8, everyMs: [5000, 15_000], durationMs: [2000, 12_000], targets: ["any", "follower"] },
    { kind: "pause", odds: 0.5, everyMs: [10_000, 30_000], durationMs: [2000, 15_000], targets: ["follower"] },
    { kind: "loss", odds: 0.6, everyMs: [8000, 25_000], targets: ["all", "any"] },
    { kind: "duplicate", odds: 0.5, everyMs: [8000, 25_000], targets: ["all"] },
    { kind: "capacity", odds: 0.4, everyMs: [10_000, 30_000], targets: ["any", "leader"] },
    { kind: "corrupt-bytes", odds: 0.4, everyMs: [10_000, 30_000], targets: ["any", "leader"] },
    { kind: "wipe-disk", odds: 0.4, everyMs: [25_000, 60_000], targets: ["any"] },
  ],
});
