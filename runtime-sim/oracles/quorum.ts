/** Majorities, written the slow and obvious way: what the oracles hold the core to must not share its code. */
import type { Configuration, NodeId } from "../../core/index.ts";

/**
 * Whether those who satisfy `holds` are a majority of the voters and, in a joint configuration, one of the outgoing
 * voters too.
 */
export function isQuorum(configuration: Configuration, holds: (id: NodeId) => boolean): boolean {
  return isMajority(configuration.voters, holds) && isMajority(configuration.outgoing, holds);
}

function isMajority(voters: readonly NodeId[], holds: (id: NodeId) => boolean): boolean {
  let held = 0;
  for (const id of voters) if (holds(id)) held += 1;
  return voters.length === 0 || held > voters.length / 2;
}
