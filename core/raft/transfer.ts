/**
 * Snapshots to followers whose next entry is compacted away (thesis 5): in chunks, a few in flight, each acknowledged, so that a lost one or a new leader
 * with the same snapshot goes on where it stopped.
 */
import { followProof, isFromLeader } from "./certificates.ts";
import { header } from "./election.ts";
import type { SnapshotChunk, SnapshotResponse } from "./messages.ts";
import type { Progress } from "./progress.ts";
import type { Raft } from "./raft.ts";
import { advanceCommit, sendAppends } from "./replication.ts";
import { snapshotDigest } from "./statements.ts";
import { NOBODY, type NodeId, type Snapshot, type SnapshotMeta } from "./types.ts";

const CHUNKS_IN_FLIGHT = 4;

export function beginTransfer(raft: Raft, to: NodeId, progress: Progress): void {
  progress.becomeSnapshot(raft.snapshot, raft.nowMs);
  sendChunks(raft, to, progress);
}

export function sendChunks(raft: Raft, to: NodeId, progress: Progress): void {
  const { transfer } = progress;
  if (transfer === null) return;
  const { meta, chunks } = transfer.snapshot;
  while (transfer.sent < meta.chunkCount && transfer.sent < transfer.acknowledged + CHUNKS_IN_FLIGHT) {
    const bytes = chunks[transfer.sent];
    if (bytes === undefined) return;
    raft.send({
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

/** What left two heartbeats ago and is not acknowledged was lost, or its acknowledgement was. */
export function resendChunks(raft: Raft, to: NodeId, progress: Progress): void {
  const { transfer } = progress;
  if (transfer === null || raft.nowMs - transfer.sentAtMs < 2 * raft.options.heartbeatMs) return;
  transfer.sent = transfer.acknowledged;
  sendChunks(raft, to, progress);
}

export function handleSnapshotChunk(raft: Raft, message: SnapshotChunk): void {
  const { meta } = message;
  if (message.term < raft.term) {
    respond(raft, message, "staleTerm", 0);
    return;
  }
  if (!isFromLeader(raft, message, message.certificate)) {
    respond(raft, message, "uncertified", 0);
    return;
  }
  raft.heardLeader();
  if (meta.index <= raft.commitIndex) {
    respond(raft, message, "installed", meta.chunkCount);
    return;
  }
  const { incoming } = raft;
  if (incoming?.meta.digest !== meta.digest || incoming.meta.index !== meta.index) {
    raft.incoming = { meta, chunks: [], from: message.from };
  } else if (incoming.from !== message.from) {
    // It goes on where another leader stopped. Should the whole not fit, neither can be accused.
    raft.incoming = { ...incoming, from: NOBODY };
  }
  if (raft.incoming === null) return;
  const { chunks } = raft.incoming;
  if (message.sequence === chunks.length && chunks.length < meta.chunkCount) chunks.push(message.bytes);
  if (chunks.length < meta.chunkCount) {
    respond(raft, message, "wanted", chunks.length);
    return;
  }
  const sender = raft.incoming.from;
  raft.incoming = null;
  const flaw = flawOf(raft, meta, chunks);
  if (flaw !== null) {
    if (sender !== NOBODY) {
      raft.report(`forgedSnapshot ${sender} ${meta.index}`, {
        kind: "forgedSnapshot",
        from: sender,
        index: meta.index,
        reason: flaw,
      });
    }
    respond(raft, message, "damaged", 0);
    return;
  }
  install(raft, { clusterId: raft.clusterId, incarnation: raft.incarnation, meta, chunks });
  respond(raft, message, "installed", meta.chunkCount);
}

function flawOf(raft: Raft, meta: SnapshotMeta, chunks: readonly Uint8Array[]): string | null {
  if (snapshotDigest(raft.environment, chunks) !== meta.digest)
    return "the chunks do not have the digest that was announced";
  if (!raft.acceptsState(chunks)) return "the state machine refuses its content";
  return null;
}

function install(raft: Raft, snapshot: Snapshot): void {
  const { meta } = snapshot;
  const { log } = raft;
  // The snapshot may stand for a prefix of this very log; then what follows it is worth keeping (paper, figure 13, step 6).
  if (log.chainAt(meta.index) === meta.chain) {
    raft.saveSnapshot(snapshot, meta.index);
    log.compactTo(meta.index);
  } else {
    log.reset(meta);
    raft.saveSnapshot(snapshot, null);
  }
  raft.adoptConfiguration(meta);
  raft.commitIndex = meta.index;
  raft.matchedIndex = Math.max(raft.matchedIndex, meta.index);
  raft.installed = snapshot;
}

function respond(raft: Raft, message: SnapshotChunk, outcome: SnapshotResponse["outcome"], nextSequence: number): void {
  const response: SnapshotResponse = {
    type: "snapshotResponse",
    ...header(raft, message.from, raft.term),
    index: message.meta.index,
    nextSequence,
    outcome,
    proof: outcome === "staleTerm" ? raft.proof : null,
  };
  if (outcome === "installed") raft.sendDurably(response);
  else raft.send(response);
}

export function handleSnapshotResponse(raft: Raft, message: SnapshotResponse): void {
  if (message.term > raft.term) {
    followProof(raft, message, message.proof);
    return;
  }
  const progress = raft.progress.get(message.from);
  if (raft.role !== "leader" || progress === undefined) return;
  const { transfer } = progress;
  if (message.outcome === "uncertified") {
    progress.certified = false;
    if (transfer !== null) transfer.sent = transfer.acknowledged;
    return;
  }
  if (message.term < raft.term) return;
  progress.lastHeardMs = raft.nowMs;
  if (transfer === null || transfer.snapshot.meta.index !== message.index) return;
  switch (message.outcome) {
    case "staleTerm":
      return;
    case "wanted":
      if (message.nextSequence < transfer.acknowledged) {
        // It has started anew, and what it held is gone. Or this is an old answer: then going back costs a few chunks, now and then.
        if (raft.nowMs - transfer.rewoundAtMs < raft.options.heartbeatMs) return;
        transfer.rewoundAtMs = raft.nowMs;
        transfer.sent = message.nextSequence;
      }
      transfer.acknowledged = message.nextSequence;
      transfer.sent = Math.max(transfer.sent, transfer.acknowledged);
      sendChunks(raft, message.from, progress);
      return;
    case "damaged":
      // Start over: with whatever snapshot is the latest by now, when the follower next answers a heartbeat.
      progress.becomeSnapshot(raft.snapshot, raft.nowMs);
      return;
    case "installed":
      progress.certified = true;
      progress.acknowledged(message.index, raft.nowMs);
      progress.becomeReplicate();
      advanceCommit(raft);
      if (raft.role === "leader") sendAppends(raft, message.from, progress);
      return;
  }
}
