/**
 * A leader's side of a snapshot (thesis 5), for a follower whose next entry is compacted away. Chunks are sent a few
 * at a time; each is acknowledged, so that after a loss or a change of leader the transfer continues where it
 * stopped.
 */
import { mark } from "../marks.ts";
import type { Progress } from "./progress.ts";
import type { NodeId } from "./records.ts";
import { header } from "./state.ts";
import type { Sender } from "./views.ts";

const CHUNKS_IN_FLIGHT = 4;

export function beginTransfer(raft: Sender, to: NodeId, progress: Progress): void {
  progress.becomeSnapshot(raft.snapshot, raft.nowMs);
  sendChunks(raft, to, progress);
}

export function sendChunks(raft: Sender, to: NodeId, progress: Progress): void {
  const { transfer } = progress;
  if (transfer === null) return;
  const { meta, chunks } = transfer.snapshot;
  while (transfer.sent < meta.chunkCount && transfer.sent < transfer.acknowledged + CHUNKS_IN_FLIGHT) {
    const bytes = chunks[transfer.sent];
    if (bytes === undefined) return;
    raft.outbox.send({
      type: "snapshotChunk",
      ...header(raft, to, raft.term),
      meta,
      sequence: transfer.sent,
      bytes,
      certificate: progress.certified ? null : raft.recognized,
    });
    transfer.sent++;
    transfer.sentAtMs = raft.nowMs;
  }
}

/**
 * Sends chunks again that were sent two heartbeats ago and are not acknowledged: they were lost, or the
 * acknowledgement was.
 */
export function resendChunks(raft: Sender, to: NodeId, progress: Progress): void {
  const { transfer } = progress;
  if (transfer === null || raft.nowMs - transfer.sentAtMs < 2 * raft.options.heartbeatMs) return;
  mark("snapshot/chunks-resent");
  transfer.sent = transfer.acknowledged;
  sendChunks(raft, to, progress);
}
