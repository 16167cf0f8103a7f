import { STEADY_WORKLOAD, scenario } from "../runtime-sim/index.ts";

export default scenario({
  name: "late-votes",
  summary:
    "A leader stands still for long enough that a member gathers pre-votes, and is heard again before that member's " +
    "stalled disk, or a link, lets its requests for votes go. Whoever hears that leader by then does not vote.",
  nodes: [3],
  durationMs: 60_000,
  raft: { electionTimeoutMs: 200, heartbeatMs: 20 },
  // What is written meanwhile has the candidate's log too short, and that is reason enough to refuse it.
  workload: { ...STEADY_WORKLOAD, clients: [1, 2], arrivalsPerSecond: [0.1, 0.3] },
  faults: [
    { kind: "pause", everyMs: [1500, 3000], durationMs: [150, 280], targets: ["leader"] },
    // A leader with a slow clock does not give up while it stands still, and a member with a fast one waits less.
    {
      kind: "clock-drift",
      everyMs: [1500, 3000],
      durationMs: [300, 1200],
      targets: ["leader", "follower"],
      parameters: { factor: [0.5, 1.6] },
    },
    { kind: "disk-stall", everyMs: [3000, 6000], durationMs: [1200, 6000], targets: ["follower"] },
    { kind: "cut-link", everyMs: [4000, 10_000], durationMs: [4000, 15_000], targets: ["leader"] },
  ],
});
