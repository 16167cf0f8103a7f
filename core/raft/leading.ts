/** A leader's side of replication (thesis 3.5): its clock, and what followers answer. */
import { mark } from "../marks.ts";
import { followProof } from "./certificates.ts";
import { advanceCommit, type CommitState } from "./commit.ts";
import type { Leadership } from "./leadership.ts";
import { continueTransfer } from "./leadership-transfer.ts";
import { promoteLearners, recordEndorsement } from "./membership.ts";
import type { AppendResponse, HeartbeatResponse, SnapshotResponse } from "./messages.ts";
import type { PeerClocks } from "./peer-clocks.ts";
import type { Progress } from "./progress.ts";
import { quorumValue } from "./quorum.ts";
import { NOBODY } from "./records.ts";
import { confirmReads, startRound } from "./rounds.ts";
import { sendAppends, tellCommit } from "./sending.ts";
import { resendChunks, sendChunks } from "./snapshot-sending.ts";

/** Leads: all that its followers' answers change. */
interface LeaderState extends CommitState {
  readonly leadership: CommitState["leadership"] & Pick<Leadership, "giveUpTransfer">;
  readonly clocks: Pick<PeerClocks, "heard">;
}

/**
 * Once every heartbeat interval. Check-quorum first: a leader that has not heard a quorum for an election time-out
 * steps down. Then the next round.
 */
export function leaderTick(raft: LeaderState): void {
  const heardMs = quorumValue(raft.roster.configuration, (id) =>
    id === raft.id ? raft.nowMs : (raft.leadership.progress.get(id)?.lastHeardMs ?? Number.NEGATIVE_INFINITY),
  );
  if (raft.nowMs - heardMs >= raft.options.electionTimeoutMs) {
    mark("lease/check-quorum-failed");
    raft.becomeFollower(NOBODY);
    return;
  }
  const { transferring } = raft.leadership;
  if (transferring !== null && raft.nowMs >= transferring.deadlineMs) {
    mark("transfer/given-up");
    raft.leadership.giveUpTransfer();
  }
  promoteLearners(raft);
  startRound(raft);
}

export function handleHeartbeatResponse(raft: LeaderState, message: HeartbeatResponse): void {
  if (message.term > raft.term) {
    followProof(raft, message, message.proof);
    return;
  }
  const progress = raft.leadership.progress.get(message.from);
  if (raft.role !== "leader" || progress === undefined) return;
  if (message.term < raft.term || !message.certified) {
    progress.certified = false;
    resendChunks(raft, message.from, progress);
    return;
  }
  // Only followers of this leader count for check-quorum.
  progress.lastHeardMs = raft.nowMs;
  const sentMs = raft.leadership.sentMsOf(message.round);
  if (message.round > progress.round && sentMs !== null) {
    progress.round = message.round;
    progress.roundSentMs = sentMs;
    // An answer that was overtaken by a later one tells of the past.
    raft.clocks.heard(message.from, message.wallMs, raft.nowMs);
    confirmReads(raft);
  }
  // What was sent two heartbeats ago and is not answered was lost, or its answer was: send again from what is known
  // to match.
  if (progress.match >= raft.log.lastIndex && progress.mode !== "snapshot") return;
  const overdue = raft.nowMs - progress.oldestSentMs >= 2 * raft.options.heartbeatMs;
  if (progress.mode === "probe" && (overdue || !progress.probing)) {
    progress.probing = false;
    sendAppends(raft, message.from, progress);
  } else if (progress.mode === "replicate") {
    if (progress.inflight > 0 && overdue) {
      mark("replication/pipeline-lost");
      progress.becomeProbe(progress.match + 1);
    }
    sendAppends(raft, message.from, progress);
  } else {
    resendChunks(raft, message.from, progress);
  }
}

export function handleAppendResponse(raft: LeaderState, message: AppendResponse): void {
  if (message.term > raft.term) {
    followProof(raft, message, message.proof);
    return;
  }
  const progress = raft.leadership.progress.get(message.from);
  if (raft.role !== "leader" || progress === undefined) return;
  switch (message.outcome) {
    case "staleTerm":
      return;
    case "uncertified":
      progress.certified = false;
      if (progress.mode === "replicate") progress.becomeProbe(progress.match + 1);
      else progress.probing = false;
      return;
    case "mismatch":
      if (message.term !== raft.term) return;
      // It knows this leader: otherwise it would not have compared.
      progress.certified = true;
      progress.lastHeardMs = raft.nowMs;
      // An answer to an append before the last match says nothing new, nor does one to an earlier probe.
      if (message.matchIndex <= progress.match || progress.mode === "snapshot") return;
      if (progress.mode === "replicate" && !progress.goesBack(raft.nowMs, raft.options.heartbeatMs)) return;
      if (progress.mode === "replicate" || progress.next - 1 === message.matchIndex) {
        mark("replication/log-mismatch");
        const agreed = raft.log.lastAtOrBefore(message.hintIndex, message.hintTerm).index;
        // The index where they may agree can be compacted here; then the follower needs the snapshot.
        progress.becomeProbe(Math.max(Math.min(agreed, message.hintIndex), progress.match) + 1);
      } else if (progress.next - 1 < message.matchIndex) {
        // The append that carried the certificate was sent after another entry than the probe is for. Now the probe
        // can be sent.
        progress.probing = false;
      }
      sendAppends(raft, message.from, progress);
      return;
    case "matched":
      if (message.term === raft.term) handleMatched(raft, message, progress);
      return;
  }
}

function handleMatched(raft: LeaderState, message: AppendResponse, progress: Progress): void {
  const { matchIndex } = message;
  const ours = raft.log.chainAt(matchIndex);
  if (matchIndex > raft.log.lastIndex || (ours !== null && ours !== message.matchChain)) {
    raft.admission.report(`lyingAcknowledgement ${message.from} ${raft.term}`, {
      kind: "lyingAcknowledgement",
      from: message.from,
      index: matchIndex,
      reason: ours === null ? "there is no such entry" : "its history there is another",
    });
    raft.admission.evict(message.from);
    return;
  }
  progress.certified = true;
  progress.lastHeardMs = raft.nowMs;
  if (message.endorsement !== null) recordEndorsement(raft, message.from, message.endorsement);
  const news = progress.acknowledged(matchIndex, raft.nowMs);
  if (
    progress.mode === "probe" ||
    (progress.mode === "snapshot" && matchIndex >= (progress.transfer?.snapshot.meta.index ?? 0))
  ) {
    progress.becomeReplicate();
  }
  if (news) {
    advanceCommit(raft);
    continueTransfer(raft);
  }
  if (raft.role !== "leader") return;
  sendAppends(raft, message.from, progress);
  tellCommit(raft, message.from, progress);
}

export function handleSnapshotResponse(raft: LeaderState, message: SnapshotResponse): void {
  if (message.term > raft.term) {
    followProof(raft, message, message.proof);
    return;
  }
  const progress = raft.leadership.progress.get(message.from);
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
        // It has restarted, and the chunks that it held are gone. Or this is an old answer: going back then costs a
        // few chunks, at most once in a heartbeat interval.
        if (raft.nowMs - transfer.rewoundAtMs < raft.options.heartbeatMs) return;
        mark("snapshot/rewound");
        transfer.rewoundAtMs = raft.nowMs;
        transfer.sent = message.nextSequence;
      }
      transfer.acknowledged = message.nextSequence;
      transfer.sent = Math.max(transfer.sent, transfer.acknowledged);
      sendChunks(raft, message.from, progress);
      return;
    case "damaged":
      mark("snapshot/damaged");
      // Start over with the latest snapshot, when the follower next answers a heartbeat.
      progress.becomeSnapshot(raft.snapshot, raft.nowMs);
      return;
    case "installed":
      mark("snapshot/transferred");
      progress.certified = true;
      progress.acknowledged(message.index, raft.nowMs);
      progress.becomeReplicate();
      advanceCommit(raft);
      if (raft.role === "leader") sendAppends(raft, message.from, progress);
      return;
  }
}
