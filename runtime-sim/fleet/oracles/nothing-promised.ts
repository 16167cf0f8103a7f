/**
 * At rest the leader owes nothing: none of its orchestrator's proposals is in flight, and no room is promised to any.
 *
 * Not checked: when that comes about within the bound of the scenario, and what members keep for clients.
 */
import type { FleetContext, FleetOracle } from "./oracle.ts";

export function nothingPromised({ orchestrator }: FleetContext): FleetOracle {
  return {
    name: "nothing-promised",
    summary: "in the end the leader has nothing in flight, and no room is promised to anybody",
    checks: 0,
    missing() {
      const leading = orchestrator();
      if (leading === null) return "nobody leads with an orchestrator";
      this.checks += 1;
      const { proposals, room } = leading;
      const [proposed] = proposals.inFlight.keys();
      if (proposed !== undefined) return `the leader's proposal about ${proposed} is neither applied nor refused`;
      if (proposals.fresh.length > 0) return `the leader has ${proposals.fresh.length} proposals that it has not made`;
      const [promised] = room.promised.keys();
      if (promised !== undefined) return `the leader promises room on worker ${promised} to nobody`;
      return null;
    },
  };
}
