import { CALM_FLEET, NO_CLIENTS, scenario } from "../runtime-sim/index.ts";

export default scenario({
  name: "noisy-neighbour-quotas",
  summary:
    "Tenants ask for far more than their quotas, all at once, at an overcommitted cluster whose leaders fail. " +
    "No quota is exceeded at any moment, and no host promises more than it may.",
  nodes: [3],
  byteLinksOneIn: 0,
  durationMs: 90_000,
  livenessBoundMs: 120_000,
  workload: NO_CLIENTS,
  fleet: {
    ...CALM_FLEET,
    workers: 4,
    vms: 60,
    vmsMax: 200,
    tenants: 4,
    overcommit: { cpu: 2, memory: 1.2, disk: 1.1, reservePercent: 15 },
    quota: { vms: 12, vcpus: 24, memoryMiB: 32_768, vmsPerWorker: 5 },
    askEveryMs: [50, 200],
    wishes: { create: 10, delete: 4, resize: 3, stop: 1, start: 1 },
  },
  faults: [
    { kind: "crash", everyMs: [8000, 25_000], durationMs: [500, 8000], targets: ["leader", "any"] },
    { kind: "isolate", odds: 0.5, everyMs: [10_000, 30_000], durationMs: [1000, 8000], targets: ["leader"] },
    { kind: "loss", odds: 0.5, everyMs: [10_000, 30_000], durationMs: [1000, 10_000], targets: ["all"] },
  ],
});
