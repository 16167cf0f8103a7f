import { CALM_FLEET, NO_CLIENTS, scenario } from "../runtime-sim/index.ts";

export default scenario({
  name: "thousand-workers",
  summary:
    "A thousand hosts report to three members, twenty thousand VMs are asked for, hosts are lost and leaders " +
    "change. Everything that holds of six hosts holds of a thousand, at a cost that does not grow with their " +
    "number squared.",
  nodes: [3],
  byteLinksOneIn: 0,
  durationMs: 120_000,
  livenessBoundMs: 240_000,
  workload: NO_CLIENTS,
  fleet: {
    ...CALM_FLEET,
    workers: 1000,
    vcpus: [64, 128],
    memoryMiB: [131_072, 262_144],
    diskGiB: [2000, 4000],
    datacenters: 2,
    zones: 5,
    racks: 20,
    vms: 20_000,
    vmsMax: 21_000,
    groupShare: 0.02,
    tenants: 50,
    askEveryMs: [100, 500],
    auditEveryMs: 60_000,
  },
  faults: [
    { kind: "host-down", everyMs: [5000, 15_000], durationMs: [5000, 40_000], targets: ["worker"] },
    { kind: "cut-off-worker", odds: 0.5, everyMs: [5000, 15_000], durationMs: [2000, 30_000], targets: ["worker"] },
    { kind: "crash", odds: 0.5, everyMs: [20_000, 60_000], durationMs: [500, 5000], targets: ["leader"] },
  ],
});
