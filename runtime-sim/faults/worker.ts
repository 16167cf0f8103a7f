/** Faults of hosts that run machines: their agents, their power, and what their hypervisors do. */
import { isolateLinks, pairLinks } from "../network/index.ts";
import { direction, directionOf } from "./direction.ts";
import type { FaultKind, Injection } from "./kind.ts";
import type { FaultWorld, WorkerTarget } from "./world.ts";

function workersOf(world: FaultWorld, fault: Injection): readonly WorkerTarget[] {
  return fault.hosts.flatMap((host) => world.workerAt(host) ?? []);
}

/** Does the same to every host that is hit, and undoes it at the end. */
function each(
  name: string,
  summary: string,
  parameters: FaultKind["parameters"],
  durationMs: FaultKind["durationMs"],
  begin: (worker: WorkerTarget, fault: Injection) => (() => void) | null,
): FaultKind {
  return {
    name,
    family: "worker",
    summary,
    parameters,
    durationMs,
    begin(world, fault) {
      const ends = workersOf(world, fault).flatMap((worker) => begin(worker, fault) ?? []);
      if (ends.length === 0) return null;
      return () => {
        for (const end of ends) end();
      };
    },
  };
}

/** One quality of the hypervisor is worse for a while. Of overlapping faults the last one to end restores it. */
function hypervisorFault(
  name: string,
  summary: string,
  parameter: string,
  spec: FaultKind["parameters"][string],
  durationMs: FaultKind["durationMs"],
): FaultKind {
  return each(name, summary, { [parameter]: spec }, durationMs, (worker, fault) =>
    worker.worsen(name, fault.number(parameter)),
  );
}

const chance = (meaning: string, swarm: readonly [number, number]): FaultKind["parameters"][string] => ({
  meaning,
  limits: [0, 1],
  swarm,
});

export const workerFaults: readonly FaultKind[] = [
  each("agent-crash", "the agent of a host ends, and its machines go on", {}, [200, 20_000], (worker) => {
    worker.crashAgent();
    return () => worker.bootAgent();
  }),
  each("agent-pause", "the agent of a host stands still, and its machines go on", {}, [500, 40_000], (worker) =>
    worker.pause(),
  ),
  each("host-down", "a host loses its power, and all that is on it", {}, [2000, 90_000], (worker) => {
    worker.powerOff();
    return () => worker.powerOn();
  }),
  {
    name: "cut-off-worker",
    family: "worker",
    summary: "a host can reach nobody, and its machines go on",
    parameters: {},
    durationMs: [1000, 60_000],
    begin(world, fault) {
      const workers = workersOf(world, fault);
      if (workers.length === 0) return null;
      const tokens = workers.map((worker) => {
        worker.disturb();
        return world.network.block(isolateLinks(worker.hostIndex, world.network.hostCount, "both"));
      });
      return () => {
        for (const token of tokens) world.network.unblock(token);
      };
    },
  },
  {
    name: "cut-worker-links",
    family: "worker",
    summary: "a host and some of the members no longer hear each other, while it reaches the others",
    parameters: {
      direction,
      share: { meaning: "share of the members that it is cut off from", limits: [0, 1], swarm: [0.2, 1] },
    },
    durationMs: [1000, 60_000],
    begin(world, fault) {
      const workers = workersOf(world, fault);
      const members = world.participants();
      if (workers.length === 0 || members.length === 0) return null;
      const tokens = workers.map(({ hostIndex }) => {
        const drawn = members.filter(() => fault.rng.chance(fault.number("share")));
        const others = drawn.length > 0 ? drawn : [fault.rng.pick(members)];
        return world.network.block(others.flatMap((other) => pairLinks(hostIndex, other, directionOf(fault))));
      });
      return () => {
        for (const token of tokens) world.network.unblock(token);
      };
    },
  },
  hypervisorFault(
    "slow-build",
    "builds take many times as long",
    "factor",
    { meaning: "how many times", limits: [1, 1000], swarm: [2, 30] },
    [5000, 40_000],
  ),
  hypervisorFault("build-fails", "builds fail", "chance", chance("probability of each", [0.1, 0.8]), [3000, 30_000]),
  hypervisorFault(
    "build-hangs",
    "builds never end",
    "chance",
    chance("probability of each", [0.05, 0.4]),
    [3000, 20_000],
  ),
  hypervisorFault(
    "boot-hangs",
    "guests never come up",
    "chance",
    chance("probability of each", [0.05, 0.4]),
    [3000, 20_000],
  ),
  hypervisorFault(
    "guest-crashes",
    "guests crash",
    "meanMs",
    { meaning: "mean time to a crash", limits: [1, 1e9], swarm: [2000, 60_000] },
    [5000, 40_000],
  ),
  hypervisorFault(
    "zombies",
    "stops are ignored until they are repeated",
    "chance",
    chance("probability of each", [0.2, 0.9]),
    [5000, 40_000],
  ),
  hypervisorFault(
    "wrong-reports",
    "what the host shows is not so",
    "chance",
    chance("probability of each look", [0.01, 0.2]),
    [3000, 20_000],
  ),
  hypervisorFault(
    "unhealthy-guests",
    "health checks fail",
    "chance",
    chance("probability of each", [0.2, 1]),
    [3000, 30_000],
  ),
  hypervisorFault(
    "late-inventory",
    "an agent learns late of what has changed on its host",
    "withinMs",
    // After ten seconds without a result an agent takes it that what it asked for was not done.
    { meaning: "longest time until it does", limits: [0, 8000], swarm: [50, 4000], whole: true },
    [3000, 30_000],
  ),
  each("orphan", "a machine is there that nobody asked for", {}, [1, 10], (worker, fault) => {
    // An epoch that never was: of long ago, or, as after the restoration of a backup, of the future.
    worker.plantOrphan(`vm-${fault.rng.integer(1, 40)}`, fault.rng.pick([1, 2 ** 40]));
    return () => {};
  }),
  each(
    "worker-drift",
    "the clocks of a host run faster or slower",
    { factor: { meaning: "by how much", limits: [0.001, 1000], swarm: [0.98, 1.02] } },
    [10_000, 60_000],
    (worker, fault) => worker.drift(fault.number("factor")),
  ),
];
