import { CALM_FLEET, NO_CLIENTS, scenario } from "../runtime-sim/index.ts";

export default scenario({
  name: "lying-clocks",
  summary:
    "Clocks of hosts run at a fraction of their rate, far outside the bound that leases rest on, while hosts " +
    "are cut off. A VM may then run twice, which is what a bound is for: it is counted, and the cluster comes " +
    "to rest all the same.",
  nodes: [3],
  byteLinksOneIn: 0,
  durationMs: 120_000,
  livenessBoundMs: 240_000,
  workload: NO_CLIENTS,
  fleet: { ...CALM_FLEET, clocksLie: true },
  faults: [
    {
      kind: "worker-drift",
      everyMs: [4000, 10_000],
      durationMs: [30_000, 60_000],
      targets: ["worker"],
      parameters: { factor: [0.05, 0.3] },
    },
    { kind: "cut-off-worker", everyMs: [5000, 15_000], durationMs: [20_000, 60_000], targets: ["worker"] },
  ],
});
