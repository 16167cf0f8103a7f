import { STEADY_WORKLOAD, scenario } from "../runtime-sim/index.ts";

export default scenario({
  name: "calm",
  summary: "Nothing goes wrong. What fails here would fail anywhere.",
  workload: { ...STEADY_WORKLOAD, clients: [2, 4], arrivalsPerSecond: [0.5, 4], widthMax: 4 },
});
