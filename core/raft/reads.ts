/**
 * Linearizable reads without a log entry (thesis 6.4): remember the commit index, prove leadership by one round to a
 * quorum, serve once applied. Reads that arrive while a round is under way share the next one.
 */
import { quorumValue } from "./quorum.ts";
import type { ReadOrigin } from "./read-queue.ts";
import { startRound } from "./rounds.ts";
import type { RaftState } from "./state.ts";

/** Queues a read on the leader. */
export function requestRead(raft: RaftState, origin: ReadOrigin): void {
  if (raft.reads.length >= raft.options.maxPendingRequests) {
    raft.reads.refuse(origin);
    return;
  }
  // What an earlier leader committed is known only once this term has committed something (thesis 6.4, step 1).
  if (raft.commitIndex < raft.leadership.termStartIndex) {
    raft.reads.add(origin, raft.leadership.termStartIndex, 0);
    return;
  }
  const underWay = raft.reads.waitsForRound;
  raft.reads.add(origin, raft.commitIndex, raft.leadership.round + 1);
  if (!underWay) startRound(raft);
}

/**
 * Whether the leader may answer without asking (thesis 6.4.1): no other can have been elected before every voter of
 * some quorum has been silent for the shortest election time-out, measured on clocks that differ by the drift bound
 * at most.
 */
export function holdsLease(raft: RaftState): boolean {
  if (!raft.options.leaseReads || raft.role !== "leader" || raft.commitIndex < raft.leadership.termStartIndex)
    return false;
  if (raft.leadership.transferring !== null || raft.leadership.leaseBlocked) return false;
  const confirmedMs = quorumValue(raft.roster.configuration, (id) =>
    id === raft.id ? raft.nowMs : (raft.leadership.progress.get(id)?.roundSentMs ?? Number.NEGATIVE_INFINITY),
  );
  return raft.nowMs < confirmedMs + raft.options.electionTimeoutMs * (1 - 2 * raft.options.clockDriftBound);
}
