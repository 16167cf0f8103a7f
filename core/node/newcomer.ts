/**
 * Whether a member that was taken in may start from nothing. One that has run and comes back without its data has
 * forgotten its votes, and what it told to be durable: it must never speak again as who it was.
 */
import { isJoint, type NodeId, type Raft } from "../raft/index.ts";

/**
 * notNow: this node does not lead, or the configuration is not final and committed yet. hasRun: it has a vote, which
 * only one that has answered is given, or it has answered this leader.
 */
export type StartRefusal = "notNow" | "hasRun";

/** What it needs of consensus. */
type LeadingRaft = Pick<Raft, "configuration" | "configurationIndex" | "commitIndex" | "progressOf">;

/** Null: it may start. */
export function whyNotStart(raft: LeadingRaft, id: NodeId): StartRefusal | null {
  const { configuration, configurationIndex, commitIndex } = raft;
  const progress = raft.progressOf(id);
  if (progress === undefined || isJoint(configuration) || configurationIndex > commitIndex) return "notNow";
  const hasAnswered = progress.match > 0 || Number.isFinite(progress.roundSentMs);
  return hasAnswered || configuration.voters.includes(id) ? "hasRun" : null;
}
