/**
 * Checks election and pre-vote certificates. A certificate counts when its signers are a quorum of a configuration
 * that this node knows by itself: from its log, or proved by an introduction. Signatures are verified once for each
 * term and certificate, not for each message.
 */
import { mark } from "../marks.ts";
import type { Admission } from "./admission.ts";
import { askWho, type Introducer } from "./introductions.ts";
import type { Message } from "./messages.ts";
import { isQuorum } from "./quorum.ts";
import { type Certificate, type MemberSignature, NOBODY, type NodeId, type Signature } from "./records.ts";
import type { RaftState } from "./state.ts";
import { voteStatement } from "./statements.ts";

/** Follows whoever a certificate proves to lead, and enters the term that it proves. */
export interface CertificateChecker extends Introducer, Pick<RaftState, "becomeFollower" | "enterTerm" | "recognize"> {
  readonly admission: Pick<Admission, "report" | "evict">;
}

/**
 * `unproven`: too few of its signers are known here; this node may lag behind, and asks who they are. `forged`: a
 * signature does not verify.
 */
type CertificateCheck = "valid" | "unproven" | "forged";

/**
 * How many terms beyond its last one a replaced configuration may still bring others to by pre-votes. While the joint
 * entry was on its way, voters that had not seen it may have brought some members to a later term than the one in
 * which it committed. These take nothing from a leader of the earlier term, and a leader that refused their proof would
 * not give up: they would stay behind until the next election. The number bounds how often members who have left can
 * disturb the cluster.
 */
const FORMER_PRE_VOTE_TERMS = 64;

/** Checks `certificate` and puts the signatures that verified into `verified`. */
function checkCertificate(
  raft: CertificateChecker,
  certificate: Certificate,
  verified: MemberSignature[],
): CertificateCheck {
  const { kind, term, candidate, signatures } = certificate;
  const signers = new Set<NodeId>();
  for (const { id, signature } of signatures) {
    const bound = raft.roster.boundPeerOf(id);
    const peer = bound ?? raft.roster.peerOf(id);
    if (peer === undefined) continue;
    if (signers.has(id)) return "forged";
    const statement = voteStatement(raft.clusterId, raft.incarnation, kind, term, candidate);
    if (raft.environment.verify(peer, statement, signature)) {
      signers.add(id);
      verified.push({ id, signature });
    } else if (bound !== undefined) {
      return "forged";
    }
    // Not bound by proof: an uncommitted configuration here may give the id to another identity than one that is
    // committed elsewhere. That is no evidence against anybody.
  }
  const signed = (id: NodeId): boolean => signers.has(id);
  for (const { configuration } of raft.roster.configurations) if (isQuorum(configuration, signed)) return "valid";
  if (raft.roster.introduced !== null && isQuorum(raft.roster.introduced.configuration, signed)) {
    mark("certificate/by-introduced-configuration");
    return "valid";
  }
  if (wasQuorum(raft, certificate, signed)) {
    mark("certificate/by-former-configuration");
    return "valid";
  }
  return "unproven";
}

/**
 * Whether the signers were a quorum in that term: a leader may stay in its term while the configuration that elected
 * it is replaced, and a node that joins later must still accept it. A configuration counts for elections up to the
 * term of the joint entry that replaced it, so that members who have left cannot elect anybody in a later term.
 */
function wasQuorum(raft: CertificateChecker, certificate: Certificate, signed: (id: NodeId) => boolean): boolean {
  const term = certificate.kind === "preVote" ? certificate.term - FORMER_PRE_VOTE_TERMS : certificate.term;
  let endedInTerm = Number.POSITIVE_INFINITY;
  for (const { joint, jointTerm } of raft.roster.lineage.toReversed()) {
    if (term <= endedInTerm && isQuorum(joint, signed)) return true;
    if (term <= jointTerm && isQuorum({ ...joint, voters: joint.outgoing, outgoing: [] }, signed)) return true;
    endedInTerm = jointTerm;
  }
  return false;
}

/**
 * Whether `message` comes from the elected leader of its term. Where its certificate is the first proof of that
 * leader, this node follows it from now on. If not, the caller refuses the message.
 */
export function isFromLeader(raft: CertificateChecker, message: Message, certificate: Certificate | null): boolean {
  if (message.term < raft.term) return false;
  const known = raft.recognized;
  if (known !== null && known.term === message.term && known.candidate === message.from) {
    // A node that campaigns by order of the leader goes on, although it still hears that leader.
    if (raft.leaderId !== message.from && raft.transferOrder === "") {
      mark("election/campaign-given-up-for-leader");
      raft.becomeFollower(message.from);
    }
    return true;
  }
  if (certificate === null) return false;
  if (certificate.kind !== "election" || certificate.term !== message.term || certificate.candidate !== message.from) {
    forged(raft, message, "the certificate is for another claim");
    return false;
  }
  const election = accept(raft, certificate, message);
  if (election === null) return false;
  noteElection(raft, election);
  if (raft.recognized !== null && raft.recognized.term === election.term) return false;
  raft.recognize(election);
  return true;
}

/** Enters the later term that a response comes from, if `proof` justifies that term. Returns whether it did. */
export function followProof(raft: CertificateChecker, message: Message, proof: Certificate | null): boolean {
  if (message.term <= raft.term || proof === null) return false;
  if (proof.term !== message.term) {
    forged(raft, message, "the proof is for another term");
    return false;
  }
  const accepted = accept(raft, proof, message);
  if (accepted === null) return false;
  mark(accepted.kind === "election" ? "election/later-leader-by-proof" : "election/later-term-by-proof");
  if (accepted.kind === "election") raft.recognize(accepted);
  else raft.enterTerm(accepted.term, accepted);
  return true;
}

/**
 * Checks a certificate that a member sent, and acts on what is wrong with it. Returns the certificate with only those
 * signatures that this node has verified, because it will send it on to others; null when it is not valid.
 */
export function accept(raft: CertificateChecker, certificate: Certificate, message: Message): Certificate | null {
  if (certificate === raft.proof) return certificate;
  const verified: MemberSignature[] = [];
  switch (checkCertificate(raft, certificate, verified)) {
    case "valid":
      return verified.length === certificate.signatures.length ? certificate : { ...certificate, signatures: verified };
    case "forged":
      forged(raft, message, "a signature does not verify");
      return null;
    case "unproven": {
      mark("certificate/unproven");
      const peer = raft.roster.peerOf(message.from);
      if (peer !== undefined) askWho(raft, peer, message.from);
      return null;
    }
  }
}

function forged(raft: CertificateChecker, message: Message, reason: string): void {
  raft.admission.report(`forgedCertificate ${message.from} ${message.term}`, {
    kind: "forgedCertificate",
    from: message.from,
    term: message.term,
    reason,
  });
  raft.admission.evict(message.from);
}

/**
 * Looks for evidence: compares a valid election of this term with the leader and the votes that this node has seen in
 * the same term.
 */
function noteElection(raft: CertificateChecker, election: Certificate): void {
  if (election.term !== raft.term) return;
  const known = raft.recognized;
  if (known !== null && known.candidate !== election.candidate) {
    raft.admission.report(`secondLeader ${election.term}`, {
      kind: "secondLeader",
      term: election.term,
      certificates: [known, election],
    });
    for (const { id, signature } of known.signatures) noteVote(raft, election, id, known.candidate, signature);
  }
  if (election.candidate !== raft.id) {
    for (const [id, signature] of raft.votes) noteVote(raft, election, id, raft.id, signature);
  }
}

function noteVote(
  raft: CertificateChecker,
  election: Certificate,
  voter: NodeId,
  candidate: NodeId,
  signature: Signature,
): void {
  const other = election.signatures.find(({ id }) => id === voter);
  if (other === undefined || voter === NOBODY) return;
  raft.admission.report(`doubleVote ${voter} ${election.term}`, {
    kind: "doubleVote",
    voter,
    term: election.term,
    candidates: [candidate, election.candidate],
    signatures: [{ id: voter, signature }, other],
  });
  raft.admission.evict(voter);
}
