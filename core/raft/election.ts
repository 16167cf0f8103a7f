/**
 * Who leads: pre-vote (thesis 9.6), signed votes, leader stickiness (4.2.3), transfer (3.10). A candidate first
 * gathers a quorum's signed pre-votes; they are the certificate with which it, and then every other member, enters
 * the new term.
 */
import { mark } from "../marks.ts";
import type { Appender } from "./appending.ts";
import { accept, type CertificateChecker, followProof } from "./certificates.ts";
import type { Leadership } from "./leadership.ts";
import type { RequestVote, VoteResponse } from "./messages.ts";
import type { Outbox } from "./outbox.ts";
import type { PeerClocks } from "./peer-clocks.ts";
import { isQuorum } from "./quorum.ts";
import { type Certificate, NOBODY, type NodeId, type Signature } from "./records.ts";
import { type RoundState, startRound } from "./rounds.ts";
import { broadcastAppend } from "./sending.ts";
import type { SignatureSet } from "./signature-set.ts";
import { CLAIMED_TERMS_MAX, header, type RaftState } from "./state.ts";
import { transferStatement, voteStatement } from "./statements.ts";

/** Changes term, vote and role. */
export type Elector = RoundState &
  Appender &
  CertificateChecker &
  Pick<
    RaftState,
    | "wallMs"
    | "vote"
    | "campaignTerm"
    | "hearClaim"
    | "becomePreCandidate"
    | "becomeCandidate"
    | "becomeLeader"
    | "resetElectionDeadline"
  > & {
    readonly outbox: Pick<Outbox, "sendDurably" | "countVoteOnceDurable">;
    readonly leadership: Pick<Leadership, "termStartsAt">;
    readonly preVotes: SignatureSet;
    readonly votes: SignatureSet;
    readonly clocks: Pick<PeerClocks, "heard">;
  };

/** A pre-vote is given for terms that are so far beyond one that is known or proven. More than a candidate leaps. */
const UNPROVEN_TERMS_MAX = 2 * CLAIMED_TERMS_MAX;
const NO_DATA = new Uint8Array(0);

/**
 * Asks for pre-votes for a later term. `order`: the leader's signature when leadership is being transferred; it
 * counts for this campaign alone.
 */
export function campaign(raft: Elector, order: Signature = ""): void {
  mark("election/campaign");
  raft.becomePreCandidate(order);
  raft.preVotes.add(raft.id, sign(raft, "preVote", raft.campaignTerm, raft.id));
  if (order !== "") mark("election/campaign-ordered");
  if (electIfPreVoted(raft)) return;
  for (const to of otherVoters(raft)) {
    raft.outbox.send({
      type: "requestVote",
      ...header(raft, to, raft.campaignTerm),
      preVote: true,
      lastIndex: raft.log.lastIndex,
      lastTerm: raft.log.lastTerm,
      certificate: raft.proof,
      transfer: order,
    });
  }
}

function electIfPreVoted(raft: Elector): boolean {
  if (!isQuorum(raft.roster.configuration, (id) => raft.preVotes.has(id))) return false;
  const order = raft.transferOrder;
  const certificate = certificateOf(raft, "preVote", raft.campaignTerm, raft.preVotes);
  mark("election/pre-vote-won");
  raft.becomeCandidate(certificate);
  const { term } = raft;
  // The request states how long this log is. If a crash lost its end, votes for the longer log would elect the
  // shorter one.
  for (const to of otherVoters(raft)) {
    raft.outbox.sendDurably({
      type: "requestVote",
      ...header(raft, to, term),
      preVote: false,
      lastIndex: raft.log.lastIndex,
      lastTerm: raft.log.lastTerm,
      certificate,
      transfer: order,
    });
  }
  raft.outbox.countVoteOnceDurable(term);
  return true;
}

/** The vote of this node for itself in `term` is durable. Only now are others asked, so they have a whole time-out. */
export function countOwnVote(raft: Elector, term: number): void {
  if (raft.role !== "candidate" || raft.term !== term) return;
  raft.resetElectionDeadline();
  raft.votes.add(raft.id, sign(raft, "election", term, raft.id));
  leadIfElected(raft);
}

export function handleRequestVote(raft: Elector, message: RequestVote): void {
  if (message.term < raft.term || (message.preVote && message.term === raft.term)) {
    mark("election/term-over");
    refuse(raft, message);
    return;
  }
  const upToDate = raft.log.isUpToDate(message.lastIndex, message.lastTerm);
  if (message.preVote) {
    if (!upToDate || isSticky(raft, message) || !isNearTerm(raft, message)) {
      if (!upToDate) mark("election/pre-vote-refused-short-log");
      refuse(raft, message);
      return;
    }
    raft.outbox.send({
      type: "voteResponse",
      ...header(raft, message.from, message.term),
      preVote: true,
      granted: true,
      signature: sign(raft, "preVote", message.term, message.from),
      proof: null,
      wallMs: raft.wallMs,
    });
    return;
  }
  // Also when this node is in that term already: another candidate may have brought it here, and it may have heard a
  // leader since.
  if (isSticky(raft, message)) {
    mark("election/vote-refused-leader-heard");
    refuse(raft, message);
    return;
  }
  if (message.term > raft.term) {
    const { certificate } = message;
    if (certificate === null || certificate.term !== message.term || certificate.candidate !== message.from) {
      mark("election/vote-refused-unproven-term");
      return;
    }
    const accepted = accept(raft, certificate, message);
    if (accepted === null) return;
    raft.enterTerm(message.term, accepted);
  }
  const free = raft.votedFor === NOBODY && raft.recognized === null;
  if (!upToDate || !(free || raft.votedFor === message.from)) {
    mark(upToDate ? "election/vote-refused-voted-already" : "election/vote-refused-short-log");
    refuse(raft, message);
    return;
  }
  mark(raft.votedFor === message.from ? "election/vote-granted-again" : "election/vote-granted");
  raft.vote(message.from);
  raft.resetElectionDeadline();
  raft.outbox.sendDurably({
    type: "voteResponse",
    ...header(raft, message.from, message.term),
    preVote: false,
    granted: true,
    signature: sign(raft, "election", message.term, message.from),
    proof: null,
    wallMs: raft.wallMs,
  });
}

/**
 * Leader stickiness (thesis 4.2.3): whether this node refuses other candidates, because it leads or has heard its
 * leader within the shortest election time-out. The leader's signed order to that candidate lifts it.
 */
function isSticky(raft: Elector, message: RequestVote): boolean {
  if (raft.role !== "leader" && raft.nowMs >= raft.lastLeaderContactMs + raft.options.electionTimeoutMs) return false;
  if (!isOrdered(raft, message)) {
    mark("election/candidate-refused-leader-heard");
    return true;
  }
  mark("election/order-lifts-stickiness");
  return false;
}

/** Whether the leader that this node follows has signed an order to that candidate, for the next term. */
function isOrdered(raft: Elector, message: RequestVote): boolean {
  if (message.transfer === "" || message.term !== raft.term + 1) return false;
  const leader = raft.roster.peerOf(raft.leaderId);
  const statement = transferStatement(raft.clusterId, raft.incarnation, raft.term, message.from);
  return leader !== undefined && raft.environment.verify(leader, statement, message.transfer);
}

/**
 * Whether the term follows one that is known here, or that the candidate proves, or is not far beyond. Without this
 * check a faulty member could jump to the last term that a number can hold. With proven terms alone, voters whose
 * proofs do not count here, such as that of a configuration that was replaced meanwhile, could never vote again.
 */
function isNearTerm(raft: Elector, message: RequestVote): boolean {
  if (message.term <= raft.term + 1) return true;
  mark("election/pre-vote-for-later-term");
  const { certificate } = message;
  const proven = certificate === null ? null : accept(raft, certificate, message);
  return message.term <= Math.max(raft.term, proven?.term ?? 0) + UNPROVEN_TERMS_MAX;
}

function refuse(raft: Elector, message: RequestVote): void {
  raft.outbox.send({
    type: "voteResponse",
    ...header(raft, message.from, raft.term),
    preVote: message.preVote,
    granted: false,
    signature: "",
    proof: raft.term >= message.term ? raft.proof : null,
    wallMs: raft.wallMs,
  });
}

export function handleVoteResponse(raft: Elector, message: VoteResponse): void {
  if (!message.granted) {
    if (message.term > raft.term && !followProof(raft, message, message.proof)) raft.hearClaim(message.term);
    return;
  }
  const kind = message.preVote ? "preVote" : "election";
  const expected = message.preVote
    ? raft.role === "preCandidate" && message.term === raft.campaignTerm
    : raft.role === "candidate" && message.term === raft.term;
  if (!expected) {
    mark("election/late-vote");
    return;
  }
  const voter = raft.roster.peerOf(message.from);
  const statement = voteStatement(raft.clusterId, raft.incarnation, kind, message.term, raft.id);
  if (voter === undefined || !raft.environment.verify(voter, statement, message.signature)) {
    raft.admission.report(`forgedSignature ${message.from} ${message.term}`, {
      kind: "forgedSignature",
      from: message.from,
      term: message.term,
      reason: `${kind} signature does not verify`,
    });
    raft.admission.evict(message.from);
    return;
  }
  if (message.preVote) {
    raft.preVotes.add(message.from, message.signature);
    electIfPreVoted(raft);
  } else {
    raft.votes.add(message.from, message.signature);
    raft.clocks.heard(message.from, message.wallMs, raft.nowMs);
    leadIfElected(raft);
  }
}

function leadIfElected(raft: Elector): void {
  // Its own vote counts once it is durable, and a candidate never leads without it.
  if (!raft.votes.has(raft.id) || !isQuorum(raft.roster.configuration, (id) => raft.votes.has(id))) return;
  const certificate = certificateOf(raft, "election", raft.term, raft.votes);
  mark("election/won");
  raft.becomeLeader(certificate);
  const { leadership, log } = raft;
  leadership.track(raft.roster.configuration, log, raft.nowMs);
  if (raft.commitIndex < log.lastIndex) mark("election/won-with-uncommitted-entries");
  for (let index = raft.commitIndex + 1; index <= log.lastIndex; index++) {
    leadership.addUncommitted(log.entryAt(index)?.data.length ?? 0);
  }
  leadership.termStartsAt(log.create(raft.term, "noop", NO_DATA).index);
  broadcastAppend(raft);
  startRound(raft);
}

function sign(raft: Elector, kind: "preVote" | "election", term: number, candidate: NodeId): Signature {
  return raft.environment.sign(voteStatement(raft.clusterId, raft.incarnation, kind, term, candidate));
}

function certificateOf(raft: Elector, kind: "preVote" | "election", term: number, votes: SignatureSet): Certificate {
  return { kind, term, candidate: raft.id, signatures: votes.toList() };
}

function otherVoters(raft: Elector): NodeId[] {
  const { voters, outgoing } = raft.roster.configuration;
  return [...new Set([...voters, ...outgoing])].filter((id) => id !== raft.id);
}
