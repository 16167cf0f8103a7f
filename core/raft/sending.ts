/** What a leader sends to a follower: entries, as many as flow control allows, chunks of a snapshot, heartbeats. */
import { Halt } from "./assert.ts";
import { LIMITS } from "./limits.ts";
import type { Progress } from "./progress.ts";
import type { Entry, NodeId } from "./records.ts";
import { beginTransfer, sendChunks } from "./snapshot-sending.ts";
import { header } from "./state.ts";
import type { Sender } from "./views.ts";

export function broadcastAppend(raft: Sender): void {
  for (const [id, progress] of raft.leadership.progress) sendAppends(raft, id, progress);
}

/** Sends as many entries as flow control allows, or chunks where the entries are compacted away. */
export function sendAppends(raft: Sender, to: NodeId, progress: Progress): void {
  if (progress.mode === "snapshot") {
    sendChunks(raft, to, progress);
    return;
  }
  do {
    if (progress.mode === "probe" ? progress.probing : !progress.mayPipeline(raft.options)) return;
    const prevIndex = progress.next - 1;
    if (raft.log.termAt(prevIndex) === null) {
      beginTransfer(raft, to, progress);
      return;
    }
    const entries = raft.log.take(progress.next, raft.options.maxAppendBytes, LIMITS.entriesPerAppend);
    const last = entries[entries.length - 1];
    if (last === undefined && progress.mode === "replicate") return;
    sendEntries(raft, to, progress, prevIndex, entries);
    if (progress.mode === "probe") {
      progress.probing = true;
      progress.oldestSentMs = raft.nowMs;
      return;
    }
    if (last !== undefined) progress.sent(last.index, sizeOf(entries), raft.nowMs);
  } while (progress.next <= raft.log.lastIndex);
}

export function sendEntries(
  raft: Sender,
  to: NodeId,
  progress: Progress,
  prevIndex: number,
  entries: readonly Entry[],
): void {
  const prevTerm = raft.log.termAt(prevIndex);
  const prevChain = raft.log.chainAt(prevIndex);
  if (prevTerm === null || prevChain === null) throw new Halt(`append after ${prevIndex}, which is not in the log`);
  raft.outbox.send({
    type: "append",
    ...header(raft, to, raft.term),
    prevIndex,
    prevTerm,
    prevChain,
    entries,
    commit: raft.commitIndex,
    certificate: progress.certified ? null : raft.recognized,
  });
}

function sizeOf(entries: readonly Entry[]): number {
  let bytes = 0;
  for (const entry of entries) bytes += entry.data.length;
  return bytes;
}

export function sendHeartbeat(raft: Sender, to: NodeId, progress: Progress): void {
  const commit = Math.min(progress.match, raft.commitIndex);
  progress.commitSent = commit;
  raft.outbox.send({
    type: "heartbeat",
    clusterId: raft.clusterId,
    incarnation: raft.incarnation,
    from: raft.id,
    to,
    term: raft.term,
    commit,
    round: raft.leadership.round,
  });
}

/**
 * An append without entries that carries the election certificate, for a follower that has not acknowledged this
 * leader yet.
 */
export function sendProbe(raft: Sender, to: NodeId, progress: Progress): void {
  const at = raft.log.termAt(progress.next - 1) === null ? raft.log.firstIndex - 1 : progress.next - 1;
  sendEntries(raft, to, progress, at, []);
}

/**
 * Followers learn the commit index with their next append. One for which none is due gets a heartbeat at once, since
 * clients may wait there.
 */
export function tellCommit(raft: Sender, to: NodeId, progress: Progress): void {
  const idle = progress.mode === "replicate" && progress.inflight === 0 && progress.next > raft.log.lastIndex;
  if (idle && progress.certified && Math.min(progress.match, raft.commitIndex) > progress.commitSent) {
    sendHeartbeat(raft, to, progress);
  }
}
