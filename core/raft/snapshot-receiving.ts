/**
 * A follower's side of a snapshot (thesis 5): takes chunks, acknowledges each, and installs the whole once its digest
 * is right.
 */
import { mark } from "../marks.ts";
import { type CertificateChecker, isFromLeader } from "./certificates.ts";
import type { SnapshotChunk, SnapshotResponse } from "./messages.ts";
import type { Outbox } from "./outbox.ts";
import { NOBODY, type SnapshotMeta } from "./records.ts";
import { header, type RaftState } from "./state.ts";
import { snapshotDigest } from "./statements.ts";

/** Installs the snapshots of its leader. */
interface ReceiverState
  extends CertificateChecker,
    Pick<RaftState, "heardLeader" | "assembly" | "acceptsState" | "install"> {
  readonly outbox: Pick<Outbox, "send" | "sendTo" | "sendDurably">;
}

export function handleSnapshotChunk(raft: ReceiverState, message: SnapshotChunk): void {
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
    mark("snapshot/not-needed");
    respond(raft, message, "installed", meta.chunkCount);
    return;
  }
  const assembled = raft.assembly.add(meta, message.sequence, message.bytes, message.from);
  if ("wanted" in assembled) {
    respond(raft, message, "wanted", assembled.wanted);
    return;
  }
  const { chunks, from: sender } = assembled;
  const flaw = flawOf(raft, meta, chunks);
  if (flaw !== null) {
    if (sender !== NOBODY) {
      raft.admission.report(`forgedSnapshot ${sender} ${meta.index}`, {
        kind: "forgedSnapshot",
        from: sender,
        index: meta.index,
        reason: flaw,
      });
    }
    respond(raft, message, "damaged", 0);
    return;
  }
  mark("snapshot/installed");
  raft.install({ clusterId: raft.clusterId, incarnation: raft.incarnation, meta, chunks });
  respond(raft, message, "installed", meta.chunkCount);
}

function flawOf(raft: ReceiverState, meta: SnapshotMeta, chunks: readonly Uint8Array[]): string | null {
  if (snapshotDigest(raft.environment, chunks) !== meta.digest)
    return "the chunks do not have the digest that was announced";
  if (!raft.acceptsState(chunks)) return "the state machine refuses its content";
  return null;
}

function respond(
  raft: ReceiverState,
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
  if (outcome === "installed") raft.outbox.sendDurably(response);
  else raft.outbox.send(response);
}
