import { CALM_FLEET, NO_CLIENTS, scenario } from "../runtime-sim/index.ts";

export default scenario({
  name: "health-flapping",
  summary:
    "Health checks fail for a while on one host after the other, and guests crash there. The sick are restarted " +
    "with growing delays and then moved, and nothing on a healthy host is ever touched for it.",
  nodes: [3],
  byteLinksOneIn: 0,
  durationMs: 180_000,
  livenessBoundMs: 180_000,
  workload: NO_CLIENTS,
  fleet: {
    ...CALM_FLEET,
    faultsAreLocal: true,
    healthShare: 0.8,
    recovery: { backoffMs: 500, backoffMaxMs: 5000, restartsMax: 2, resetAfterMs: 20_000 },
    askEveryMs: [2000, 5000],
    wishes: { create: 2, delete: 2 },
  },
  faults: [
    { kind: "unhealthy-guests", everyMs: [8000, 20_000], durationMs: [3000, 15_000], targets: ["worker"] },
    { kind: "guest-crashes", everyMs: [15_000, 40_000], durationMs: [5000, 15_000], targets: ["worker"] },
    { kind: "crash", odds: 0.5, everyMs: [20_000, 60_000], durationMs: [500, 4000], targets: ["leader"] },
  ],
});
