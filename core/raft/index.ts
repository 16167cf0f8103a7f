/** The door of consensus: what a node is built of, and the types that the whole core and both runtimes share. */

export { Halt, unreachable } from "./assert.ts";
export {
  decodeConfigurationRecord,
  decodeEntry,
  decodeHardState,
  decodeMessage,
  decodeSnapshotMeta,
  encodeConfiguration,
  encodeConfigurationRecord,
  encodeEntry,
  encodeHardState,
  encodeMessage,
  encodeSnapshotMeta,
} from "./codec/index.ts";
export { initialConfiguration, isJoint } from "./configuration.ts";
export type { RaftEffect, RaftEnvironment, Restored, Stamp, Write } from "./environment.ts";
export type { Evidence, EvidenceKind } from "./evidence.ts";
export { LIMITS } from "./limits.ts";
export type * from "./messages.ts";
export { MESSAGES } from "./messages.ts";
export { checkRaftOptions, DEFAULT_RAFT_OPTIONS, type RaftOptions } from "./options.ts";
export { isQuorum, majority } from "./quorum.ts";
export { Raft, type SnapshotBase } from "./raft.ts";
export {
  type Certificate,
  type Configuration,
  type ConfigurationChange,
  type ConfigurationRecord,
  type Digest,
  type Entry,
  type EntryKind,
  type HardState,
  type LineageLink,
  type Member,
  type MemberSignature,
  NOBODY,
  type NodeId,
  type PeerId,
  type Signature,
  type Snapshot,
  type SnapshotMeta,
} from "./records.ts";
export type { Role } from "./state.ts";
export {
  chainLink,
  endorsementStatement,
  GENESIS_CHAIN,
  snapshotDigest,
  transferStatement,
  voteStatement,
} from "./statements.ts";
export type { LogView } from "./views.ts";
