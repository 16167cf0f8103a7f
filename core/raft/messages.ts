/**
 * The messages that members send to each other. A message is defined once, here: its name, its number on the wire,
 * its fields and their bounds. Its type, its bytes and the check of what arrives follow. Names follow Ongaro's thesis
 * and etcd/raft. Every message is immutable once made.
 *
 * Fields are encoded by position, in the order in which they stand here. A number that was ever in use is never given
 * to another message.
 */
import {
  bytes,
  choice,
  flag,
  type Infer,
  type InferShape,
  InvalidField,
  integer,
  list,
  nullable,
  printable,
  record,
  type Shape,
  variants,
} from "../schema/index.ts";
import { named } from "../wire/index.ts";
import { LIMITS } from "./limits.ts";
import { certificateSchema, entrySchema, FIELD, linkSchema, snapshotMetaSchema } from "./records.ts";

const { natural, id, digest, signature } = FIELD;

const HEADER = {
  /** Drawn once when a cluster is made. */
  clusterId: printable(1, LIMITS.clusterIdLength),
  /**
   * Rises when a cluster is restored from a backup or after loss of its quorum: messages of an earlier incarnation
   * are ignored.
   */
  incarnation: natural,
  from: id,
  to: id,
  /** The sender's term, except in pre-votes: there the term it would campaign in. */
  term: natural,
} as const;
/** The fields that every message begins with. */
export type Header = InferShape<typeof HEADER>;

/** A message's number on the wire, and its fields. */
function message<const Fields extends Shape>(number: number, fields: Fields) {
  return { number, schema: record({ ...HEADER, ...fields }) } as const;
}

const certificate = nullable(certificateSchema);
const proof = nullable(certificateSchema);

/** Consensus handles these by itself. */
export const CONSENSUS_MESSAGES = {
  append: {
    number: 1,
    schema: record({
      ...HEADER,
      prevIndex: natural,
      prevTerm: natural,
      prevChain: digest,
      entries: list(entrySchema, { lengthMax: LIMITS.entriesPerAppend }),
      commit: natural,
      /** The leader's election, until the follower has acknowledged something in this term. */
      certificate,
    }).rule(
      "entries are consecutive and begin right after prevIndex",
      ({ prevIndex, entries }) => {
        let previous = prevIndex;
        for (const { index } of entries) {
          if (index !== previous + 1)
            throw new InvalidField("entry.index", null, `${index} after ${previous}: entries must be consecutive`);
          previous = index;
        }
      },
      (append) => {
        const prevIndex = Math.min(append.prevIndex, Number.MAX_SAFE_INTEGER - append.entries.length);
        const entries = append.entries.map((entry, at) => ({ ...entry, index: prevIndex + 1 + at }));
        return { ...append, prevIndex, entries };
      },
    ),
  },
  appendResponse: message(2, {
    /**
     * mismatch: the previous entry is not there or is another one, see the hint. uncertified: the sender's election
     * is not known here; send the certificate. staleTerm: the receiver is in a later term.
     */
    outcome: choice(["matched", "mismatch", "uncertified", "staleTerm"]),
    /** Matched: durable up to here, with `matchChain` the chain there. Otherwise the `prevIndex` it answers. */
    matchIndex: natural,
    matchChain: digest,
    /** Mismatch: the follower's last entry at or before `prevIndex` that might agree (etcd's fast back-tracking). */
    hintIndex: natural,
    hintTerm: natural,
    proof,
    /** While the follower's durable configuration is joint: its signature over it. */
    endorsement: nullable(named("endorsement", record({ index: natural, signature }))),
  }),
  heartbeat: message(3, {
    /** Never beyond what the leader knows to match at this follower. */
    commit: natural,
    /** Rises with each round; a quorum's answers confirm leadership for the reads that wait on it (thesis 6.4). */
    round: natural,
  }),
  heartbeatResponse: message(4, {
    round: natural,
    /** Whether the receiver knows the sender as the elected leader of its term. */
    certified: flag,
    proof,
    /** The sender's wall clock, milliseconds since 1970. */
    wallMs: natural,
  }),
  requestVote: message(5, {
    preVote: flag,
    lastIndex: natural,
    lastTerm: natural,
    /**
     * For a vote: the pre-vote certificate that justifies `term`. For a pre-vote: what justifies the term before;
     * null in the first.
     */
    certificate,
    /**
     * The leader's signed order that `from` campaign (thesis 3.10): lifts leader stickiness. Empty when there is
     * none.
     */
    transfer: signature,
  }),
  voteResponse: message(6, {
    preVote: flag,
    granted: flag,
    /** Over (preVote or election, term, candidate). Empty when refused. */
    signature,
    /** Justifies `term` when it is higher than the candidate's. */
    proof,
    /** As in `heartbeatResponse`: a leader knows the clocks of a quorum from its election on. */
    wallMs: natural,
  }),
  snapshotChunk: {
    number: 7,
    schema: record({
      ...HEADER,
      meta: snapshotMetaSchema,
      sequence: natural,
      bytes: bytes(LIMITS.snapshotChunkBytes),
      certificate,
    }).rule(
      "the sequence is that of one of the chunks",
      ({ sequence, meta: { chunkCount } }) => {
        if (sequence >= chunkCount)
          throw new InvalidField(".sequence", chunkCount - 1, `${sequence} of ${chunkCount} chunks`);
      },
      (chunk) => {
        const meta = { ...chunk.meta, chunkCount: Math.max(1, chunk.meta.chunkCount) };
        return { ...chunk, meta, sequence: Math.min(chunk.sequence, meta.chunkCount - 1) };
      },
    ),
  },
  snapshotResponse: message(8, {
    index: natural,
    /** The chunk wanted next; equal to the count once the snapshot is durable. */
    nextSequence: integer(0, LIMITS.snapshotChunks),
    outcome: choice(["wanted", "installed", "uncertified", "staleTerm", "damaged"]),
    proof,
  }),
  timeoutNow: message(9, {
    /** The leader's signed order that `to` campaign. */
    transfer: signature,
  }),
  /** To a sender that is no known member: asks for an introduction, from this configuration on. */
  whoAreYou: message(14, { configurationIndex: natural }),
  /** Links after the configuration that was asked for, oldest first. */
  introduction: message(15, { links: list(linkSchema, { lengthMax: LIMITS.lineageLinks }) }),
} as const;

/** Requests that a node passes on to the leader, and the answers. They go over the same connections. */
export const REQUEST_MESSAGES = {
  /** A follower's read, asked of the leader (thesis 6.4). */
  readIndex: message(10, { requestId: natural }),
  readIndexResponse: message(11, {
    requestId: natural,
    /** Serve the read once this is applied; null: not the leader, ask elsewhere. */
    index: nullable(natural),
  }),
  /** A follower's proposal, forwarded to the leader. `data` is an encoded command request. */
  forward: message(12, { requestId: natural, data: bytes(LIMITS.entryBytes) }),
  forwardResponse: message(13, {
    requestId: natural,
    outcome: named(
      "outcome",
      variants({
        /** In the leader's log here; answer once this very entry is applied. */
        appended: { index: natural, term: natural },
        noLeader: {},
        tooManyUncommitted: { limitBytes: natural },
      }),
    ),
  }),
  /** A worker's report, passed on to the leader. `data` means nothing to consensus. */
  report: message(16, {
    requestId: natural,
    /** Who the worker's connection said it was. */
    peerId: printable(0, LIMITS.peerIdLength),
    data: bytes(LIMITS.entryBytes),
  }),
  /** What the leader has to say to that report; null: not the leader, ask elsewhere. */
  directive: message(17, { requestId: natural, data: nullable(bytes(LIMITS.entryBytes)) }),
} as const;

export const MESSAGES = { ...CONSENSUS_MESSAGES, ...REQUEST_MESSAGES } as const;

export type MessageType = keyof typeof MESSAGES;

export const messageTypes: readonly MessageType[] = typesOf(MESSAGES);

function typesOf<const Table extends object>(table: Table): (keyof Table)[];
function typesOf(table: object): string[] {
  return Object.keys(table);
}

export type ConsensusMessageType = keyof typeof CONSENSUS_MESSAGES;

/** The message of one type. */
export type MessageOf<Type extends MessageType> = {
  [Each in Type]: { readonly type: Each } & Infer<(typeof MESSAGES)[Each]["schema"]>;
}[Type];
export type Message = MessageOf<MessageType>;

export type Append = MessageOf<"append">;
export type AppendResponse = MessageOf<"appendResponse">;
export type AppendOutcome = AppendResponse["outcome"];
export type Heartbeat = MessageOf<"heartbeat">;
export type HeartbeatResponse = MessageOf<"heartbeatResponse">;
export type RequestVote = MessageOf<"requestVote">;
export type VoteResponse = MessageOf<"voteResponse">;
export type SnapshotChunk = MessageOf<"snapshotChunk">;
export type SnapshotResponse = MessageOf<"snapshotResponse">;
export type TimeoutNow = MessageOf<"timeoutNow">;
export type WhoAreYou = MessageOf<"whoAreYou">;
export type Introduction = MessageOf<"introduction">;
export type ReadIndex = MessageOf<"readIndex">;
export type ReadIndexResponse = MessageOf<"readIndexResponse">;
export type Forward = MessageOf<"forward">;
export type ForwardResponse = MessageOf<"forwardResponse">;
export type Reported = MessageOf<"report">;
export type Directed = MessageOf<"directive">;
