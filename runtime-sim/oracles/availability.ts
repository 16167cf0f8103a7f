/**
 * While faults last: members that can serve do serve. Whenever a set of honest members
 *
 *   - contains a quorum of every configuration in force, of both halves of a joint one,
 *   - runs, with working disks and with clocks that are right to 10 % and do not jump, neither paused nor slow,
 *   - and is connected, each with each and both ways, with bounded delay and loss,
 *
 * without a break for the bound, whatever else is wrong, then within the bound an entry is committed somewhere, or a
 * quorum follows a leader that has nothing to commit.
 *
 * A link counts while it is neither blocked nor clogged nor limited in bytes, nearly all messages arrive within a
 * tenth of the election time-out, none takes longer than that time-out, and at most 5 % are lost, damaged or late. A
 * configuration is in force from when its entry is in the log of a process that runs until a later one is committed.
 *
 * The bound: a lost leader is noticed after two election time-outs at most, a transfer to somebody who cannot lead is
 * given up after one, and a campaign that comes to nothing costs two more. Where links lose next to nothing a campaign
 * fails for collisions alone, in a few of a hundred: after four in a row 10 time-outs have passed. Where they lose up
 * to 5 %, one of five fails: 20. In 880 runs of ten scenarios the longest were 4 and 7.
 *
 * Checks about twice in an election time-out. Does not check: the time after the faults (the quiet phase does); runs
 * with a liar, who may cost liveness; that clients are served quickly.
 */
import type { Configuration, NodeId } from "../../core/index.ts";
import type { MemberView, NodeView } from "../world/index.ts";
import { hasLiar, type OracleContext } from "./context.ts";
import type { LinkGrade } from "./health.ts";
import type { Oracle } from "./oracle.ts";
import { isQuorum } from "./quorum.ts";

interface Bound {
  readonly grade: LinkGrade;
  readonly timeouts: number;
}

const BOUNDS: readonly Bound[] = [
  { grade: "clear", timeouts: 10 },
  { grade: "fair", timeouts: 20 },
];

export function availability({ violate, members, configurations, health, raft, looks, nowMs }: OracleContext): Oracle {
  const name = "availability";
  let isQuiet = false;
  let highestCommit = 0;
  /** When the cluster was last seen to serve. */
  let servedMs = 0;

  const oracle: Oracle = {
    name,
    summary: "a sound and connected quorum has a leader and commits, whatever else is wrong",
    checks: 0,
    committed(_watched, node) {
      if (node.commitIndex <= highestCommit) return;
      highestCommit = node.commitIndex;
      servedMs = nowMs();
    },
    quiet() {
      isQuiet = true;
    },
  };

  function follows({ id, honest, node }: MemberView, leader: NodeView): boolean {
    if (id === leader.id) return true;
    return honest && node !== null && !node.halted && node.leaderId === leader.id && node.term === leader.term;
  }

  /** A quorum follows a leader that has committed all it has. */
  function isServing(): boolean {
    for (const { honest, node } of members) {
      if (!honest || node === null || node.halted || node.role !== "leader") continue;
      if (node.commitIndex !== node.log.lastIndex) continue;
      const latest = configurations.latest(node.id);
      if (latest === null) continue;
      const following = new Set(members.filter((member) => follows(member, node)).map(({ id }) => id));
      if (isQuorum(latest.configuration, (id) => following.has(id))) return true;
    }
    return false;
  }

  /** The members of a set as above since `sinceMs`; null where there is none. */
  function ableSince(sinceMs: number, grade: LinkGrade): readonly NodeId[] | null {
    const inForce = health.configurationsSince(sinceMs);
    if (inForce.length === 0) return null;
    const voters = new Set(inForce.flatMap(({ voters, outgoing }) => [...voters, ...outgoing]));
    const sound = [...voters].filter((id) => health.isSoundSince(id, sinceMs));
    const isLinked = (a: NodeId, b: NodeId): boolean =>
      health.isLinkSince(grade, a, b, sinceMs) && health.isLinkSince(grade, b, a, sinceMs);
    return connectedQuorum(sound, isLinked, inForce);
  }

  function look(now: number): void {
    if (isQuiet || hasLiar(members)) return;
    if (isServing()) servedMs = now;
    for (const { grade, timeouts } of BOUNDS) {
      const boundMs = timeouts * raft.electionTimeoutMs;
      const able = now < boundMs ? null : ableSince(now - boundMs, grade);
      if (able === null) continue;
      oracle.checks += 1;
      if (servedMs > now - boundMs) return;
      violate(
        name,
        () =>
          `nothing was committed, and no leader with nothing to commit was followed by a quorum, for ` +
          `${now - servedMs} ms, although members ${able.join(", ")} are sound, connected and a quorum of all ` +
          `configurations in force since ${boundMs} ms: ${members.map(described).join("; ")}`,
      );
      return;
    }
  }

  looks.every(raft.electionTimeoutMs / 2, look);
  return oracle;
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

function described({ id, node }: MemberView): string {
  if (node === null) return `${id} is down`;
  if (node.halted) return `${id} has stopped itself`;
  const { role, term, leaderId, commitIndex, log } = node;
  return `${id} is ${role} in term ${term}, follows ${leaderId}, has committed ${commitIndex} of ${log.lastIndex}`;
}
