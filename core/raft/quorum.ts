/**
 * Majorities, single and joint (thesis 4.3). One question serves commit index, read rounds, leases and check-quorum
 * alike: the largest value that a quorum has reached.
 *
 *     voter   a  b  c  d  e        majority of 5 is 3: the third largest value
 *     match   7  9  4  8  4   →    7 has been reached by a, b, d
 */
import type { Configuration, NodeId } from "./records.ts";

/** Smallest number of voters that intersects itself. */
export function majority(voters: number): number {
  return Math.floor(voters / 2) + 1;
}

/** Whether `has` holds for a majority of each voter set. An empty configuration has no quorum. */
export function isQuorum(configuration: Configuration, has: (id: NodeId) => boolean): boolean {
  return (
    countIn(configuration.voters, has) >= majority(configuration.voters.length) &&
    (configuration.outgoing.length === 0 ||
      countIn(configuration.outgoing, has) >= majority(configuration.outgoing.length))
  );
}

function countIn(voters: readonly NodeId[], has: (id: NodeId) => boolean): number {
  let count = 0;
  for (const id of voters) if (has(id)) count++;
  return count;
}

/** The largest value v such that a quorum's `valueFor` is at least v. */
export function quorumValue(configuration: Configuration, valueFor: (id: NodeId) => number): number {
  const incoming = majorityValue(configuration.voters, valueFor);
  if (configuration.outgoing.length === 0) return incoming;
  return Math.min(incoming, majorityValue(configuration.outgoing, valueFor));
}

/** Descending insertion into one reused array: at most seven voters, several times per message. */
const sorted: number[] = [];

function majorityValue(voters: readonly NodeId[], valueFor: (id: NodeId) => number): number {
  sorted.length = 0;
  for (const id of voters) {
    const value = valueFor(id);
    let at = sorted.length;
    sorted.push(value);
    for (; at > 0; at--) {
      const before = sorted[at - 1];
      if (before === undefined || before >= value) break;
      sorted[at] = before;
    }
    sorted[at] = value;
  }
  return sorted[majority(voters.length) - 1] ?? Number.NEGATIVE_INFINITY;
}
