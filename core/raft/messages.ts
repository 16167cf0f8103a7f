/** What members say to each other. Names follow Ongaro's thesis and etcd/raft. Every message is immutable once made. */
import type { Certificate, Digest, Entry, LineageLink, NodeId, PeerId, Signature, SnapshotMeta } from "./types.ts";

/** The fields that every message begins with. */
export interface Header {
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

/** Consensus handles these by itself. */
export type RaftMessage =
  | RequestVote
  | VoteResponse
  | Append
  | AppendResponse
  | Heartbeat
  | HeartbeatResponse
  | SnapshotChunk
  | SnapshotResponse
  | TimeoutNow
  | WhoAreYou
  | Introduction;

/** Requests that a node passes on to the leader, and the answers. They go over the same connections. */
export type RequestMessage = ReadIndex | ReadIndexResponse | Forward | ForwardResponse | Reported | Directed;

export type Message = RaftMessage | RequestMessage;

export type MessageType = Message["type"];

/** The message of one type. */
export type MessageOf<Type extends MessageType> = { [Each in Type]: Extract<Message, { readonly type: Each }> }[Type];
