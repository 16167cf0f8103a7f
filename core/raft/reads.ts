/**
 * Linearizable reads without a log entry (thesis 6.4): the leader remembers its commit index, proves by one round to
 * a quorum that it still leads, and serves the read once that index is applied. Reads that arrive during a round
 * share the next one.
 */
import { mark } from "../marks.ts";
import { quorumValue } from "./quorum.ts";
import type { ReadOrigin } from "./read-queue.ts";
import { type RoundState, startRound } from "./rounds.ts";

/** Queues a read on the leader. */
export function requestRead(raft: RoundState, origin: ReadOrigin): void {
  if (raft.reads.length >= raft.options.maxPendingRequests) {
    mark("read/refused-queue-full");
    raft.reads.refuse(origin);
    return;
  }
  // A leader knows what earlier leaders committed only once it has committed an entry of its own term (thesis 6.4,
  // step 1).
  if (raft.commitIndex < raft.leadership.termStartIndex) {
    mark("read/waits-for-first-commit");
    raft.reads.add(origin, raft.leadership.termStartIndex, 0);
    return;
  }
  const underWay = raft.reads.waitsForRound;
  if (underWay) mark("read/shares-round");
  raft.reads.add(origin, raft.commitIndex, raft.leadership.round + 1);
  if (!underWay) startRound(raft);
}

/**
 * Whether the leader may answer without asking (thesis 6.4.1): nobody else can be elected while a quorum of voters
 * has heard this leader within the shortest election time-out, on clocks that differ by the drift bound at most.
 */
export function holdsLease(raft: RoundState): boolean {
  if (!raft.options.leaseReads || raft.role !== "leader" || raft.commitIndex < raft.leadership.termStartIndex)
    return false;
  if (raft.leadership.transferring !== null || raft.leadership.leaseBlocked) {
    mark("lease/read-blocked-by-transfer");
    return false;
  }
  const confirmedMs = quorumValue(raft.roster.configuration, (id) =>
    id === raft.id ? raft.nowMs : (raft.leadership.progress.get(id)?.roundSentMs ?? Number.NEGATIVE_INFINITY),
  );
  const holds = raft.nowMs < confirmedMs + raft.options.electionTimeoutMs * (1 - 2 * raft.options.clockDriftBound);
  mark(holds ? "lease/read-served" : "lease/read-lease-over");
  return holds;
}
