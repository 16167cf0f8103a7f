/**
 * Nobody disturbs a leader that leads well: pre-votes, check-quorum and leader stickiness (thesis 4.2.3, 6.2, 9.6).
 *
 * A leader is settled when for four election time-outs it has led, and has been sound and connected both ways, by
 * links that lose so little that heartbeats cannot be missed for a time-out, with others who are sound and make with
 * it a quorum of every configuration in force. Checks
 *
 *   - that a settled leader does not give up its term, unless the latest configuration in its log is final, committed
 *     and without it, or it is the only voter (it then elects itself anew after many changes);
 *   - that nobody else enters a later term than a settled leader's, unless that leader has ordered a campaign in its
 *     term. Whoever enters it has a quorum's pre-votes, and the quorum hears the leader. The one excuse is that
 *     pre-votes were given earlier: to somebody who was paused or whose clock was wrong within these four time-outs,
 *     or whose messages were held back on the way.
 *
 * Does not check: runs with a liar; a leader whose quorum is worse connected; that a leader who should give up does
 * (availability sees it when nobody serves).
 */
import { isJoint, type NodeId } from "../../core/index.ts";
import { type Moment, momentText, type NodeView } from "../world/index.ts";
import { hasLiar, type OracleContext } from "./context.ts";
import type { Oracle, Watched } from "./oracle.ts";
import { isQuorum } from "./quorum.ts";

const SETTLED_AFTER_TIMEOUTS = 4;

interface Leading {
  readonly term: number;
  readonly sinceMs: number;
  readonly since: Moment;
  /** It has ordered a campaign in this term. */
  hasOrdered: boolean;
}

export function healthyLeader({ violate, members, configurations, health, raft, nowMs, now }: OracleContext): Oracle {
  const name = "healthy-leader";
  const settledAfterMs = SETTLED_AFTER_TIMEOUTS * raft.electionTimeoutMs;
  const leading = new Map<NodeId, Leading>();
  let highestTerm = 0;
  let isQuiet = false;

  /** The quorum with which it leads undisturbed; null: it is not settled. */
  function settledWith(leader: NodeId): readonly NodeId[] | null {
    const state = leading.get(leader);
    const sinceMs = nowMs() - settledAfterMs;
    if (state === undefined || state.sinceMs > sinceMs || !health.isSoundSince(leader, sinceMs)) return null;
    const reached = members
      .map(({ id }) => id)
      .filter(
        (id) =>
          id === leader ||
          (health.isSoundSince(id, sinceMs) &&
            health.isLinkSince("fair", leader, id, sinceMs) &&
            health.isLinkSince("fair", id, leader, sinceMs)),
      );
    const has = (id: NodeId): boolean => reached.includes(id);
    return health.configurationsSince(sinceMs).every((configuration) => isQuorum(configuration, has)) ? reached : null;
  }

  function mayGiveUp({ id, commitIndex }: NodeView): boolean {
    const latest = configurations.latest(id);
    if (latest === null) return true;
    const { configuration, index } = latest;
    if (isJoint(configuration) || index > commitIndex) return false;
    return !configuration.voters.includes(id) || configuration.voters.length === 1;
  }

  /** Whether pre-votes that it gathers may be older than a campaign is long. */
  function mayHoldOldVotes(candidate: NodeId, voters: readonly NodeId[]): boolean {
    const sinceMs = nowMs() - settledAfterMs;
    if (!health.isSoundSince(candidate, sinceMs)) return true;
    return voters.some((voter) => voter !== candidate && !health.isLinkSince("prompt", voter, candidate, sinceMs));
  }

  /** How many there are: that somebody campaigns beside one is what this is about. */
  function settledLeaders(): number {
    let count = 0;
    for (const leader of leading.keys()) if (settledWith(leader) !== null) count += 1;
    return count;
  }

  function gaveUp(oracle: Oracle, watched: Watched, node: NodeView): void {
    const quorum = settledWith(node.id);
    const since = leading.get(node.id)?.since;
    if (quorum === null || since === undefined) return;
    oracle.checks += 1;
    if (mayGiveUp(node)) return;
    violate(
      name,
      () =>
        `node ${node.id} gives up term ${watched.term}, which it led since ${momentText(since)}, although it is ` +
        `sound and connected both ways with nodes ${quorum.join(", ")} since ${settledAfterMs} ms`,
    );
  }

  function entered(node: NodeView): void {
    for (const [leader, { term, since, hasOrdered }] of leading) {
      if (term >= node.term || hasOrdered || (leader === node.id && mayGiveUp(node))) continue;
      const quorum = settledWith(leader);
      if (quorum === null || mayHoldOldVotes(node.id, quorum)) continue;
      violate(
        name,
        () =>
          `node ${node.id} enters term ${node.term}, although node ${leader} leads term ${term} since ` +
          `${momentText(since)}, sound and connected both ways with nodes ${quorum.join(", ")} since ${settledAfterMs} ms, and has ordered no campaign`,
      );
    }
  }

  return {
    name,
    summary: "a sound leader with a connected quorum is not deposed",
    checks: 0,
    crashed({ member }) {
      leading.delete(member.id);
    },
    elected({ member }, node) {
      leading.set(member.id, { term: node.term, sinceMs: nowMs(), since: now(), hasOrdered: false });
    },
    ordered({ member }) {
      const state = leading.get(member.id);
      if (state !== undefined) state.hasOrdered = true;
    },
    hardState(watched, node) {
      const isFirst = node.term > highestTerm;
      if (isFirst) highestTerm = node.term;
      const judges = !isQuiet && !hasLiar(members);
      if (judges && isFirst) entered(node);
      if (judges && node.role === "preCandidate" && watched.role !== "preCandidate") this.checks += settledLeaders();
      if (watched.role !== "leader" || node.role === "leader") return;
      if (judges && node.term === watched.term) gaveUp(this, watched, node);
      leading.delete(node.id);
    },
    quiet() {
      isQuiet = true;
    },
  };
}
