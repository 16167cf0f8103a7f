/** Faults of the process on a host. */
import { type EndFault, type FaultKind, NOTHING_TO_END } from "./kind.ts";
import type { FaultWorld } from "./world.ts";

/**
 * A crash shortly after a write was submitted meets the disk at work. Now and then it comes later than the sync takes.
 */
const WRITE_TO_CRASH_MAX_US = 600;

const crash: FaultKind = {
  name: "crash",
  family: "process",
  summary: "a process ends at once, preferably while its disk is at work, and is restarted at the end",
  parameters: {
    whileWriting: { meaning: "probability that it waits for the next write", limits: [0, 1], swarm: [0.5, 1] },
  },
  durationMs: [100, 20_000],
  begin(world, fault) {
    const up = fault.hosts.filter((host) => world.isUp(host));
    if (up.length === 0) return null;
    const ends = up.map((host): EndFault => {
      if (!fault.rng.chance(fault.number("whileWriting"))) return crashUntilEnd(world, host);
      const delayUs = fault.rng.integer(0, WRITE_TO_CRASH_MAX_US);
      return whenWriting(world, host, delayUs);
    });
    return () => {
      for (const end of ends) end();
    };
  },
};

function crashUntilEnd(world: FaultWorld, host: number): EndFault {
  return world.crash(host) ? () => world.restart(host) : NOTHING_TO_END;
}

function whenWriting(world: FaultWorld, host: number, delayUs: number): EndFault {
  let end = NOTHING_TO_END;
  let ended = false;
  const cancel = world.onNextWrite(host, () => {
    world.after(delayUs, () => {
      if (!ended) end = crashUntilEnd(world, host);
    });
  });
  return () => {
    ended = true;
    cancel();
    end();
  };
}

const wipeDisk: FaultKind = {
  name: "wipe-disk",
  family: "process",
  summary: "a host loses its disk, and with it its identity; it comes back as a new member under a new id",
  parameters: {},
  durationMs: [500, 20_000],
  begin(world, fault) {
    const host = fault.hosts.find((candidate) => world.mayDamage(candidate));
    if (host === undefined) return null;
    world.loseDisk(host, fault.endUs - world.nowUs);
    return NOTHING_TO_END;
  },
};

const pause: FaultKind = {
  name: "pause",
  family: "process",
  summary: "a process stands still, and then goes on as if nothing had happened",
  parameters: {},
  durationMs: [50, 120_000],
  begin: (world, fault) => all(fault.hosts.map((host) => world.pause(host))),
};

const slowNode: FaultKind = {
  name: "slow-node",
  family: "process",
  summary: "a process takes long over every single input",
  parameters: { inputMs: { meaning: "how long over each", limits: [0, 60_000], swarm: [0.5, 40] } },
  durationMs: [1000, 30_000],
  begin: (world, fault) =>
    all(fault.hosts.map((host) => world.slowDown(host, Math.round(fault.number("inputMs") * 1000)))),
};

function all(ends: readonly EndFault[]): EndFault {
  return () => {
    for (const end of ends) end();
  };
}

/**
 * Restarts every host in turn, as an upgrade does. Where the scenario begins with the build before, the present one
 * comes up; builds differ in the commands that they know, not yet in their messages.
 */
const rollingVersionChange: FaultKind = {
  name: "rolling-version-change",
  family: "process",
  summary: "all hosts are restarted one by one, as an upgrade does",
  parameters: { downMs: { meaning: "how long each is down", limits: [1, 600_000], swarm: [100, 3000] } },
  durationMs: [10_000, 60_000],
  begin(world, fault) {
    const hosts = fault.rng.shuffle([...world.participants()]);
    const stepUs = Math.floor((fault.endUs - world.nowUs) / Math.max(1, hosts.length));
    const downUs = Math.min(stepUs - 1, Math.round(fault.number("downMs") * 1000));
    if (downUs < 1) return null;
    let ended = false;
    let restart = NOTHING_TO_END;
    for (const [order, host] of hosts.entries()) {
      world.after(order * stepUs, () => {
        if (ended) return;
        restart = crashUntilEnd(world, host);
        world.upgrade(host);
        const mine = restart;
        world.after(downUs, () => {
          if (!ended) mine();
        });
      });
    }
    return () => {
      ended = true;
      restart();
    };
  },
};

const coldRestart: FaultKind = {
  name: "cold-restart",
  family: "process",
  summary: "every host crashes at the same instant, and all come back one after the other",
  parameters: {
    spreadMs: { meaning: "between the first and the last to come back", limits: [0, 600_000], swarm: [0, 3000] },
  },
  durationMs: [100, 10_000],
  begin(world, fault) {
    const crashed = fault.rng.shuffle(world.participants().filter((host) => world.crash(host)));
    if (crashed.length === 0) return null;
    const spreadUs = Math.round(fault.number("spreadMs") * 1000);
    const delaysUs = crashed.map(() => fault.rng.integer(0, spreadUs));
    return () => {
      for (const [order, host] of crashed.entries()) world.after(delaysUs[order] ?? 0, () => world.restart(host));
    };
  },
};

export const processFaults: readonly FaultKind[] = [
  crash,
  wipeDisk,
  pause,
  slowNode,
  rollingVersionChange,
  coldRestart,
];
