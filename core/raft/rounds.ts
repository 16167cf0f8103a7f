/** Rounds of heartbeats, and the reads that a quorum's answers confirm (thesis 6.4). */
import type { Leadership } from "./leadership.ts";
import { quorumValue } from "./quorum.ts";
import type { ReadQueue } from "./read-queue.ts";
import { sendHeartbeat, sendProbe } from "./sending.ts";
import type { Sender, StateView } from "./views.ts";

/** Starts rounds, and releases the reads that they confirm. */
export interface RoundState extends Sender {
  readonly leadership: StateView["leadership"] & Pick<Leadership, "startRound">;
  readonly reads: ReadQueue;
}

/** Sends a heartbeat to everybody. Answers by a quorum prove that this node led when the round was sent. */
export function startRound(raft: RoundState): void {
  raft.leadership.startRound(raft.nowMs, raft.options.heartbeatMs);
  for (const [id, progress] of raft.leadership.progress) {
    if (progress.certified) sendHeartbeat(raft, id, progress);
    else sendProbe(raft, id, progress);
  }
  confirmReads(raft);
}

/** Releases reads that a quorum's answers confirm, and starts the round that the others wait for. */
export function confirmReads(raft: RoundState): void {
  if (raft.reads.length > 0 && raft.commitIndex >= raft.leadership.termStartIndex) releaseConfirmed(raft);
}

function releaseConfirmed(raft: RoundState): void {
  const { leadership, reads } = raft;
  const confirmed = quorumValue(raft.roster.configuration, (id) =>
    id === raft.id ? leadership.round : (leadership.progress.get(id)?.round ?? 0),
  );
  const { released, wantedRound } = reads.release(confirmed, leadership.round + 1);
  const roundUnderWay = leadership.round > confirmed;
  if (wantedRound > leadership.round && (released || !roundUnderWay)) startRound(raft);
}
