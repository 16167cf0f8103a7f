import { IDLE_OPERATOR, scenario } from "../runtime-sim/index.ts";

export default scenario({
  name: "mixed-levels",
  summary:
    "Members run the build before and are upgraded one after the other, while the operator already uses what only the " +
    "present build knows. Nothing may be committed before every member knows it.",
  nodes: [3, 5],
  operator: { ...IDLE_OPERATOR, settingsEveryMs: [3000, 8000] },
  expectedToFail: {
    oracle: "known-commands",
    until: "the cluster agrees on a feature level, and refuses commands of a later one",
  },
  level: 1,
  durationMs: 60_000,
  faults: [{ kind: "rolling-version-change", everyMs: [5000, 20_000], durationMs: [10_000, 30_000] }],
});
