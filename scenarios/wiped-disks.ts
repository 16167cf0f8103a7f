import { scenario } from "../runtime-sim/index.ts";

export default scenario({
  name: "wiped-disks",
  summary:
    "Hosts lose their disks and come back as new members under new ids, while the old ids are removed for ever. " +
    "A host that has forgotten what it promised must never vote as who it was.",
  nodes: [3, 4, 5],
  spares: 1,
  raft: { snapshotAfterEntries: 100, snapshotEveryEntries: 100, snapshotTrailingEntries: 20, snapshotChunkBytes: 2048 },
  faults: [
    { kind: "wipe-disk", everyMs: [8000, 20_000], durationMs: [500, 8000], targets: ["any", "leader", "follower"] },
    { kind: "bit-flip", odds: 0.6, everyMs: [12_000, 40_000], targets: ["any", "leader"] },
    { kind: "crash", odds: 0.7, everyMs: [5000, 20_000], durationMs: [100, 5000], targets: ["any", "leader"] },
    { kind: "isolate", odds: 0.5, everyMs: [8000, 30_000], durationMs: [500, 8000], targets: ["any", "leader"] },
    { kind: "delay", odds: 0.4, everyMs: [10_000, 30_000], durationMs: [1000, 10_000], targets: ["all"] },
  ],
});
