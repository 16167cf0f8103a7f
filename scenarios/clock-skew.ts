import { scenario } from "../runtime-sim/index.ts";

export default scenario({
  name: "clock-skew",
  summary:
    "Clocks are wrong, drift, jump and stand still, wall and monotonic apart. Nothing but the pace of elections " +
    "may depend on them.",
  nodes: [3, 5, 5],
  clocks: { wallOffsetMs: [-3_600_000, 3_600_000], rate: [0.8, 1.25] },
  faults: [
    { kind: "clock-drift", odds: 0.8, everyMs: [5000, 20_000], targets: ["any", "leader"] },
    { kind: "clock-offset", odds: 0.7, everyMs: [5000, 20_000], targets: ["any", "leader", "all"] },
    { kind: "clock-jump-forward", odds: 0.8, everyMs: [3000, 15_000], targets: ["any", "leader"] },
    { kind: "clock-jump-back", odds: 0.7, everyMs: [5000, 20_000], targets: ["any", "leader"] },
    { kind: "clock-freeze", odds: 0.7, everyMs: [6000, 25_000], targets: ["any", "leader"] },
    { kind: "isolate", odds: 0.5, everyMs: [8000, 30_000], durationMs: [500, 8000], targets: ["leader", "any"] },
    { kind: "crash", odds: 0.4, everyMs: [10_000, 30_000], durationMs: [100, 5000], targets: ["any"] },
  ],
});
