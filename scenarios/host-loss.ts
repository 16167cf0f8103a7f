import { CALM_FLEET, NO_CLIENTS, scenario } from "../runtime-sim/index.ts";

export default scenario({
  name: "host-loss",
  summary:
    "Hosts lose their power one after the other while tenants create and delete VMs. What ran there runs " +
    "elsewhere once the lease is surely over, and nothing on any other host is touched.",
  nodes: [3],
  byteLinksOneIn: 0,
  durationMs: 120_000,
  livenessBoundMs: 120_000,
  workload: NO_CLIENTS,
  fleet: { ...CALM_FLEET, faultsAreLocal: true, removeEveryMs: [20_000, 60_000] },
  faults: [{ kind: "host-down", everyMs: [20_000, 50_000], durationMs: [5000, 60_000], targets: ["worker"] }],
});
