import { CALM_FLEET, NO_CLIENTS, scenario } from "../runtime-sim/index.ts";

export default scenario({
  name: "hasty-tenants",
  summary:
    "Tenants delete, stop and move what they asked for a moment ago, so that each decision overtakes the one before " +
    "on its way into the log and to the hosts. Nothing is believed gone that an agent may be about to begin.",
  nodes: [3],
  byteLinksOneIn: 0,
  durationMs: 6000,
  livenessBoundMs: 240_000,
  network: {
    lossChance: [0, 0.05],
    duplicateChance: [0, 0.05],
    delayMinMs: [0.05, 0.5],
    delayMeanMs: [0.05, 3],
    tailChance: [0, 0.1],
    tailFactor: [2, 10],
    oddLinks: [0, 6],
  },
  disk: { syncMinMs: [0.05, 1], syncMeanMs: [0.05, 3] },
  workload: NO_CLIENTS,
  fleet: {
    ...CALM_FLEET,
    workers: 2,
    vcpus: [128, 256],
    memoryMiB: [131_072, 262_144],
    hypervisor: { buildMeanMs: 100, bootMeanMs: 100, stopMeanMs: 50, jobMeanMs: 500 },
    vms: 120,
    vmsMax: 200,
    vmVcpus: [1, 1],
    vmMemoryMiB: [128, 512],
    waitShare: 0,
    askEveryMs: [2, 10],
    wishes: { create: 4, delete: 4, stop: 2, start: 2, migrate: 2, restart: 1 },
  },
  faults: [
    { kind: "delay", odds: 0.5, everyMs: [3000, 10_000], durationMs: [1000, 5000], targets: ["worker"] },
    { kind: "late-inventory", odds: 0.7, everyMs: [1000, 4000], durationMs: [500, 4000], targets: ["worker"] },
    { kind: "agent-crash", odds: 0.5, everyMs: [3000, 10_000], durationMs: [100, 1000], targets: ["worker"] },
    { kind: "crash", odds: 0.5, everyMs: [5000, 15_000], durationMs: [100, 2000], targets: ["leader", "any"] },
  ],
});
