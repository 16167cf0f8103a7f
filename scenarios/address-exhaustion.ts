import { CALM_FLEET, NO_CLIENTS, scenario } from "../runtime-sim/index.ts";

export default scenario({
  name: "address-exhaustion",
  summary:
    "Pools have fewer addresses than VMs are asked for, some of which leave open which pool theirs comes from, " +
    "and VMs come and go while hosts are lost with theirs. No address has two owners, and none is given out " +
    "again while anything might still answer to it.",
  nodes: [3],
  byteLinksOneIn: 0,
  durationMs: 120_000,
  livenessBoundMs: 180_000,
  workload: NO_CLIENTS,
  fleet: {
    ...CALM_FLEET,
    poolSize: 24,
    pools: 3,
    openShare: 0.5,
    vms: 20,
    vmsMax: 60,
    askEveryMs: [150, 500],
    wishes: { create: 6, delete: 5, migrate: 1, stop: 1, start: 1, resize: 1, rewire: 2, setPoolStrategy: 0.3 },
  },
  faults: [
    { kind: "host-down", everyMs: [15_000, 40_000], durationMs: [5000, 40_000], targets: ["worker"] },
    { kind: "cut-off-worker", odds: 0.6, everyMs: [15_000, 40_000], durationMs: [2000, 30_000], targets: ["worker"] },
    { kind: "zombies", odds: 0.5, everyMs: [15_000, 40_000], targets: ["worker"] },
    { kind: "crash", everyMs: [10_000, 30_000], durationMs: [500, 10_000], targets: ["leader", "any"] },
  ],
});
