/**
 * Faults of a host's disk. Every crash may lose or tear writes that are not synced yet: that needs no fault of its
 * own.
 */
import type { Disk } from "../hardware/index.ts";
import { type FaultKind, type Injection, NOTHING_TO_END, type ParameterSpec } from "./kind.ts";
import type { FaultWorld } from "./world.ts";

function diskFault(
  fault: Pick<FaultKind, "name" | "summary" | "parameters" | "durationMs">,
  strike: (disk: Disk, injection: Injection, world: FaultWorld) => void,
): FaultKind {
  return {
    ...fault,
    family: "disk",
    begin(world, injection) {
      for (const host of injection.hosts) strike(world.diskOf(host), injection, world);
      // The disk knows when it ends.
      return NOTHING_TO_END;
    },
  };
}

const slow = diskFault(
  {
    name: "disk-slow",
    summary: "every sync takes many times as long",
    parameters: { factor: { meaning: "how many times as long", limits: [1, 1e6], swarm: [5, 500] } },
    durationMs: [1000, 30_000],
  },
  (disk, fault, world) => disk.slow(fault.number("factor"), fault.endUs, world.nowUs),
);

const stall = diskFault(
  { name: "disk-stall", summary: "no sync ends", parameters: {}, durationMs: [100, 10_000] },
  (disk, fault) => disk.stall(fault.endUs),
);

const full: FaultKind = {
  name: "disk-full",
  family: "disk",
  summary: "writes fail for want of room",
  parameters: {},
  durationMs: [500, 10_000],
  begin(world, fault) {
    for (const host of fault.hosts) {
      world.diskOf(host).fill(fault.endUs);
      world.diskFaulted(host, false);
    }
    return NOTHING_TO_END;
  },
};

const fsyncError: FaultKind = {
  name: "fsync-error",
  family: "disk",
  summary: "the next sync reports an error, and what it held may be there or not",
  parameters: {},
  durationMs: [1, 1],
  begin(world, fault) {
    for (const host of fault.hosts) {
      world.diskOf(host).failNextSync();
      world.diskFaulted(host, false);
    }
    return NOTHING_TO_END;
  },
};

const readError: FaultKind = {
  name: "read-error",
  family: "disk",
  summary: "a process crashes, and its disk cannot be read when it starts again, for the first few times",
  parameters: { count: { meaning: "how many starts fail", limits: [1, 1000], swarm: [1, 4], whole: true } },
  durationMs: [100, 3000],
  begin(world, fault) {
    const crashed = fault.hosts.filter((host) => world.crash(host));
    if (crashed.length === 0) return null;
    for (const host of crashed) world.diskOf(host).failReads(fault.number("count"));
    return () => {
      for (const host of crashed) world.restart(host);
    };
  },
};

const noticed: ParameterSpec = {
  meaning:
    "whether the process crashes right after, so that the damage is found when it starts again, or goes on for now",
  choices: ["now", "later"],
};

/** Damage to what is durable, where the fault atlas allows it. */
function damage(fault: Pick<FaultKind, "name" | "summary">, strike: (disk: Disk) => string | null): FaultKind {
  return {
    ...fault,
    family: "disk",
    parameters: { noticed },
    durationMs: [100, 5000],
    begin(world, injection) {
      const host = injection.hosts.find((candidate) => world.isUp(candidate) && world.mayDamage(candidate));
      if (host === undefined || strike(world.diskOf(host)) === null) return null;
      world.diskFaulted(host, true);
      if (injection.choice("noticed") === "later" || !world.crash(host)) return NOTHING_TO_END;
      return () => world.restart(host);
    },
  };
}

const bitFlip = damage({ name: "bit-flip", summary: "one bit of a durable record flips" }, (disk) => disk.flipBit());

const misdirectedWrite = damage(
  { name: "misdirected-write", summary: "a record never arrived at its place, and another is overwritten by it" },
  (disk) => disk.misdirect(),
);

export const diskFaults: readonly FaultKind[] = [slow, stall, full, fsyncError, readError, bitFlip, misdirectedWrite];
