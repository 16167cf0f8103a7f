/** A follower's side of replication (thesis 3.5): appends and heartbeats from the leader. */
import { mark } from "../marks.ts";
import { Halt } from "./assert.ts";
import { type CertificateChecker, isFromLeader } from "./certificates.ts";
import { decodeConfigurationRecord } from "./codec/index.ts";
import { endorsementFor } from "./endorsements.ts";
import type { RaftLog } from "./log.ts";
import type { Append, AppendResponse, Heartbeat } from "./messages.ts";
import type { Outbox } from "./outbox.ts";
import type { Digest, Entry } from "./records.ts";
import type { Roster } from "./roster.ts";
import type { RaftState } from "./state.ts";
import type { StateView } from "./views.ts";

/** Changes the log as its leader says. */
interface FollowerState
  extends CertificateChecker,
    Pick<RaftState, "wallMs" | "heardLeader" | "commitTo" | "matchTo" | "truncateAfter"> {
  readonly log: StateView["log"] & Pick<RaftLog, "append">;
  readonly roster: CertificateChecker["roster"] & Pick<Roster, "place">;
  readonly outbox: Pick<Outbox, "send" | "sendTo" | "sendDurably">;
}

export function handleAppend(raft: FollowerState, message: Append): void {
  if (message.term < raft.term) {
    mark("replication/append-of-former-term");
    respond(raft, message, "staleTerm", message.prevIndex, "", 0, 0);
    return;
  }
  if (!isFromLeader(raft, message, message.certificate)) {
    mark("replication/append-uncertified");
    respond(raft, message, "uncertified", message.prevIndex, "", 0, 0);
    return;
  }
  raft.heardLeader();
  const { log } = raft;
  const { prevIndex, entries } = message;
  const lastNew = prevIndex + entries.length;

  const previous = log.termAt(prevIndex);
  if (previous === null && prevIndex < log.firstIndex) {
    mark("replication/append-from-compacted-part");
    // It begins in the compacted part. All of that is committed, so it agrees with any leader; only entries after it
    // are compared.
    const later = entries.filter((entry) => entry.index >= log.firstIndex);
    if (!acceptEntries(raft, message, later, log.firstIndex, log.chainAt(log.firstIndex - 1) ?? "")) return;
    matched(raft, message, Math.max(lastNew, raft.commitIndex));
    return;
  }
  if (previous !== message.prevTerm || log.chainAt(prevIndex) !== message.prevChain) {
    if (previous === message.prevTerm && saidTwoThings(raft, message, prevIndex, previous, message.prevChain)) return;
    // Committed here, and an elected leader has another entry: one of the two logs is damaged, and consensus cannot
    // repair that.
    if (prevIndex <= raft.commitIndex) haltOnTruncation(raft, message, prevIndex);
    const hint = log.lastAtOrBefore(prevIndex - 1, message.prevTerm);
    respond(raft, message, "mismatch", prevIndex, "", hint.index, hint.term);
    return;
  }
  if (!acceptEntries(raft, message, entries, prevIndex + 1, message.prevChain)) return;
  matched(raft, message, lastNew);
}

/**
 * Appends entries after one that agrees. Entries that are here already stay: a late, shorter append never cuts off a
 * matching tail.
 */
function acceptEntries(
  raft: FollowerState,
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
        mark("replication/truncated");
        raft.truncateAfter(entry.index - 1);
      }
      log.append(entry);
      if (entry.kind === "configuration") raft.roster.place(entry);
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

function matched(raft: FollowerState, message: Append, index: number): void {
  raft.matchTo(Math.min(index, raft.log.lastIndex));
  // No further than this append reaches: a faulty leader may have sent other entries earlier.
  commitAsFollower(raft, Math.min(message.commit, index));
  respond(raft, message, "matched", raft.matchedIndex, raft.log.chainAt(raft.matchedIndex) ?? "", 0, 0);
}

function respond(
  raft: FollowerState,
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
  if (outcome === "matched") raft.outbox.sendDurably(response);
  else raft.outbox.send(response);
}

function malformed(raft: FollowerState, message: Append, reason: string): false {
  raft.admission.report(`malformedAppend ${message.from} ${message.term}`, {
    kind: "malformedAppend",
    from: message.from,
    term: message.term,
    reason,
  });
  raft.admission.evict(message.from);
  return false;
}

/**
 * Keeps evidence of two contents for one (index, term). Returns whether the sender made both: it leads that term, so
 * the entry here came from it too. Otherwise an earlier leader or a disk was faulty, and the conflict is resolved
 * like any other.
 */
function saidTwoThings(raft: FollowerState, message: Append, index: number, term: number, theirs: Digest): boolean {
  const ours = raft.log.chainAt(index) ?? "";
  raft.admission.report(`twoContents ${message.from} ${term}`, {
    kind: "twoContents",
    from: message.from,
    index,
    term,
    ours,
    theirs,
  });
  if (term !== message.term) return false;
  raft.admission.evict(message.from);
  return true;
}

function haltOnTruncation(raft: FollowerState, message: Append, index: number): never {
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

function commitAsFollower(raft: FollowerState, index: number): void {
  if (index > raft.commitIndex) raft.commitTo(index);
}

export function handleHeartbeat(raft: FollowerState, message: Heartbeat): void {
  const recognized = isFromLeader(raft, message, null);
  // After a restart this node knows its leader, but not up to where its log agrees with that leader: the leader has
  // to probe once more.
  if (recognized && raft.matchedIndex < message.commit) mark("replication/restarted-behind-heartbeat");
  const certified = recognized && raft.matchedIndex >= message.commit;
  if (recognized) {
    raft.heardLeader();
    commitAsFollower(raft, Math.min(message.commit, raft.matchedIndex));
  }
  raft.outbox.send({
    type: "heartbeatResponse",
    clusterId: raft.clusterId,
    incarnation: raft.incarnation,
    from: raft.id,
    to: message.from,
    term: raft.term,
    round: message.round,
    certified,
    proof: raft.term > message.term ? raft.proof : null,
    wallMs: raft.wallMs,
  });
}
