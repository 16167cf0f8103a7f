import { scenario } from "../runtime-sim/index.ts";

export default scenario({
  name: "wrong-wall-clocks",
  summary:
    "Wall clocks are hours or days ahead or behind, all at once or more and more, always on fewer than half of the " +
    "voters. Cluster time, by which tokens expire, rates are counted and events are dated, stays with the majority.",
  nodes: [3, 4, 5, 5],
  clocks: { wallOffsetMs: [-2000, 2000], rate: [0.999, 1.001] },
  faults: [
    { kind: "wall-clock-wrong", everyMs: [4000, 12_000], durationMs: [5000, 40_000], targets: ["leader", "any"] },
    { kind: "strike-leaders", odds: 0.5, everyMs: [20_000, 40_000], durationMs: [5000, 10_000], targets: ["all"] },
    { kind: "crash", odds: 0.6, everyMs: [6000, 20_000], durationMs: [100, 5000], targets: ["any", "leader"] },
    { kind: "isolate", odds: 0.5, everyMs: [8000, 30_000], durationMs: [500, 8000], targets: ["leader", "any"] },
    { kind: "pause", odds: 0.4, everyMs: [10_000, 40_000], durationMs: [500, 10_000], targets: ["any", "leader"] },
  ],
});
