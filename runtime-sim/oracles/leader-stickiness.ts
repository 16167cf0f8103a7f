/**
 * Nobody votes for another who has just heard a leader (thesis 4.2.3): whoever has answered a leader of its term
 * within the shortest election time-out, by its own clock, grants neither a vote nor a pre-vote, unless a leader of
 * that term or a later one has ordered a campaign. So a candidate whose pre-votes are old, or were given while the
 * leader stood still, does not depose it.
 *
 * Does not check: runs with a liar, whose orders nobody sees; leaders, who refuse for another reason; that votes are
 * given when no leader is heard (availability sees it).
 */
import { NOBODY, type NodeId } from "../../core/index.ts";
import { momentText, type NodeView } from "../world/index.ts";
import { hasLiar, type OracleContext } from "./context.ts";
import type { Oracle, Watched } from "./oracle.ts";

/** The leader that a process has answered last: in which term, and when by its own clock and in true time. */
interface Followed {
  leader: NodeId;
  term: number;
  clockMs: number;
  event: number;
  atMs: number;
}

export function leaderStickiness({ violate, members, conditions, raft, nowMs, now }: OracleContext): Oracle {
  const name = "leader-stickiness";
  const followed = new Map<NodeId, Followed>();
  /** The last term whose leader has ordered a campaign. Who has answered a leader before it may know that one too. */
  let orderedTerm = 0;

  function granted(oracle: Oracle, { member }: Watched, node: NodeView, to: NodeId, what: string): void {
    const last = followed.get(node.id);
    if (last === undefined || orderedTerm >= last.term || hasLiar(members)) return;
    oracle.checks += 1;
    const silentMs = member.clock.monotonicMs(conditions.nowUs) - last.clockMs;
    // The clock of a process stands where it was when its input came.
    if (silentMs >= raft.electionTimeoutMs - raft.heartbeatMs) return;
    violate(
      name,
      () =>
        `node ${node.id} gives node ${to} its ${what} at ${momentText(now())}, ${Math.round(silentMs)} ms of its clock ` +
        `after it has answered node ${last.leader}, which leads term ${last.term}, at ${momentText(last)}; no campaign ` +
        "was ordered since that term",
    );
  }

  return {
    name,
    summary: "nobody votes for another who has just heard a leader",
    checks: 0,
    crashed({ member }) {
      followed.delete(member.id);
    },
    elected({ member }) {
      followed.delete(member.id);
    },
    ordered(_, { term }) {
      orderedTerm = Math.max(orderedTerm, term);
    },
    followed({ member }, { to, term }) {
      const last = followed.get(member.id) ?? { leader: to, term, clockMs: 0, event: 0, atMs: 0 };
      last.leader = to;
      last.term = term;
      last.clockMs = member.clock.monotonicMs(conditions.nowUs);
      last.event = conditions.events;
      last.atMs = nowMs();
      followed.set(member.id, last);
    },
    hardState(watched, node) {
      const { term, votedFor, id } = node;
      if (votedFor === NOBODY || votedFor === id) return;
      if (term !== watched.term || votedFor !== watched.votedFor) granted(this, watched, node, votedFor, "vote");
    },
    promised(watched, node, message) {
      if (message.type === "voteResponse" && message.preVote && message.granted)
        granted(this, watched, node, message.to, "pre-vote");
    },
  };
}
