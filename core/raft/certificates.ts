/**
 * Who may claim what. A certificate is checked against every configuration this node can itself vouch for: those in
 * its log and what an introduction proved. Signatures are looked at once per term and certificate, never per message.
 */
import { askWho } from "./introductions.ts";
import type { Message } from "./messages.ts";
import { isQuorum } from "./quorum.ts";
import { type Certificate, type MemberSignature, NOBODY, type NodeId, type Signature } from "./records.ts";
import type { RaftState } from "./state.ts";
import { voteStatement } from "./statements.ts";

/**
 * `unproven`: signed by too few whom this node knows; it may be behind, and asks. `forged`: a signature that its
 * signer did not make.
 */
type CertificateCheck = "valid" | "unproven" | "forged";

/** Checks `certificate` and puts the signatures that verified into `verified`. */
function checkCertificate(raft: RaftState, certificate: Certificate, verified: MemberSignature[]): CertificateCheck {
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
    // Otherwise an uncommitted configuration may bind the id otherwise than one committed elsewhere: that proves no
    // lie.
  }
  const signed = (id: NodeId): boolean => signers.has(id);
  for (const { configuration } of raft.roster.configurations) if (isQuorum(configuration, signed)) return "valid";
  if (raft.roster.introduced !== null && isQuorum(raft.roster.introduced.configuration, signed)) return "valid";
  return wasQuorum(raft, term, signed) ? "valid" : "unproven";
}

/**
 * Whether they were a quorum when `term` was: a leader may outlive the configuration that elected it, and a node that
 * joins later must still be able to follow it. Each configuration counts for terms up to that of the joint entry that
 * ended it, so that nobody who has left can elect anew.
 */
function wasQuorum(raft: RaftState, term: number, signed: (id: NodeId) => boolean): boolean {
  let endedInTerm = Number.POSITIVE_INFINITY;
  for (const { joint, jointTerm } of raft.roster.lineage.toReversed()) {
    if (term <= endedInTerm && isQuorum(joint, signed)) return true;
    if (term <= jointTerm && isQuorum({ ...joint, voters: joint.outgoing, outgoing: [] }, signed)) return true;
    endedInTerm = jointTerm;
  }
  return false;
}

/**
 * Whether `message` comes from the elected leader of its term, following that leader if this is how it is first heard
 * of. On "no", the caller refuses.
 */
export function isFromLeader(raft: RaftState, message: Message, certificate: Certificate | null): boolean {
  if (message.term < raft.term) return false;
  const known = raft.recognized;
  if (known !== null && known.term === message.term && known.candidate === message.from) {
    // One that campaigns because the leader asked it to goes on, although that leader still speaks.
    if (raft.leaderId !== message.from && raft.transferOrder === "") raft.becomeFollower(message.from);
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

/** Moves on when a response comes from a later term and shows why that term exists. Returns whether it did. */
export function followProof(raft: RaftState, message: Message, proof: Certificate | null): boolean {
  if (message.term <= raft.term || proof === null) return false;
  if (proof.term !== message.term) {
    forged(raft, message, "the proof is for another term");
    return false;
  }
  const accepted = accept(raft, proof, message);
  if (accepted === null) return false;
  if (accepted.kind === "election") raft.recognize(accepted);
  else raft.enterTerm(accepted.term, accepted);
  return true;
}

/**
 * Checks a certificate that a member showed, and acts on what is wrong with it. Returns it with only the signatures
 * that this node could verify, or null: what it keeps it will show to others, and it vouches for nothing it has not
 * seen.
 */
export function accept(raft: RaftState, certificate: Certificate, message: Message): Certificate | null {
  if (certificate === raft.proof) return certificate;
  const verified: MemberSignature[] = [];
  switch (checkCertificate(raft, certificate, verified)) {
    case "valid":
      return verified.length === certificate.signatures.length ? certificate : { ...certificate, signatures: verified };
    case "forged":
      forged(raft, message, "a signature does not verify");
      return null;
    case "unproven": {
      const peer = raft.roster.peerOf(message.from);
      if (peer !== undefined) askWho(raft, peer, message.from);
      return null;
    }
  }
}

function forged(raft: RaftState, message: Message, reason: string): void {
  raft.admission.report(`forgedCertificate ${message.from} ${message.term}`, {
    kind: "forgedCertificate",
    from: message.from,
    term: message.term,
    reason,
  });
  raft.admission.evict(message.from);
}

/**
 * Compares a valid election of this term with what this node has seen of the term before: its leader, and votes for
 * itself.
 */
function noteElection(raft: RaftState, election: Certificate): void {
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
  raft: RaftState,
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
