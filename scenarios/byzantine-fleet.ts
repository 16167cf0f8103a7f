import { actsTo, CALM_FLEET, IDLE_OPERATOR, NO_CLIENTS, scenario, verdictOf } from "../runtime-sim/index.ts";

/** Those that may do harm among members are judged where there is nothing else. */
const HARMLESS = actsTo("members").filter((act) => !verdictOf(act).outcomes.includes("found"));

export default scenario({
  name: "byzantine-fleet",
  summary:
    "One member of five lies to hosts that run machines, and in their names, while hosts and members fail and are " +
    "cut off. The run fails when what comes of the lie is not what the table of verdicts expects.",
  byteLinksOneIn: 0,
  livenessBoundMs: 120_000,
  workload: NO_CLIENTS,
  fleet: {
    ...CALM_FLEET,
    workers: 5,
    vms: 12,
    vmsMax: 24,
    wishes: { create: 4, delete: 3, stop: 1, start: 1, restart: 1, resize: 1, migrate: 2, submitTask: 1 },
  },
  operator: { ...IDLE_OPERATOR, transferEveryMs: [4000, 12_000] },
  liar: { acts: [...HARMLESS, ...actsTo("workers"), ...actsTo("workers")], chance: [0.1, 0.6] },
  faults: [
    { kind: "crash", everyMs: [10_000, 30_000], durationMs: [200, 6000], targets: ["any", "leader"] },
    { kind: "isolate", everyMs: [10_000, 30_000], durationMs: [1500, 8000], targets: ["any"] },
    { kind: "cut-worker-links", everyMs: [8000, 20_000], durationMs: [2000, 30_000], targets: ["worker"] },
    { kind: "host-down", odds: 0.5, everyMs: [20_000, 50_000], durationMs: [5000, 40_000], targets: ["worker"] },
    { kind: "agent-crash", odds: 0.5, everyMs: [15_000, 40_000], durationMs: [200, 10_000], targets: ["worker"] },
  ],
});
