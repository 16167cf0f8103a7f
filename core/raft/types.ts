/**
 * The words of consensus: identities, entries, configurations, certificates, messages. Names follow Ongaro's thesis and etcd/raft.
 * Every value is immutable once made: nodes of one simulation share them by reference.
 */

/** A member's number, 1 to 2^31 - 1. Bound to one peer identity for ever. Zero means nobody. */
export type NodeId = number;
/** A peer's public identity as the transport proves it: printable ASCII, at most 128 characters. */
export type PeerId = string;
/** Printable ASCII, at most 64 characters. */
export type Digest = string;
/** Printable ASCII, at most 128 characters. */
export type Signature = string;

export const NOBODY: NodeId = 0;

export type EntryKind =
  /** A new leader's first entry (thesis 6.4): what commits the entries of earlier terms. */
  | "noop"
  /** Opaque to Raft; the state machine's. */
  | "command"
  /** An encoded `ConfigurationRecord`. */
  | "configuration";

export interface Entry {
  readonly index: number;
  readonly term: number;
  readonly kind: EntryKind;
  readonly data: Uint8Array;
  /** Digest over the predecessor's chain and this entry: equal chains at an index mean equal logs up to it. */
  readonly chain: Digest;
}

/** What must be on disk before a node speaks of it. */
export interface HardState {
  readonly term: number;
  readonly votedFor: NodeId;
  /** Why this node is in `term` at all; null only in term 0. Lets it convince others after a restart. */
  readonly proof: Certificate | null;
}

/** An id and the peer identity it is bound to. */
export interface Member {
  readonly id: NodeId;
  readonly peerId: PeerId;
  /** A learner that the leader proposes as a voter by itself once it has caught up. */
  readonly promote: boolean;
}

/**
 * Who takes part. While `outgoing` is not empty the configuration is joint (thesis 4.3): every decision needs a majority of `voters` and one of
 * `outgoing`. All lists are sorted by id.
 */
export interface Configuration {
  readonly voters: readonly NodeId[];
  readonly outgoing: readonly NodeId[];
  /** Members that receive the log and vote on nothing. One that is still in `outgoing` turns learner when the joint phase ends. */
  readonly learners: readonly NodeId[];
  /** Everyone in any of the lists above. */
  readonly members: readonly Member[];
  /** Who has left. Neither the id nor the identity ever comes back. */
  readonly retired: readonly Member[];
}

/** A signature and whose it is. */
export interface MemberSignature {
  readonly id: NodeId;
  readonly signature: Signature;
}

/**
 * Proof that one configuration follows from the one before: majorities of both halves of the joint configuration signed it. A node that was away
 * checks such links one after the other from the last configuration it knows, and so meets members it has never heard of.
 */
export interface LineageLink {
  readonly jointIndex: number;
  /** Term of the joint entry: nobody was elected by the configuration before it in a later one. */
  readonly jointTerm: number;
  readonly joint: Configuration;
  readonly signatures: readonly MemberSignature[];
}

/** What a configuration entry holds. A final configuration carries the link that proves it; a joint one has none yet. */
export interface ConfigurationRecord {
  readonly configuration: Configuration;
  readonly link: LineageLink | null;
}

export type ConfigurationChange =
  | { readonly kind: "addLearner"; readonly id: NodeId; readonly peerId: PeerId; readonly promote: boolean }
  | { readonly kind: "promote"; readonly id: NodeId }
  | { readonly kind: "demote"; readonly id: NodeId }
  | { readonly kind: "remove"; readonly id: NodeId };

/**
 * A quorum's signatures that `candidate` may lead (`election`) or may start an election (`preVote`) in `term`. Terms rise by certificates alone, so
 * a lying member cannot push the cluster through terms, and an append without an election is seen for what it is.
 */
export interface Certificate {
  readonly kind: "preVote" | "election";
  readonly term: number;
  readonly candidate: NodeId;
  readonly signatures: readonly MemberSignature[];
}

export interface SnapshotMeta {
  /** Last entry the snapshot stands for. */
  readonly index: number;
  readonly term: number;
  readonly chain: Digest;
  /** The configuration in force at `index`, and the index of its entry. */
  readonly configuration: Configuration;
  readonly configurationIndex: number;
  /** Newest last, bounded. */
  readonly lineage: readonly LineageLink[];
  /** Digest over the chunks' digests in order. */
  readonly digest: Digest;
  readonly chunkCount: number;
  readonly sizeBytes: number;
}

export interface Snapshot {
  readonly clusterId: string;
  readonly incarnation: number;
  readonly meta: SnapshotMeta;
  readonly chunks: readonly Uint8Array[];
}
