/**
 * Snapshots to followers whose next entry is compacted away (thesis 5): in chunks, a few in flight, each acknowledged, so that a lost one or a new leader
 * with the same snapshot goes on where it stopped.
 */
import { isFromLeader } from "./certificates.ts";
import type { SnapshotChunk, SnapshotResponse } from "./messages.ts";
import { header, type RaftState } from "./state.ts";
import { snapshotDigest } from "./statements.ts";
import { NOBODY, type Snapshot, type SnapshotMeta } from "./types.ts";

export function handleSnapshotChunk(raft: RaftState, message: SnapshotChunk): void {
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

function flawOf(raft: RaftState, meta: SnapshotMeta, chunks: readonly Uint8Array[]): string | null {
  if (snapshotDigest(raft.environment, chunks) !== meta.digest)
    return "the chunks do not have the digest that was announced";
  if (!raft.acceptsState(chunks)) return "the state machine refuses its content";
  return null;
}

function install(raft: RaftState, snapshot: Snapshot): void {
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

function respond(
  raft: RaftState,
  message: SnapshotChunk,
  outcome: SnapshotResponse["outcome"],
  nextSequence: number,
): void {
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
