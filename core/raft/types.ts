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

interface Header {
  /** Drawn once when a cluster is made: printable ASCII, at most 64 characters. */
  readonly clusterId: string;
  /** Rises when a cluster is restored from a backup or after loss of its quorum: what its former life still sends is inert. */
  readonly incarnation: number;
  readonly from: NodeId;
  readonly to: NodeId;
  /** The sender's term, except in pre-votes: there the term it would campaign in. */
  readonly term: number;
}

export interface RequestVote extends Header {
  readonly type: "requestVote";
  readonly preVote: boolean;
  readonly lastIndex: number;
  readonly lastTerm: number;
  /** For a vote: the pre-vote certificate that justifies `term`. For a pre-vote: what justifies the term before; null in the first. */
  readonly certificate: Certificate | null;
  /** The leader's signed wish that `from` lead (thesis 3.10): lifts leader stickiness. Empty when there is none. */
  readonly transfer: Signature;
}

export interface VoteResponse extends Header {
  readonly type: "voteResponse";
  readonly preVote: boolean;
  readonly granted: boolean;
  /** Over (preVote or election, term, candidate). Empty when refused. */
  readonly signature: Signature;
  /** Justifies `term` when it is higher than the candidate's. */
  readonly proof: Certificate | null;
}

export interface Append extends Header {
  readonly type: "append";
  readonly prevIndex: number;
  readonly prevTerm: number;
  readonly prevChain: Digest;
  readonly entries: readonly Entry[];
  readonly commit: number;
  /** The leader's election, until the follower has acknowledged something in this term. */
  readonly certificate: Certificate | null;
}

export type AppendOutcome =
  | "matched"
  /** The previous entry is not there or is another one: see the hint. */
  | "mismatch"
  /** The sender's election is not known here; send the certificate. */
  | "uncertified"
  /** The receiver is in a later term. */
  | "staleTerm";

export interface AppendResponse extends Header {
  readonly type: "appendResponse";
  readonly outcome: AppendOutcome;
  /** Matched: durable up to here, with `matchChain` the chain there. Otherwise the `prevIndex` it answers. */
  readonly matchIndex: number;
  readonly matchChain: Digest;
  /** Mismatch: the follower's last entry at or before `prevIndex` that might agree (etcd's fast back-tracking). */
  readonly hintIndex: number;
  readonly hintTerm: number;
  readonly proof: Certificate | null;
  /** While the follower's durable configuration is joint: its signature over it. */
  readonly endorsement: { readonly index: number; readonly signature: Signature } | null;
}

export interface Heartbeat extends Header {
  readonly type: "heartbeat";
  /** Never beyond what the leader knows to match at this follower. */
  readonly commit: number;
  /** Rises with each round; a quorum's answers confirm leadership for the reads that wait on it (thesis 6.4). */
  readonly round: number;
}

export interface HeartbeatResponse extends Header {
  readonly type: "heartbeatResponse";
  readonly round: number;
  /** Whether the receiver knows the sender as the elected leader of its term. */
  readonly certified: boolean;
  readonly proof: Certificate | null;
}

export interface SnapshotChunk extends Header {
  readonly type: "snapshotChunk";
  readonly meta: SnapshotMeta;
  readonly sequence: number;
  readonly bytes: Uint8Array;
  readonly certificate: Certificate | null;
}

export interface SnapshotResponse extends Header {
  readonly type: "snapshotResponse";
  readonly index: number;
  /** The chunk wanted next; equal to the count once the snapshot is durable. */
  readonly nextSequence: number;
  readonly outcome: "wanted" | "installed" | "uncertified" | "staleTerm" | "damaged";
  readonly proof: Certificate | null;
}

export interface TimeoutNow extends Header {
  readonly type: "timeoutNow";
  readonly transfer: Signature;
}

/** A follower's read, asked of the leader (thesis 6.4). */
export interface ReadIndex extends Header {
  readonly type: "readIndex";
  readonly requestId: number;
}

export interface ReadIndexResponse extends Header {
  readonly type: "readIndexResponse";
  readonly requestId: number;
  /** Serve the read once this is applied; null: not the leader, ask elsewhere. */
  readonly index: number | null;
}

/** A follower's proposal, forwarded to the leader. `data` is an encoded command request. */
export interface Forward extends Header {
  readonly type: "forward";
  readonly requestId: number;
  readonly data: Uint8Array;
}

export interface ForwardResponse extends Header {
  readonly type: "forwardResponse";
  readonly requestId: number;
  readonly outcome: /** In the leader's log here; answer once this very entry is applied. */
    | { readonly kind: "appended"; readonly index: number; readonly term: number }
    | { readonly kind: "noLeader" }
    | { readonly kind: "tooManyUncommitted"; readonly limitBytes: number };
}

/** A worker's report, passed on to the leader. `peerId` is who the worker's connection said it was; `data` means nothing to consensus. */
export interface Reported extends Header {
  readonly type: "report";
  readonly requestId: number;
  readonly peerId: PeerId;
  readonly data: Uint8Array;
}

/** What the leader has to say to that report; null: not the leader, ask elsewhere. */
export interface Directed extends Header {
  readonly type: "directive";
  readonly requestId: number;
  readonly data: Uint8Array | null;
}

/** To a sender that is not known as a member here: prove it, from this configuration on. */
export interface WhoAreYou extends Header {
  readonly type: "whoAreYou";
  readonly configurationIndex: number;
}

/** Links after the configuration that was asked for, oldest first. */
export interface Introduction extends Header {
  readonly type: "introduction";
  readonly links: readonly LineageLink[];
}

export type Message =
  | RequestVote
  | VoteResponse
  | Append
  | AppendResponse
  | Heartbeat
  | HeartbeatResponse
  | SnapshotChunk
  | SnapshotResponse
  | TimeoutNow
  | ReadIndex
  | ReadIndexResponse
  | Forward
  | ForwardResponse
  | WhoAreYou
  | Introduction
  | Reported
  | Directed;

export type MessageType = Message["type"];

/** Hard ceilings on what a node takes from anyone, whatever it is configured to send. Decoding enforces them before it allocates. */
export const LIMITS = {
  clusterIdLength: 64,
  peerIdLength: 128,
  digestLength: 64,
  signatureLength: 128,
  members: 1024,
  voters: 7,
  /** With `lineageLinks` configurations of this size, an introduction still fits a frame. */
  retired: 1024,
  lineageLinks: 32,
  entriesPerAppend: 4096,
  entryBytes: 4 * 1024 * 1024,
  snapshotChunkBytes: 1024 * 1024,
  snapshotChunks: 1_048_576,
  frameBytes: 16 * 1024 * 1024,
} as const;
