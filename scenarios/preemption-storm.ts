import { CALM_FLEET, NO_CLIENTS, scenario } from "../runtime-sim/index.ts";

export default scenario({
  name: "preemption-storm",
  summary:
    "A cluster that is full is asked for more and more important VMs, while leaders fail and hosts are lost. " +
    "The least important give way, they are gone before anybody takes their room, and nobody waits who would " +
    "fit.",
  nodes: [3],
  byteLinksOneIn: 0,
  durationMs: 120_000,
  livenessBoundMs: 180_000,
  workload: NO_CLIENTS,
  fleet: {
    ...CALM_FLEET,
    workers: 5,
    vcpus: [8, 16],
    memoryMiB: [16_384, 32_768],
    vms: 30,
    vmsMax: 60,
    vmPriority: [0, 1000],
    askEveryMs: [400, 1500],
    wishes: { create: 6, delete: 3, resize: 1, stop: 1, start: 1 },
  },
  faults: [
    { kind: "crash", everyMs: [10_000, 30_000], durationMs: [500, 8000], targets: ["leader", "any"] },
    { kind: "host-down", odds: 0.6, everyMs: [30_000, 60_000], durationMs: [5000, 40_000], targets: ["worker"] },
    { kind: "zombies", odds: 0.5, everyMs: [15_000, 40_000], durationMs: [3000, 15_000], targets: ["worker"] },
    { kind: "agent-crash", odds: 0.5, everyMs: [10_000, 30_000], targets: ["worker"] },
  ],
});
