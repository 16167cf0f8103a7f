import { STEADY_WORKLOAD, scenario } from "../runtime-sim/index.ts";

export default scenario({
  name: "contested-tokens",
  summary:
    "Strangers try to join with tokens that others use too, that are being revoked, or that are expiring, while a " +
    "minority of wall clocks is hours off. A token lets one node in, and only while it is good by true time.",
  nodes: [3, 5],
  door: { everyMs: [1000, 3000], ttlMs: [3000, 40_000], revoked: 0.5 },
  workload: { ...STEADY_WORKLOAD, clients: [2, 2] },
  faults: [
    { kind: "wall-clock-wrong", odds: 0.7, everyMs: [8000, 20_000], durationMs: [5000, 40_000], targets: ["leader"] },
    { kind: "strike-leaders", odds: 0.5, everyMs: [20_000, 40_000], durationMs: [5000, 10_000], targets: ["all"] },
    { kind: "crash", odds: 0.5, everyMs: [10_000, 30_000], durationMs: [100, 3000], targets: ["any", "leader"] },
    { kind: "isolate", odds: 0.4, everyMs: [15_000, 40_000], durationMs: [500, 3000], targets: ["leader", "any"] },
    { kind: "loss", odds: 0.5, everyMs: [10_000, 30_000], durationMs: [1000, 8000], targets: ["all"] },
    { kind: "duplicate", odds: 0.5, everyMs: [10_000, 30_000], durationMs: [1000, 8000], targets: ["all"] },
  ],
});
