import { CALM_FLEET, NO_CLIENTS, scenario } from "../runtime-sim/index.ts";

export default scenario({
  name: "rolling-restart",
  summary:
    "Every process is restarted, agents and members, one after the other and again. Machines go on as if nothing had happened: an agent finds what runs, and touches none of it.",
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
    { kind: "agent-crash", everyMs: [2000, 5000], durationMs: [200, 4000], targets: ["worker"] },
    { kind: "rolling-version-change", everyMs: [30_000, 60_000], targets: ["all"] },
    { kind: "crash", odds: 0.5, everyMs: [20_000, 40_000], durationMs: [200, 2000], targets: ["leader"] },
  ],
});
