/** Rounds of heartbeats, and the reads that a quorum's answers confirm (thesis 6.4). */
import { quorumValue } from "./quorum.ts";
import { sendHeartbeat, sendProbe } from "./sending.ts";
import type { PendingRead, RaftState } from "./state.ts";

/** Speaks to everyone, so that a quorum's answers prove leadership as of now. */
export function startRound(raft: RaftState): void {
  raft.round++;
  raft.roundSentMs[raft.round & 63] = raft.nowMs;
  raft.heartbeatDeadlineMs = raft.nowMs + raft.options.heartbeatMs;
  for (const [id, progress] of raft.progress) {
    if (progress.certified) sendHeartbeat(raft, id, progress);
    else sendProbe(raft, id, progress);
  }
  confirmReads(raft);
}

/** Releases what the quorum's answers confirm, and starts the round that the rest waits for. */
export function confirmReads(raft: RaftState): void {
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
