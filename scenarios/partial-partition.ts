import { scenario } from "../runtime-sim/index.ts";

export default scenario({
  name: "partial-partition",
  summary:
    "Bridges, rings and single cut links, so that hosts disagree about who can be reached. As long as some host " +
    "reaches a majority the others must not keep it from leading for ever.",
  nodes: [4, 5, 5, 7],
  faults: [
    { kind: "bridge", everyMs: [5000, 20_000], durationMs: [2000, 30_000], targets: ["all"] },
    { kind: "ring", odds: 0.7, everyMs: [8000, 25_000], durationMs: [2000, 30_000], targets: ["all"] },
    { kind: "cut-link", everyMs: [2000, 10_000], durationMs: [1000, 30_000], targets: ["leader", "any"] },
    {
      kind: "isolate",
      odds: 0.5,
      everyMs: [8000, 30_000],
      targets: ["leader", "any"],
      parameters: { direction: ["outbound", "inbound"] },
    },
    { kind: "crash", odds: 0.3, everyMs: [15_000, 40_000], targets: ["any"] },
  ],
});
