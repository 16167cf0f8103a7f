import { CALM_FLEET, NO_CLIENTS, scenario } from "../runtime-sim/index.ts";

export default scenario({
  name: "rolling-restart",
  summary:
    "Every process is restarted, agents and members, one after the other and again. Machines go on as if " +
    "nothing had happened: an agent finds what runs, and touches none of it.",
  nodes: [3, 5],
  byteLinksOneIn: 0,
  durationMs: 120_000,
  livenessBoundMs: 120_000,
  workload: NO_CLIENTS,
  fleet: {
    ...CALM_FLEET,
    faultsAreLocal: true,
    agentRestartsDisturb: false,
    askEveryMs: [1000, 4000],
    wishes: { create: 3, delete: 2, stop: 1, start: 1 },
  },
  faults: [
    // So short that a worker which is hit several times in a row, while leaders change, still renews its lease in
    // time. Otherwise its machines would have to end.
    { kind: "agent-crash", everyMs: [3000, 6000], durationMs: [200, 1500], targets: ["worker"] },
    { kind: "rolling-version-change", everyMs: [30_000, 60_000], targets: ["all"] },
    { kind: "crash", odds: 0.5, everyMs: [20_000, 40_000], durationMs: [200, 2000], targets: ["leader"] },
  ],
});
