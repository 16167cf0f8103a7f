/**
 * Linearizable reads without a log entry (thesis 6.4): remember the commit index, prove leadership by one round to a quorum, serve once applied. Reads
 * that arrive while a round is under way share the next one.
 */
import { quorumValue } from "./quorum.ts";
import type { Raft } from "./raft.ts";
import { startRound } from "./replication.ts";
import type { NodeId } from "./types.ts";

/** Who asked: this node's own client, or a follower on behalf of its own. */
export interface ReadOrigin {
  readonly from: NodeId;
  readonly requestId: number;
}

export interface PendingRead {
  readonly origin: ReadOrigin;
  readonly index: number;
  /** A quorum's answers to this round or a later one confirm it. Zero: waits for the first commit of this term. */
  round: number;
}

/** Serve once `index` is applied; null: leadership was lost before it was confirmed. */
export interface ReadyRead {
  readonly origin: ReadOrigin;
  readonly index: number | null;
}

/** Queues a read on the leader. */
export function requestRead(raft: Raft, origin: ReadOrigin): void {
  if (raft.pendingReads.length >= raft.options.maxPendingRequests) {
    raft.readyReads.push({ origin, index: null });
    return;
  }
  // What an earlier leader committed is known only once this term has committed something (thesis 6.4, step 1).
  if (raft.commitIndex < raft.termStartIndex) {
    raft.pendingReads.push({ origin, index: raft.termStartIndex, round: 0 });
    return;
  }
  const newest = raft.pendingReads[raft.pendingReads.length - 1];
  const underWay = newest !== undefined && newest.round > 0;
  raft.pendingReads.push({ origin, index: raft.commitIndex, round: raft.round + 1 });
  if (!underWay) startRound(raft);
}

/** Releases what the quorum's answers confirm, and starts the round that the rest waits for. */
export function confirmReads(raft: Raft): void {
  if (raft.pendingReads.length === 0 || raft.commitIndex < raft.termStartIndex) return;
  const confirmed = quorumValue(raft.configuration, (id) =>
    id === raft.id ? raft.round : (raft.progress.get(id)?.round ?? 0),
  );
  const waiting: PendingRead[] = [];
  let wanted = 0;
  for (const read of raft.pendingReads) {
    if (read.round === 0) read.round = raft.round + 1;
    if (read.round <= confirmed) raft.readyReads.push({ origin: read.origin, index: read.index });
    else {
      waiting.push(read);
      wanted = Math.max(wanted, read.round);
    }
  }
  const released = waiting.length < raft.pendingReads.length;
  raft.pendingReads = waiting;
  const roundUnderWay = raft.round > confirmed;
  if (wanted > raft.round && (released || !roundUnderWay)) startRound(raft);
}

/**
 * Whether the leader may answer without asking (thesis 6.4.1): no other can have been elected before every voter of some quorum has been silent for the
 * shortest election time-out, measured on clocks that differ by the drift bound at most.
 */
export function holdsLease(raft: Raft): boolean {
  if (!raft.options.leaseReads || raft.role !== "leader" || raft.commitIndex < raft.termStartIndex) return false;
  if (raft.transferring !== null || raft.leaseBlocked) return false;
  const confirmedMs = quorumValue(raft.configuration, (id) =>
    id === raft.id ? raft.nowMs : (raft.progress.get(id)?.roundSentMs ?? Number.NEGATIVE_INFINITY),
  );
  return raft.nowMs < confirmedMs + raft.options.electionTimeoutMs * (1 - 2 * raft.options.clockDriftBound);
}
