import { scenario } from "../runtime-sim/index.ts";

export default scenario({
  name: "empty-disks",
  summary:
    "Disks come back empty while their hosts still know who they are, and ask to join again under the same id. " +
    "Who has voted or acknowledged anything is not let in as who it was, and a new member takes its place.",
  nodes: [2, 3, 4, 5],
  spares: 2,
  raft: { snapshotAfterEntries: 100, snapshotEveryEntries: 100, snapshotTrailingEntries: 20, snapshotChunkBytes: 2048 },
  operator: { membershipEveryMs: [4000, 20_000], transferEveryMs: null, voters: [2, 7] },
  faults: [
    { kind: "empty-disk", everyMs: [4000, 12_000], durationMs: [100, 5000], targets: ["any", "leader", "follower"] },
    { kind: "crash", odds: 0.7, everyMs: [5000, 20_000], durationMs: [100, 5000], targets: ["any", "leader"] },
    { kind: "isolate", odds: 0.5, everyMs: [8000, 30_000], durationMs: [500, 8000], targets: ["any", "leader"] },
    { kind: "strike-leaders", odds: 0.4, everyMs: [20_000, 40_000], durationMs: [5000, 10_000], targets: ["all"] },
    { kind: "delay", odds: 0.4, everyMs: [10_000, 30_000], durationMs: [1000, 10_000], targets: ["all"] },
  ],
});
