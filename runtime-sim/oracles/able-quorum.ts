/**
 * Members that can serve, whatever else is wrong: an able quorum is a set of honest members that
 *
 *   - contains a quorum of every configuration in force, of both halves of a joint one,
 *   - runs, with working disks and with clocks that are right to 10 % and do not jump, neither paused nor slow,
 *   - and is connected, each with each and both ways, with bounded delay and loss.
 *
 * A link counts while it is neither blocked nor clogged nor limited in bytes, nearly all messages arrive within a
 * tenth of the election time-out, none takes longer than that time-out, and at most 5 % are lost, damaged or late. A
 * configuration is in force from when its entry is in the log of a process that runs until a later one is committed.
 */
import type { Configuration, NodeId } from "../../core/index.ts";
import type { Health, LinkGrade } from "./health.ts";
import { isQuorum } from "./quorum.ts";

/** One that has been able since then; null where there is none. */
export function ableQuorum(health: Health, sinceMs: number, grade: LinkGrade): readonly NodeId[] | null {
  const inForce = health.configurationsSince(sinceMs);
  if (inForce.length === 0) return null;
  const voters = new Set(inForce.flatMap(({ voters, outgoing }) => [...voters, ...outgoing]));
  const sound = [...voters].filter((id) => health.isSoundSince(id, sinceMs));
  const isLinked = (a: NodeId, b: NodeId): boolean =>
    health.isLinkSince(grade, a, b, sinceMs) && health.isLinkSince(grade, b, a, sinceMs);
  return connectedQuorum(sound, isLinked, inForce);
}

/**
 * A set of `ids` that is a quorum of each configuration and in which all are linked with all. There are few voters, so
 * every set is tried, one member more at a time.
 */
export function connectedQuorum(
  ids: readonly NodeId[],
  isLinked: (a: NodeId, b: NodeId) => boolean,
  configurations: readonly Configuration[],
): readonly NodeId[] | null {
  function extend(chosen: readonly NodeId[], from: number): readonly NodeId[] | null {
    if (configurations.every((configuration) => isQuorum(configuration, (id) => chosen.includes(id)))) return chosen;
    for (const [offset, id] of ids.slice(from).entries()) {
      if (!chosen.every((other) => isLinked(other, id))) continue;
      const found = extend([...chosen, id], from + offset + 1);
      if (found !== null) return found;
    }
    return null;
  }
  return extend([], 0);
}
