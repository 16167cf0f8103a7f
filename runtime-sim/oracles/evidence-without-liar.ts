/**
 * Nobody is accused where nobody lies.
 *
 * Checks every piece of evidence that an honest node brings forward in a run without Byzantine peers. A damaged disk
 * can make an honest node forget what it promised, and so look like a liar: `doubleVote`, `secondLeader`,
 * `twoContents`, `lyingAcknowledgement` and `truncateCommitted` are excused when the disk of the accused or of the
 * accuser has had faults. Forgeries and malformed messages (`forgedCertificate`, `forgedSignature`, `impersonation`,
 * `malformedAppend`, `forgedSnapshot`, `forgedLineage`) are never excused: a damaged disk is found by its checksums,
 * and its member does not start. Does not check: runs with a Byzantine peer, whose evidence the verdicts judge; that
 * evidence is brought forward where it should be.
 */
import type { Evidence, EvidenceKind, NodeId } from "../../core/index.ts";
import { hasLiar, type OracleContext } from "./context.ts";
import type { Oracle } from "./oracle.ts";

/** Whom the evidence is against. */
export function accusedBy(evidence: Evidence): NodeId {
  switch (evidence.kind) {
    case "doubleVote":
      return evidence.voter;
    case "secondLeader":
      return evidence.certificates[1].candidate;
    case "impersonation":
      return evidence.claimed;
    case "forgedCertificate":
    case "forgedSignature":
    case "malformedAppend":
    case "twoContents":
    case "lyingAcknowledgement":
    case "truncateCommitted":
    case "forgedSnapshot":
    case "forgedLineage":
      return evidence.from;
  }
}

/** What a node may do that has lost what it promised. */
function amnesiaLooksLike(kind: EvidenceKind): boolean {
  switch (kind) {
    case "doubleVote":
    case "secondLeader":
    case "twoContents":
    case "lyingAcknowledgement":
    case "truncateCommitted":
      return true;
    case "forgedCertificate":
    case "forgedSignature":
    case "impersonation":
    case "malformedAppend":
    case "forgedSnapshot":
    case "forgedLineage":
      return false;
  }
}

export function evidenceWithoutLiar({ violate, members, findMember }: OracleContext): Oracle {
  const name = "evidence-without-liar";
  return {
    name,
    summary: "no honest node is accused of lying",
    checks: 0,
    accused({ member }, _node, evidence) {
      if (hasLiar(members)) return;
      this.checks += 1;
      const accused = findMember(accusedBy(evidence));
      if (
        amnesiaLooksLike(evidence.kind) &&
        (member.disk.faults > 0 || (accused !== null && accused.disk.faults > 0))
      ) {
        return;
      }
      violate(name, () => `node ${member.id} accuses an honest node: ${JSON.stringify(evidence)}`);
    },
  };
}
