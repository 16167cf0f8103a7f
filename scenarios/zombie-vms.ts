import { CALM_FLEET, NO_CLIENTS, scenario } from "../runtime-sim/index.ts";

export default scenario({
  name: "zombie-vms",
  summary:
    "Stops are ignored, boots and builds hang, builds fail, machines stand there that nobody asked for, and " +
    "hosts report what is not so. What has been told to go is gone in the end, and nothing is believed gone " +
    "before it is.",
  nodes: [3],
  byteLinksOneIn: 0,
  durationMs: 120_000,
  livenessBoundMs: 300_000,
  workload: NO_CLIENTS,
  fleet: {
    ...CALM_FLEET,
    poolSize: 200,
    askEveryMs: [500, 2000],
    wishes: {
      create: 3,
      delete: 3,
      stop: 2,
      start: 2,
      restart: 1,
      migrate: 1,
      resize: 1,
      submitTask: 2,
      cancelTask: 1,
    },
    removeEveryMs: [15_000, 40_000],
  },
  faults: [
    { kind: "zombies", everyMs: [8000, 25_000], durationMs: [3000, 30_000], targets: ["worker"] },
    { kind: "orphan", everyMs: [5000, 15_000], targets: ["worker"] },
    { kind: "boot-hangs", odds: 0.7, everyMs: [15_000, 40_000], targets: ["worker"] },
    { kind: "build-hangs", odds: 0.5, everyMs: [15_000, 40_000], targets: ["worker"] },
    { kind: "build-fails", odds: 0.7, everyMs: [15_000, 40_000], targets: ["worker"] },
    { kind: "slow-build", odds: 0.5, everyMs: [15_000, 40_000], targets: ["worker"] },
    { kind: "wrong-reports", odds: 0.7, everyMs: [15_000, 40_000], targets: ["worker"] },
    { kind: "guest-crashes", odds: 0.5, everyMs: [20_000, 50_000], targets: ["worker"] },
    { kind: "agent-crash", odds: 0.7, everyMs: [8000, 25_000], targets: ["worker"] },
    { kind: "host-down", odds: 0.4, everyMs: [30_000, 60_000], durationMs: [3000, 30_000], targets: ["worker"] },
    { kind: "crash", odds: 0.5, everyMs: [20_000, 50_000], durationMs: [500, 8000], targets: ["leader"] },
  ],
});
