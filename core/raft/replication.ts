/** How entries travel and commit (thesis 3.5, 3.6, 10.2), and the leader's clock: heartbeats, check-quorum. */

import { Halt } from "./assert.ts";
import { followProof, isFromLeader } from "./certificates.ts";
import { decodeConfigurationRecord } from "./codec/index.ts";
import { continueTransfer, header, syncProgress } from "./election.ts";
import { LIMITS } from "./limits.ts";
import { changeCommitted, endorsementFor, promoteLearners, recordEndorsement } from "./membership.ts";
import type { Append, AppendResponse, Heartbeat, HeartbeatResponse } from "./messages.ts";
import type { Progress } from "./progress.ts";
import { quorumValue } from "./quorum.ts";
import type { Raft } from "./raft.ts";
import { confirmReads } from "./reads.ts";
import { beginTransfer, resendChunks, sendChunks } from "./transfer.ts";
import { type Digest, type Entry, type EntryKind, NOBODY, type NodeId } from "./types.ts";

// ---- The leader's clock

/** At each heartbeat's time: still a quorum behind it? Then the next round. */
export function leaderTick(raft: Raft): void {
  const heardMs = quorumValue(raft.configuration, (id) =>
    id === raft.id ? raft.nowMs : (raft.progress.get(id)?.lastHeardMs ?? Number.NEGATIVE_INFINITY),
  );
  if (raft.nowMs - heardMs >= raft.options.electionTimeoutMs) {
    raft.becomeFollower(NOBODY);
    return;
  }
  if (raft.transferring !== null && raft.nowMs >= raft.transferring.deadlineMs) {
    // An order to take over that has left may still be followed, however late: no lease any more in this term.
    raft.leaseBlocked ||= raft.transferring.sent;
    raft.transferring = null;
  }
  promoteLearners(raft);
  startRound(raft);
}

/** Speaks to everyone, so that a quorum's answers prove leadership as of now. */
export function startRound(raft: Raft): void {
  raft.round++;
  raft.roundSentMs[raft.round & 63] = raft.nowMs;
  raft.heartbeatDeadlineMs = raft.nowMs + raft.options.heartbeatMs;
  for (const [id, progress] of raft.progress) {
    if (progress.certified) sendHeartbeat(raft, id, progress);
    else sendProbe(raft, id, progress);
  }
  confirmReads(raft);
}

function sendHeartbeat(raft: Raft, to: NodeId, progress: Progress): void {
  const commit = Math.min(progress.match, raft.commitIndex);
  progress.commitSent = commit;
  raft.send({
    type: "heartbeat",
    clusterId: raft.clusterId,
    incarnation: raft.incarnation,
    from: raft.id,
    to,
    term: raft.term,
    commit,
    round: raft.round,
  });
}

/** An append without entries that carries the election: to one that has not acknowledged this leader yet. */
function sendProbe(raft: Raft, to: NodeId, progress: Progress): void {
  const at = raft.log.termAt(progress.next - 1) === null ? raft.log.firstIndex - 1 : progress.next - 1;
  sendEntries(raft, to, progress, at, []);
}

// ---- Sending

export function broadcastAppend(raft: Raft): void {
  for (const [id, progress] of raft.progress) sendAppends(raft, id, progress);
}

/** As much as flow control allows. */
export function sendAppends(raft: Raft, to: NodeId, progress: Progress): void {
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

function sendEntries(raft: Raft, to: NodeId, progress: Progress, prevIndex: number, entries: readonly Entry[]): void {
  const prevTerm = raft.log.termAt(prevIndex);
  const prevChain = raft.log.chainAt(prevIndex);
  if (prevTerm === null || prevChain === null) throw new Halt(`append after ${prevIndex}, which is not in the log`);
  raft.send({
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

/** Puts new entries into the leader's log and on their way; the leader's own disk writes them meanwhile (thesis 10.2.1). */
export function appendAsLeader(raft: Raft, kind: EntryKind, data: readonly Uint8Array[]): Entry[] {
  const entries = data.map((bytes) => raft.log.create(raft.term, kind, bytes));
  for (const entry of entries) {
    raft.uncommittedBytes += entry.data.length;
    if (kind === "configuration") {
      raft.place(entry);
      syncProgress(raft);
    }
  }
  raft.matchedIndex = raft.log.lastIndex;
  broadcastAppend(raft);
  return entries;
}

// ---- Committing

/** Commits what a quorum holds durably, if the last of it is of this term (paper 5.4.2, figure 8). */
export function advanceCommit(raft: Raft): void {
  if (raft.role !== "leader") return;
  const reached = quorumValue(raft.configuration, (id) =>
    id === raft.id ? raft.log.stableIndex : (raft.progress.get(id)?.match ?? 0),
  );
  if (reached <= raft.commitIndex || raft.log.termAt(reached) !== raft.term) return;
  for (let index = raft.commitIndex + 1; index <= reached; index++) {
    raft.uncommittedBytes -= raft.log.entryAt(index)?.data.length ?? 0;
  }
  const before = raft.commitIndex;
  raft.commitIndex = reached;
  raft.pruneConfigurations();
  if (raft.latest.index > before) changeCommitted(raft);
  confirmReads(raft);
  for (const [id, progress] of raft.progress) tellCommit(raft, id, progress);
}

/** Followers learn of a commit with their next append. Whoever has none coming is told at once, since clients wait there too. */
function tellCommit(raft: Raft, to: NodeId, progress: Progress): void {
  const idle = progress.mode === "replicate" && progress.inflight === 0 && progress.next > raft.log.lastIndex;
  if (idle && progress.certified && Math.min(progress.match, raft.commitIndex) > progress.commitSent) {
    sendHeartbeat(raft, to, progress);
  }
}

function commitAsFollower(raft: Raft, index: number): void {
  if (index <= raft.commitIndex) return;
  raft.commitIndex = index;
  raft.pruneConfigurations();
}

// ---- The follower's side

export function handleAppend(raft: Raft, message: Append): void {
  if (message.term < raft.term) {
    respond(raft, message, "staleTerm", message.prevIndex, "", 0, 0);
    return;
  }
  if (!isFromLeader(raft, message, message.certificate)) {
    respond(raft, message, "uncertified", message.prevIndex, "", 0, 0);
    return;
  }
  raft.heardLeader();
  const { log } = raft;
  const { prevIndex, entries } = message;
  const lastNew = prevIndex + entries.length;

  const previous = log.termAt(prevIndex);
  if (previous === null && prevIndex < log.firstIndex) {
    // From before the compacted part: all of that is committed, so it agrees with any leader. What comes after it, if anything, is looked at.
    const later = entries.filter((entry) => entry.index >= log.firstIndex);
    if (!acceptEntries(raft, message, later, log.firstIndex, log.chainAt(log.firstIndex - 1) ?? "")) return;
    matched(raft, message, Math.max(lastNew, raft.commitIndex));
    return;
  }
  if (previous !== message.prevTerm || log.chainAt(prevIndex) !== message.prevChain) {
    if (previous === message.prevTerm && saidTwoThings(raft, message, prevIndex, previous, message.prevChain)) return;
    // Committed here, and an elected leader has something else: one of the two is damaged beyond what consensus can mend.
    if (prevIndex <= raft.commitIndex) haltOnTruncation(raft, message, prevIndex);
    const hint = log.lastAtOrBefore(prevIndex - 1, message.prevTerm);
    respond(raft, message, "mismatch", prevIndex, "", hint.index, hint.term);
    return;
  }
  if (!acceptEntries(raft, message, entries, prevIndex + 1, message.prevChain)) return;
  matched(raft, message, lastNew);
}

/** Takes over entries after a known one. Entries held already stay: a late, shorter append never cuts a tail that agrees. */
function acceptEntries(
  raft: Raft,
  message: Append,
  entries: readonly Entry[],
  firstIndex: number,
  previousChain: Digest,
): boolean {
  const { log } = raft;
  let chain = previousChain;
  let expected = firstIndex;
  let term = raft.log.termAt(firstIndex - 1) ?? 0;
  for (const entry of entries) {
    if (entry.index !== expected || entry.term < term || entry.term > message.term) {
      return malformed(raft, message, `entry ${entry.index} of term ${entry.term} is out of order`);
    }
    if (log.chainAt(entry.index) !== entry.chain) {
      if (!log.follows(chain, entry))
        return malformed(raft, message, `entry ${entry.index} does not follow from its predecessor`);
      if (entry.kind === "configuration" && !isConfiguration(entry)) {
        return malformed(raft, message, `configuration entry ${entry.index} cannot be read`);
      }
      const here = log.termAt(entry.index);
      if (here !== null) {
        if (here === entry.term && saidTwoThings(raft, message, entry.index, here, entry.chain)) return false;
        if (entry.index <= raft.commitIndex) haltOnTruncation(raft, message, entry.index);
        raft.truncateAfter(entry.index - 1);
      }
      log.append(entry);
      if (entry.kind === "configuration") raft.place(entry);
    }
    chain = entry.chain;
    term = entry.term;
    expected++;
  }
  return true;
}

function isConfiguration(entry: Entry): boolean {
  try {
    decodeConfigurationRecord(entry.data);
    return true;
  } catch {
    return false;
  }
}

function matched(raft: Raft, message: Append, index: number): void {
  raft.matchedIndex = Math.max(raft.matchedIndex, Math.min(index, raft.log.lastIndex));
  // No further than this very append reaches: what came with earlier ones may be a lying leader's other story.
  commitAsFollower(raft, Math.min(message.commit, index));
  respond(raft, message, "matched", raft.matchedIndex, raft.log.chainAt(raft.matchedIndex) ?? "", 0, 0);
}

function respond(
  raft: Raft,
  message: Append,
  outcome: AppendResponse["outcome"],
  matchIndex: number,
  matchChain: Digest,
  hintIndex: number,
  hintTerm: number,
): void {
  const response: AppendResponse = {
    type: "appendResponse",
    clusterId: raft.clusterId,
    incarnation: raft.incarnation,
    from: raft.id,
    to: message.from,
    term: raft.term,
    outcome,
    matchIndex,
    matchChain,
    hintIndex,
    hintTerm,
    proof: outcome === "staleTerm" ? raft.proof : null,
    endorsement: outcome === "matched" ? endorsementFor(raft, matchIndex) : null,
  };
  if (outcome === "matched") raft.sendDurably(response);
  else raft.send(response);
}

function malformed(raft: Raft, message: Append, reason: string): false {
  raft.report(`malformedAppend ${message.from} ${message.term}`, {
    kind: "malformedAppend",
    from: message.from,
    term: message.term,
    reason,
  });
  raft.evict(message.from);
  return false;
}

/**
 * Keeps evidence of two contents for one (index, term). Returns whether the sender itself said both: it leads that very term, so what is here came from
 * it too. Otherwise an earlier leader lied, or a disk did, and which content stands is decided like any other conflict.
 */
function saidTwoThings(raft: Raft, message: Append, index: number, term: number, theirs: Digest): boolean {
  const ours = raft.log.chainAt(index) ?? "";
  raft.report(`twoContents ${message.from} ${term}`, {
    kind: "twoContents",
    from: message.from,
    index,
    term,
    ours,
    theirs,
  });
  if (term !== message.term) return false;
  raft.evict(message.from);
  return true;
}

function haltOnTruncation(raft: Raft, message: Append, index: number): never {
  throw new Halt(
    `node ${message.from}, elected in term ${message.term}, has another entry ${index} than is committed here`,
    {
      kind: "truncateCommitted",
      from: message.from,
      index,
      commit: raft.commitIndex,
    },
  );
}

export function handleHeartbeat(raft: Raft, message: Heartbeat): void {
  const recognized = isFromLeader(raft, message, null);
  // After a restart the leader is still known, but not how far this log agrees with it: then it has to be asked once more.
  const certified = recognized && raft.matchedIndex >= message.commit;
  if (recognized) {
    raft.heardLeader();
    commitAsFollower(raft, Math.min(message.commit, raft.matchedIndex));
  }
  raft.send({
    type: "heartbeatResponse",
    clusterId: raft.clusterId,
    incarnation: raft.incarnation,
    from: raft.id,
    to: message.from,
    term: raft.term,
    round: message.round,
    certified,
    proof: raft.term > message.term ? raft.proof : null,
  });
}

// ---- The leader's side of the answers

export function handleHeartbeatResponse(raft: Raft, message: HeartbeatResponse): void {
  if (message.term > raft.term) {
    followProof(raft, message, message.proof);
    return;
  }
  const progress = raft.progress.get(message.from);
  if (raft.role !== "leader" || progress === undefined) return;
  if (message.term < raft.term || !message.certified) {
    progress.certified = false;
    resendChunks(raft, message.from, progress);
    return;
  }
  // Only who follows this leader keeps it in office.
  progress.lastHeardMs = raft.nowMs;
  if (message.round > progress.round && message.round <= raft.round && message.round > raft.round - 64) {
    progress.round = message.round;
    progress.roundSentMs = raft.roundSentMs[message.round & 63] ?? Number.NEGATIVE_INFINITY;
    confirmReads(raft);
  }
  // What was sent two heartbeats ago and is not answered was lost, or its answer was: start over from what is known.
  if (progress.match >= raft.log.lastIndex && progress.mode !== "snapshot") return;
  const overdue = raft.nowMs - progress.oldestSentMs >= 2 * raft.options.heartbeatMs;
  if (progress.mode === "probe" && (overdue || !progress.probing)) {
    progress.probing = false;
    sendAppends(raft, message.from, progress);
  } else if (progress.mode === "replicate") {
    if (progress.inflight > 0 && overdue) progress.becomeProbe(progress.match + 1);
    sendAppends(raft, message.from, progress);
  } else {
    resendChunks(raft, message.from, progress);
  }
}

export function handleAppendResponse(raft: Raft, message: AppendResponse): void {
  if (message.term > raft.term) {
    followProof(raft, message, message.proof);
    return;
  }
  const progress = raft.progress.get(message.from);
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
      // It knows this leader, or it would not have compared.
      progress.certified = true;
      progress.lastHeardMs = raft.nowMs;
      // Answers to appends from before a successful one say nothing new, nor do those to probes before the last.
      if (message.matchIndex <= progress.match || progress.mode === "snapshot") return;
      if (progress.mode === "replicate" || progress.next - 1 === message.matchIndex) {
        const agreed = raft.log.lastAtOrBefore(message.hintIndex, message.hintTerm).index;
        // Where it may agree can lie before what this log still holds; then it needs the snapshot.
        progress.becomeProbe(Math.max(Math.min(agreed, message.hintIndex), progress.match) + 1);
      } else if (progress.next - 1 < message.matchIndex) {
        // The certificate went out after another entry than the next one; now the probe itself can.
        progress.probing = false;
      }
      sendAppends(raft, message.from, progress);
      return;
    case "matched":
      if (message.term === raft.term) handleMatched(raft, message, progress);
      return;
  }
}

function handleMatched(raft: Raft, message: AppendResponse, progress: Progress): void {
  const { matchIndex } = message;
  const ours = raft.log.chainAt(matchIndex);
  if (matchIndex > raft.log.lastIndex || (ours !== null && ours !== message.matchChain)) {
    raft.report(`lyingAcknowledgement ${message.from} ${raft.term}`, {
      kind: "lyingAcknowledgement",
      from: message.from,
      index: matchIndex,
      reason: ours === null ? "there is no such entry" : "its history there is another",
    });
    raft.evict(message.from);
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
