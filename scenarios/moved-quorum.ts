import { scenario } from "../runtime-sim/index.ts";

export default scenario({
  name: "moved-quorum",
  summary:
    "More members move at once than the cluster can do without, as when a whole site gets other addresses. Nobody who " +
    "is left can tell all of them where the others are.",
  nodes: [3, 5],
  mayLoseQuorum: true,
  durationMs: 60_000,
  expectedToFail: { oracle: "liveness", until: "members pass on where others are, and are told where to ask" },
  faults: [
    {
      kind: "readdress",
      everyMs: [10_000, 20_000],
      durationMs: [500, 5000],
      targets: ["any"],
      parameters: { hosts: [3, 5] },
    },
  ],
});
