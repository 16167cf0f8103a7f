/**
 * The records of consensus: entries, configurations, certificates, and what is stored. Each is defined once; its
 * type, its bytes and its bounds follow. Names follow Ongaro's thesis and etcd/raft. Every value is immutable once
 * made: nodes of one simulation share values by reference.
 *
 * Fields are encoded by position, in the order in which they stand here.
 */
import {
  bytes,
  choice,
  flag,
  type Infer,
  InvalidField,
  integer,
  list,
  nullable,
  printable,
  record,
} from "../schema/index.ts";
import { named } from "../wire/index.ts";
import { checkConfiguration, repairConfiguration } from "./configuration-rules.ts";
import { LIMITS } from "./limits.ts";

/** A member's number, 1 to 2^31 - 1. Bound to one peer identity for ever. Zero means nobody. */
export type NodeId = number;
/** A peer's public identity as the transport proves it: printable ASCII, at most 128 characters. */
export type PeerId = string;
/** Printable ASCII, at most 64 characters. */
export type Digest = string;
/** Printable ASCII, at most 128 characters. */
export type Signature = string;

export const NOBODY: NodeId = 0;

export const NODE_ID_MAX: NodeId = 0x7fff_ffff;

export const FIELD = {
  /** An index, a term, a count. */
  natural: integer(0),
  id: integer(1, NODE_ID_MAX),
  idOrNobody: integer(0, NODE_ID_MAX),
  peerId: printable(1, LIMITS.peerIdLength),
  digest: printable(0, LIMITS.digestLength),
  /** Empty where there is none. */
  signature: printable(0, LIMITS.signatureLength),
} as const;
const { natural, id, idOrNobody, peerId, digest, signature } = FIELD;

export const entrySchema = named(
  "entry",
  record({
    index: natural,
    term: natural,
    /**
     * noop: a new leader's first entry (thesis 6.4), which commits the entries of earlier terms. command: opaque to
     * Raft; the state machine's. configuration: an encoded `ConfigurationRecord`.
     */
    kind: choice(["noop", "command", "configuration"]),
    data: bytes(LIMITS.entryBytes),
    /** Digest over the predecessor's chain and this entry: equal chains at an index mean equal logs up to it. */
    chain: digest,
  }),
);
export type Entry = Infer<typeof entrySchema>;
export type EntryKind = Entry["kind"];

const memberSchema = named(
  "member",
  record({
    id,
    peerId,
    /** A learner that the leader promotes to a voter by itself, once it has caught up. */
    promote: flag,
  }),
);
/** An id and the peer identity it is bound to. */
export type Member = Infer<typeof memberSchema>;

export const configurationSchema = named(
  "configuration",
  record({
    voters: list(id, { lengthMax: LIMITS.voters }),
    outgoing: list(id, { lengthMax: LIMITS.voters }),
    /**
     * Members that receive the log and do not vote. One that is still in `outgoing` becomes a learner when the joint
     * phase ends.
     */
    learners: list(id, { lengthMax: LIMITS.members }),
    /** Everyone in any of the lists above. */
    members: list(memberSchema, { lengthMax: LIMITS.members }),
    /** Who has left. Neither the id nor the identity ever comes back. */
    retired: list(memberSchema, { lengthMax: LIMITS.retired }),
  }).rule(
    "lists are sorted by id, members are everyone in the three lists before, and nobody appears twice",
    checkConfiguration,
    repairConfiguration,
  ),
);
/**
 * Who takes part. While `outgoing` is not empty the configuration is joint (thesis 4.3): every decision needs a
 * majority of `voters` and one of `outgoing`. All lists are sorted by id.
 */
export type Configuration = Infer<typeof configurationSchema>;

const signatureSchema = named("signature", record({ id, signature }));
/** A signature and whose it is. */
export type MemberSignature = Infer<typeof signatureSchema>;

/** In the sender's order. Only voters sign, and a joint configuration has two sets of them. */
const signatures = list(signatureSchema, { lengthMax: 2 * LIMITS.voters, distinctBy: "id" });

export const linkSchema = named(
  "link",
  record({
    jointIndex: natural,
    /** Term of the joint entry. The configuration before it elected nobody in a later term. */
    jointTerm: natural,
    joint: configurationSchema,
    signatures,
  }),
);
/**
 * Proof that one configuration follows from the one before: majorities of both halves of the joint configuration
 * signed it. A node that was away checks such links one after the other from the last configuration it knows, and so
 * meets members it has never heard of.
 */
export type LineageLink = Infer<typeof linkSchema>;

export const configurationRecordSchema = record({
  configuration: configurationSchema,
  link: nullable(linkSchema),
});
/**
 * What a configuration entry holds. A final configuration carries the link that proves it; a joint one has none yet.
 */
export type ConfigurationRecord = Infer<typeof configurationRecordSchema>;

export type ConfigurationChange =
  | { readonly kind: "addLearner"; readonly id: NodeId; readonly peerId: PeerId; readonly promote: boolean }
  | { readonly kind: "promote"; readonly id: NodeId }
  | { readonly kind: "demote"; readonly id: NodeId }
  | { readonly kind: "remove"; readonly id: NodeId };

export const certificateSchema = named(
  "certificate",
  record({ kind: choice(["preVote", "election"]), term: natural, candidate: id, signatures }),
);
/**
 * A quorum's signatures that `candidate` may lead (`election`) or may start an election (`preVote`) in `term`. A node
 * enters a term only with a certificate. So a faulty member cannot raise the terms of others at will, and an append
 * by a node that was not elected is refused.
 */
export type Certificate = Infer<typeof certificateSchema>;

export const hardStateSchema = named(
  "hardState",
  record({
    term: natural,
    votedFor: idOrNobody,
    /** Why this node is in `term` at all; null only in term 0. Lets it convince others after a restart. */
    proof: nullable(certificateSchema),
  }),
);
/** What must be on disk before a message depends on it. */
export type HardState = Infer<typeof hardStateSchema>;

export const snapshotMetaSchema = named(
  "meta",
  record({
    /** Last entry the snapshot stands for. */
    index: natural,
    term: natural,
    chain: digest,
    /** The configuration in force at `index`. */
    configuration: configurationSchema,
    /** The index of its entry. */
    configurationIndex: natural,
    /** Newest last. */
    lineage: list(linkSchema, { lengthMax: LIMITS.lineageLinks }),
    /** Digest over the chunks' digests in order. */
    digest,
    chunkCount: integer(0, LIMITS.snapshotChunks),
    sizeBytes: natural,
  }).rule(
    "its bytes fit its chunks",
    ({ sizeBytes, chunkCount }) => {
      const sizeMax = chunkCount * LIMITS.snapshotChunkBytes;
      if (sizeBytes > sizeMax)
        throw new InvalidField(".sizeBytes", sizeMax, `${sizeBytes} do not fit ${chunkCount} chunks`);
    },
    (meta) => ({ ...meta, sizeBytes: Math.min(meta.sizeBytes, meta.chunkCount * LIMITS.snapshotChunkBytes) }),
  ),
);
export type SnapshotMeta = Infer<typeof snapshotMetaSchema>;

export interface Snapshot {
  readonly clusterId: string;
  readonly incarnation: number;
  readonly meta: SnapshotMeta;
  readonly chunks: readonly Uint8Array[];
}
