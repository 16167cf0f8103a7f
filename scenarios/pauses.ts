import { scenario } from "../runtime-sim/index.ts";

export default scenario({
  name: "pauses",
  summary:
    "Processes stand still for up to minutes or crawl, and wake up believing that no time has passed. What they " +
    "say then is old, and must be harmless.",
  nodes: [3, 5, 5],
  faults: [
    { kind: "pause", everyMs: [3000, 10_000], durationMs: [50, 15_000], targets: ["any", "leader", "follower"] },
    { kind: "pause", odds: 0.6, everyMs: [30_000, 60_000], durationMs: [10_000, 120_000], targets: ["any", "leader"] },
    { kind: "slow-node", odds: 0.6, everyMs: [8000, 25_000], targets: ["any", "leader"] },
    { kind: "delay", odds: 0.4, everyMs: [10_000, 30_000], durationMs: [1000, 10_000], targets: ["all", "leader"] },
    { kind: "crash", odds: 0.3, everyMs: [15_000, 40_000], durationMs: [100, 5000], targets: ["any", "leader"] },
  ],
});
