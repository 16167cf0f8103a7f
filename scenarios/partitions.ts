import { scenario } from "../runtime-sim/index.ts";

export default scenario({
  name: "partitions",
  summary:
    "The network falls apart in every shape there is, both ways or one way, and shapes overlap. What the sides " +
    "decide meanwhile must fit together when they meet again.",
  nodes: [3, 4, 5, 5, 6, 7],
  faults: [
    { kind: "isolate", odds: 0.8, everyMs: [4000, 20_000], targets: ["any", "leader"] },
    { kind: "halves", odds: 0.7, everyMs: [6000, 30_000], targets: ["all"] },
    { kind: "groups", odds: 0.6, everyMs: [6000, 30_000], targets: ["all"] },
    { kind: "cut-off-minority", odds: 0.7, everyMs: [6000, 30_000], targets: ["leader", "any"] },
    { kind: "cut-link", odds: 0.6, everyMs: [4000, 20_000], targets: ["leader", "any"] },
    { kind: "flapping", odds: 0.5, everyMs: [8000, 40_000], targets: ["leader", "any"] },
    { kind: "bridge", odds: 0.4, everyMs: [8000, 40_000], targets: ["all"] },
    { kind: "ring", odds: 0.3, everyMs: [10_000, 40_000], targets: ["all"] },
  ],
});
