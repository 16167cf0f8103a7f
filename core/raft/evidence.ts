/**
 * Evidence: what a node keeps when a peer, or its own disk, did what no correct one does. Plain values, for logs and
 * tickets.
 */
import type { Certificate, Digest, MemberSignature, NodeId, PeerId } from "./records.ts";

export type Evidence =
  /** One voter signed for two candidates in one term: both signatures are here, anyone can check them. */
  | {
      readonly kind: "doubleVote";
      readonly voter: NodeId;
      readonly term: number;
      readonly candidates: readonly [NodeId, NodeId];
      readonly signatures: readonly [MemberSignature, MemberSignature];
    }
  /** Two complete elections in one term. At least one voter of both lied. */
  | { readonly kind: "secondLeader"; readonly term: number; readonly certificates: readonly [Certificate, Certificate] }
  /** A certificate with a signature that its signer never made, or for somebody else. */
  | { readonly kind: "forgedCertificate"; readonly from: NodeId; readonly term: number; readonly reason: string }
  /** A vote response, endorsement or transfer whose signature does not verify. */
  | { readonly kind: "forgedSignature"; readonly from: NodeId; readonly term: number; readonly reason: string }
  /** The sender used the id of another node than its connection proves. */
  | { readonly kind: "impersonation"; readonly peer: PeerId; readonly claimed: NodeId }
  /** An append whose entries do not form the chain they claim, or are not consecutive. */
  | { readonly kind: "malformedAppend"; readonly from: NodeId; readonly term: number; readonly reason: string }
  /** Equal (index, term), different history. The leader of `term` said two things, or a disk lied. */
  | {
      readonly kind: "twoContents";
      readonly from: NodeId;
      readonly index: number;
      readonly term: number;
      readonly ours: Digest;
      readonly theirs: Digest;
    }
  /** An acknowledgement of entries that this leader never had, or with another history. */
  | { readonly kind: "lyingAcknowledgement"; readonly from: NodeId; readonly index: number; readonly reason: string }
  /** An elected leader asked to remove what is committed here. */
  | { readonly kind: "truncateCommitted"; readonly from: NodeId; readonly index: number; readonly commit: number }
  | { readonly kind: "forgedSnapshot"; readonly from: NodeId; readonly index: number; readonly reason: string }
  | { readonly kind: "forgedLineage"; readonly from: NodeId; readonly jointIndex: number; readonly reason: string };

export type EvidenceKind = Evidence["kind"];
