import { ANY_LIAR, IDLE_OPERATOR, scenario } from "../runtime-sim/index.ts";

export default scenario({
  name: "byzantine",
  summary:
    "One member of five lies to the others in one way that the seed chooses, while leadership changes hands, a " +
    "few processes crash and the network is not at its best. The run fails when what comes of the lie is not " +
    "what the table of verdicts expects.",
  // Small, so that logs are compacted and snapshots travel while it lies.
  raft: { snapshotAfterEntries: 300, snapshotEveryEntries: 200, snapshotTrailingEntries: 40 },
  network: {
    lossChance: [0, 0.03],
    duplicateChance: [0, 0.05],
    delayMinMs: [0.1, 5],
    delayMeanMs: [0.2, 10],
    tailChance: [0, 0.01],
    tailFactor: [5, 30],
    oddLinks: [0, 2],
  },
  operator: { ...IDLE_OPERATOR, transferEveryMs: [1500, 6000] },
  liar: ANY_LIAR,
  faults: [
    { kind: "crash", everyMs: [20_000, 60_000], durationMs: [200, 6000], targets: ["any", "leader"] },
    { kind: "isolate", odds: 0.5, everyMs: [30_000, 60_000], durationMs: [500, 5000], targets: ["any", "leader"] },
    { kind: "pause", odds: 0.3, everyMs: [30_000, 60_000], durationMs: [100, 3000], targets: ["any", "leader"] },
  ],
});
