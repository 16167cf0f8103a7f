import { scenario } from "../runtime-sim/index.ts";

export default scenario({
  name: "disk-faults",
  summary:
    "Disks are slow, stall, fill up, fail to sync or to be read, flip bits and write to wrong places, on fewer " +
    "hosts than a quorum can lose. Damage is found and refused, never read as data.",
  nodes: [3, 5, 5],
  raft: { snapshotAfterEntries: 200, snapshotEveryEntries: 100, snapshotTrailingEntries: 30 },
  faults: [
    { kind: "disk-slow", odds: 0.7, everyMs: [6000, 20_000], targets: ["any", "leader"] },
    { kind: "disk-stall", odds: 0.7, everyMs: [6000, 20_000], targets: ["any", "leader"] },
    { kind: "disk-full", odds: 0.6, everyMs: [8000, 30_000], targets: ["any", "leader"] },
    { kind: "fsync-error", odds: 0.7, everyMs: [6000, 20_000], targets: ["any", "leader"] },
    { kind: "read-error", odds: 0.6, everyMs: [10_000, 30_000], targets: ["any", "leader"] },
    { kind: "bit-flip", odds: 0.7, everyMs: [8000, 30_000], targets: ["any", "leader", "follower"] },
    { kind: "misdirected-write", odds: 0.5, everyMs: [10_000, 40_000], targets: ["any", "leader"] },
    { kind: "crash", odds: 0.8, everyMs: [4000, 15_000], durationMs: [100, 5000], targets: ["any", "leader"] },
  ],
});
