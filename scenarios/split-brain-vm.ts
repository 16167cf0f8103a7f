import { CALM_FLEET, LEASE_LONG_ABSENCES, NO_CLIENTS, scenario } from "../runtime-sim/index.ts";

export default scenario({
  name: "split-brain-vm",
  summary:
    "Hosts are cut off for about as long as a lease lasts, their agents hang and crash, members are partitioned, " +
    "disks are slow, and clocks drift as far as leases allow. No VM ever runs in two places, and what was moved away does not go on where it was.",
  nodes: [3, 5],
  byteLinksOneIn: 0,
  durationMs: 150_000,
  livenessBoundMs: 240_000,
  workload: NO_CLIENTS,
  clocks: { wallOffsetMs: [-60_000, 60_000], rate: [0.99, 1.01] },
  fleet: {
    ...CALM_FLEET,
    askEveryMs: [1000, 4000],
    wishes: { create: 3, delete: 2, migrate: 2, stop: 1, start: 1, restart: 1, confirmDead: 1 },
    removeEveryMs: [20_000, 60_000],
  },
  faults: [
    { kind: "cut-off-worker", everyMs: [8000, 20_000], durationMs: [2000, 60_000], targets: ["worker"] },
    { kind: "agent-pause", everyMs: [10_000, 30_000], durationMs: [500, 40_000], targets: ["worker"] },
    { kind: "agent-crash", everyMs: [10_000, 30_000], durationMs: [200, 20_000], targets: ["worker"] },
    { kind: "host-down", odds: 0.5, everyMs: [30_000, 60_000], durationMs: [3000, 60_000], targets: ["worker"] },
    {
      kind: "worker-drift",
      odds: 0.7,
      everyMs: [10_000, 40_000],
      durationMs: [10_000, 60_000],
      targets: ["worker"],
      parameters: { factor: [0.99, 1.01] },
    },
    // Leases depend on monotonic clocks only, not on wall clocks.
    {
      kind: "clock-offset",
      odds: 0.5,
      everyMs: [10_000, 30_000],
      durationMs: [1000, 20_000],
      targets: ["leader", "any"],
    },
    { kind: "isolate", everyMs: [10_000, 30_000], durationMs: [1000, 15_000], targets: ["leader"] },
    { kind: "groups", odds: 0.5, everyMs: [15_000, 40_000], durationMs: [1000, 15_000], targets: ["all"] },
    { kind: "pause", odds: 0.5, everyMs: [15_000, 40_000], durationMs: [500, 20_000], targets: ["leader"] },
    { kind: "crash", odds: 0.5, everyMs: [15_000, 40_000], durationMs: [500, 10_000], targets: ["leader", "any"] },
    // Decided at the end of a lease, or while what was decided is still on its way into the log.
    {
      kind: "cut-worker-links",
      odds: 0.7,
      everyMs: [10_000, 30_000],
      durationsMs: LEASE_LONG_ABSENCES,
      targets: ["worker"],
    },
    {
      kind: "cut-off-worker",
      odds: 0.5,
      everyMs: [15_000, 40_000],
      durationsMs: LEASE_LONG_ABSENCES,
      targets: ["worker"],
    },
    { kind: "disk-slow", odds: 0.3, everyMs: [15_000, 40_000], durationMs: [3000, 20_000], targets: ["all"] },
  ],
});
