/**
 * The lifecycle of each VM, as its events tell it: every event begins in the state in which the one before it ended,
 * every move is in the table below, its epoch never falls, another worker means a higher epoch, and a VM has a worker
 * in exactly those states in which it can have one. The table is written down again on purpose: the oracle must not
 * share the core's.
 *
 * Not checked: whether a move was a good idea.
 */
import type { VmState } from "../../../core/index.ts";
import { momentText } from "../../world/index.ts";
import type { FleetContext, FleetOracle } from "./oracle.ts";
import type { Placement } from "./placements.ts";

const MOVES: Readonly<Record<VmState, string>> = {
  Pending: "Scheduled Stopped",
  Scheduled: "Scheduled Building Starting Running Stopping Stopped Failed Lost Pending",
  Building: "Scheduled Starting Running Stopping Stopped Failed Lost Pending",
  Starting: "Scheduled Building Running Stopping Stopped Failed Lost Pending",
  Running: "Scheduled Stopping Stopped Failed Lost Pending",
  Stopping: "Scheduled Running Stopped Failed Lost Pending",
  // It stays what it is, and gives up its place.
  Stopped: "Stopped Scheduled Stopping Lost Pending",
  Failed: "Scheduled Stopping Stopped Lost Pending",
  Lost: "Pending Scheduled Running Stopping Stopped Failed Lost",
};

/** Where it is placed for certain; what is neither here nor Pending may be either. */
const PLACED: ReadonlySet<VmState> = new Set(["Scheduled", "Building", "Starting", "Running", "Stopping", "Failed"]);

export function legalMoves({ placements, violate }: FleetContext): FleetOracle {
  const moves = new Map(Object.entries(MOVES).map(([from, to]) => [from, new Set(to.split(" "))]));
  return {
    name: "legal-moves",
    summary: "VMs go from state to state as the table has it, each run with a number of its own",
    checks: 0,
    happened(event) {
      if (event.kind !== "vmState") return;
      const { name, from, state: to, epoch, workerId, index } = event;
      const before = placements.of(name);
      this.checks += 1;
      if (before === null) violate(() => `VM ${name} went to ${to} by entry ${index}, and had not been created`);
      else if (before.state !== from)
        violate(
          () => `VM ${name} went from ${from} to ${to} by entry ${index}, but was ${before.state} ${sinceText(before)}`,
        );
      else if (moves.get(from)?.has(to) !== true)
        violate(() => `VM ${name} went from ${from}, which it was ${sinceText(before)}, to ${to} by entry ${index}`);
      else if (epoch < before.epoch)
        violate(
          () => `VM ${name} went from run ${before.epoch} (${sinceText(before)}) back to ${epoch} by entry ${index}`,
        );
      else if (workerId !== null && before.workerId !== workerId && epoch === before.epoch)
        violate(
          () =>
            `VM ${name} went to worker ${workerId} by entry ${index} in the run ${epoch} of before (${sinceText(before)})`,
        );
      else if (PLACED.has(to) ? workerId === null : to === "Pending" && workerId !== null)
        violate(() => `VM ${name} is ${to} on worker ${workerId} by entry ${index}`);
    },
  };
}

function sinceText({ index, since }: Placement): string {
  return `by entry ${index}, applied at ${momentText(since)}`;
}
