import { scenario } from "../runtime-sim/index.ts";

export default scenario({
  name: "calm",
  summary: "Nothing goes wrong. What fails here would fail anywhere.",
  workload: { clients: 3, keys: 6, thinkMeanMs: [1500, 3000], staleReads: 0, leaseReads: 0 },
});
