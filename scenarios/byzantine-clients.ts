import { actsTo, IDLE_OPERATOR, STEADY_WORKLOAD, scenario } from "../runtime-sim/index.ts";

export default scenario({
  name: "byzantine-clients",
  summary:
    "One member of five lies to the clients that ask it, while leadership changes hands and a few processes crash. " +
    "The run fails when what comes of the lie is not what the table of verdicts expects.",
  durationMs: 30_000,
  workload: { ...STEADY_WORKLOAD, clients: [2, 8], arrivalsPerSecond: [8, 32], asksLiars: true },
  operator: { ...IDLE_OPERATOR, transferEveryMs: [2000, 8000] },
  liar: { acts: actsTo("clients"), chance: [0.1, 0.6] },
  faults: [
    { kind: "crash", everyMs: [20_000, 60_000], durationMs: [200, 6000], targets: ["any", "leader"] },
    { kind: "isolate", odds: 0.5, everyMs: [20_000, 40_000], durationMs: [500, 5000], targets: ["any", "leader"] },
  ],
});
