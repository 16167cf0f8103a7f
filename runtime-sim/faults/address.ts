/** Faults of where hosts are. */
import type { FaultKind } from "./kind.ts";

const readdress: FaultKind = {
  name: "readdress",
  family: "process",
  summary: "hosts come back at another address, where the other members do not know them to be",
  parameters: {
    hosts: { meaning: "how many of them at once", limits: [1, 16], swarm: [1, 3], whole: true },
    takesOver: { meaning: "probability of an address that another host has left", limits: [0, 1], swarm: [0, 1] },
  },
  durationMs: [100, 10_000],
  begin(world, fault) {
    const others = fault.rng.shuffle(world.participants().filter((host) => !fault.hosts.includes(host)));
    const moved: number[] = [];
    for (const host of [...fault.hosts, ...others]) {
      if (moved.length >= fault.number("hosts")) break;
      // Asked each time: the one before counts.
      if (!world.mayMove(host)) continue;
      world.move(host, fault.rng.chance(fault.number("takesOver")));
      moved.push(host);
    }
    if (moved.length === 0) return null;
    return () => {
      for (const host of moved) world.restart(host);
    };
  },
};

export const addressFaults: readonly FaultKind[] = [readdress];
