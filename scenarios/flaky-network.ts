import { scenario } from "../runtime-sim/index.ts";

export default scenario({
  name: "flaky-network",
  summary:
    "Links lose, repeat, delay, reorder, damage and queue messages, some links worse than others. Every host " +
    "stays up, so whatever is lost was lost on the way.",
  nodes: [3, 5, 5, 7],
  network: {
    lossChance: [0, 0.1],
    duplicateChance: [0, 0.2],
    delayMinMs: [0, 10],
    delayMeanMs: [0.5, 30],
    tailChance: [0, 0.02],
    tailFactor: [5, 100],
    oddLinks: [0, 6],
  },
  byteLinksOneIn: 4,
  faults: [
    { kind: "loss", odds: 0.8, everyMs: [5000, 30_000], targets: ["all", "any", "leader"] },
    { kind: "duplicate", odds: 0.8, everyMs: [5000, 30_000], targets: ["all", "any"] },
    { kind: "delay", odds: 0.8, everyMs: [5000, 30_000], targets: ["all", "any", "leader"] },
    { kind: "tail", odds: 0.6, everyMs: [5000, 30_000], targets: ["all", "any"] },
    { kind: "capacity", odds: 0.6, everyMs: [8000, 40_000], targets: ["all", "any", "leader"] },
    { kind: "corrupt-bytes", odds: 0.6, everyMs: [5000, 30_000], targets: ["all", "any"] },
    { kind: "clog", odds: 0.6, everyMs: [5000, 30_000], targets: ["all", "any", "leader"] },
    { kind: "swizzle-clog", odds: 0.5, everyMs: [10_000, 40_000], targets: ["all"] },
  ],
});
