import { scenario } from "../runtime-sim/index.ts";

export default scenario({
  name: "crash-restart",
  summary:
    "Processes crash, mostly with writes under way, and come back with what their disks had kept; now and then " +
    "all of them at once. What was promised before a crash holds after it.",
  nodes: [1, 2, 3, 3, 5, 5],
  faults: [
    { kind: "crash", everyMs: [1500, 8000], durationMs: [50, 8000], targets: ["any", "leader", "follower"] },
    { kind: "cold-restart", odds: 0.5, everyMs: [15_000, 50_000], durationMs: [100, 5000], targets: ["all"] },
    {
      kind: "rolling-version-change",
      odds: 0.4,
      everyMs: [40_000, 80_000],
      durationMs: [10_000, 30_000],
      targets: ["all"],
    },
    { kind: "disk-slow", odds: 0.4, everyMs: [8000, 30_000], durationMs: [1000, 10_000], targets: ["any", "leader"] },
    { kind: "delay", odds: 0.4, everyMs: [10_000, 30_000], durationMs: [1000, 10_000], targets: ["all"] },
  ],
});
