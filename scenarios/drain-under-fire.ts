import { CALM_FLEET, NO_CLIENTS, scenario } from "../runtime-sim/index.ts";

export default scenario({
  name: "drain-under-fire",
  summary:
    "Operators drain and uncordon hosts while others lose power, builds fail and leaders change. A drain moves " +
    "a few VMs at a time, survives every change of leader, and ends with nothing left behind.",
  nodes: [3],
  byteLinksOneIn: 0,
  durationMs: 180_000,
  livenessBoundMs: 240_000,
  workload: NO_CLIENTS,
  fleet: {
    ...CALM_FLEET,
    workers: 8,
    vms: 30,
    vmsMax: 50,
    askEveryMs: [1000, 3000],
    wishes: { drain: 3, uncordon: 3, cordon: 1, create: 2, delete: 1, rebalance: 1 },
    removeEveryMs: [20_000, 60_000],
  },
  faults: [
    { kind: "host-down", everyMs: [25_000, 60_000], durationMs: [5000, 40_000], targets: ["worker"] },
    { kind: "slow-build", odds: 0.5, everyMs: [15_000, 40_000], targets: ["worker"] },
    { kind: "build-fails", odds: 0.5, everyMs: [15_000, 40_000], targets: ["worker"] },
    { kind: "zombies", odds: 0.5, everyMs: [15_000, 40_000], targets: ["worker"] },
    { kind: "agent-crash", everyMs: [10_000, 30_000], targets: ["worker"] },
    { kind: "crash", everyMs: [15_000, 40_000], durationMs: [500, 10_000], targets: ["leader"] },
    { kind: "isolate", odds: 0.5, everyMs: [20_000, 50_000], durationMs: [1000, 8000], targets: ["leader"] },
  ],
});
