import { scenario } from "../runtime-sim/index.ts";

export default scenario({
  name: "leader-hunt",
  summary:
    "Whoever leads is crashed, paused, cut off, slowed down or robbed of its disk's speed, and so is the next " +
    "one. No leader may take with it what it has acknowledged.",
  nodes: [3, 5, 5],
  byteLinksOneIn: 8,
  faults: [
    {
      kind: "strike-leaders",
      odds: 0.6,
      everyMs: [15_000, 40_000],
      durationMs: [5000, 15_000],
      targets: ["all"],
      parameters: { outageMs: [100, 5000] },
    },
    { kind: "crash", odds: 0.9, everyMs: [3000, 10_000], durationMs: [100, 5000], targets: ["leader"] },
    { kind: "isolate", odds: 0.8, everyMs: [4000, 15_000], durationMs: [500, 6000], targets: ["leader"] },
    { kind: "cut-off-minority", odds: 0.6, everyMs: [6000, 20_000], durationMs: [500, 8000], targets: ["leader"] },
    { kind: "pause", odds: 0.7, everyMs: [6000, 20_000], durationMs: [100, 8000], targets: ["leader"] },
    { kind: "slow-node", odds: 0.4, everyMs: [10_000, 30_000], durationMs: [1000, 10_000], targets: ["leader"] },
    { kind: "disk-stall", odds: 0.5, everyMs: [8000, 30_000], targets: ["leader"] },
    { kind: "fsync-error", odds: 0.4, everyMs: [10_000, 40_000], targets: ["leader"] },
    { kind: "flapping", odds: 0.4, everyMs: [10_000, 30_000], durationMs: [2000, 10_000], targets: ["leader"] },
    { kind: "loss", odds: 0.5, everyMs: [10_000, 30_000], durationMs: [1000, 10_000], targets: ["leader", "all"] },
  ],
});
