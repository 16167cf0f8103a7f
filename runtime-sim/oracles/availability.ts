/**
 * While faults last: members that can serve do serve. Whenever there is an able quorum (able-quorum.ts) without a
 * break for the bound, whatever else is wrong, then within the bound an entry is committed somewhere, or a quorum
 * follows a leader that has nothing to commit.
 *
 * The bound: a lost leader is noticed after two election time-outs at most, a transfer to somebody who cannot lead is
 * given up after one, and a campaign that comes to nothing costs two more. Where links lose next to nothing a campaign
 * fails for collisions alone, in a few of a hundred: after four in a row 10 time-outs have passed. Where they lose up
 * to 5 %, one of five fails: 20. In 880 runs of ten scenarios the longest were 4 and 7.
 *
 * Looks about twice in an election time-out; counts a check when nobody has served for two of them although an able
 * quorum stood meanwhile. Does not check: the time after the faults (the quiet phase does); runs with a liar, who may
 * cost liveness; that clients are served (clients-served does).
 */
import type { MemberView, NodeView } from "../world/index.ts";
import { ableQuorum } from "./able-quorum.ts";
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
  const lookEveryMs = raft.electionTimeoutMs / 2;
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

  function look(now: number): void {
    if (isQuiet || servedMs > now - lookEveryMs || hasLiar(members)) return;
    if (isServing()) {
      servedMs = now;
      return;
    }
    // Only now is it worth the search for an able quorum.
    if (servedMs <= now - 2 * raft.electionTimeoutMs && ableQuorum(health, servedMs, "fair") !== null)
      oracle.checks += 1;
    for (const { grade, timeouts } of BOUNDS) {
      const boundMs = timeouts * raft.electionTimeoutMs;
      if (now < boundMs || servedMs > now - boundMs) continue;
      const able = ableQuorum(health, now - boundMs, grade);
      if (able === null) continue;
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

  looks.every(lookEveryMs, look);
  return oracle;
}

function described({ id, node }: MemberView): string {
  if (node === null) return `${id} is down`;
  if (node.halted) return `${id} has stopped itself`;
  const { role, term, leaderId, commitIndex, log } = node;
  return `${id} is ${role} in term ${term}, follows ${leaderId}, has committed ${commitIndex} of ${log.lastIndex}`;
}
