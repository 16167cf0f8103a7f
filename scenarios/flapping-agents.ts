import { CALM_FLEET, NO_CLIENTS, scenario } from "../runtime-sim/index.ts";

export default scenario({
  name: "flapping-agents",
  summary:
    "Agents crash again right after they have come back, and hosts are cut off just then, for longer than a lease " +
    "lasts. Whatever an agent was promised with its first report is waited for.",
  nodes: [3],
  byteLinksOneIn: 0,
  durationMs: 90_000,
  livenessBoundMs: 240_000,
  workload: NO_CLIENTS,
  fleet: {
    ...CALM_FLEET,
    workers: 8,
    askEveryMs: [1000, 4000],
    wishes: { create: 3, delete: 3, migrate: 1, stop: 1, start: 1, submitTask: 1 },
  },
  faults: [
    { kind: "agent-crash", everyMs: [300, 1500], durationMs: [500, 4000], targets: ["worker"] },
    { kind: "cut-off-worker", everyMs: [1500, 6000], durationMs: [15_000, 25_000], targets: ["worker"] },
    { kind: "crash", odds: 0.5, everyMs: [15_000, 40_000], durationMs: [500, 6000], targets: ["leader", "any"] },
  ],
});
