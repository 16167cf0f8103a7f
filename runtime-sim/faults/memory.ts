/** Faults of what a member remembers. */
import { type FaultKind, NOTHING_TO_END } from "./kind.ts";

const emptyDisk: FaultKind = {
  name: "empty-disk",
  family: "disk",
  summary: "a process crashes, and its disk comes back empty, while the host still has the member's identity and id",
  parameters: {},
  durationMs: [100, 10_000],
  begin(world, fault) {
    const host = fault.hosts.find((candidate) => world.mayDamage(candidate));
    if (host === undefined) return null;
    world.emptyDisk(host, fault.endUs - world.nowUs);
    return NOTHING_TO_END;
  },
};

export const memoryFaults: readonly FaultKind[] = [emptyDisk];
