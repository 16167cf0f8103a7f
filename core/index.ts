/** The door of the core: what the two runtimes, the scenarios and the command line may know of it. */

export * from "./agent/index.ts";
export * from "./cluster/index.ts";
export * from "./domain/index.ts";
export { countMarks, MARKS, type Mark } from "./marks.ts";
export * from "./node/index.ts";
export {
  type Append,
  type AppendResponse,
  type Certificate,
  type Configuration,
  type ConfigurationChange,
  chainLink,
  checkRaftOptions,
  DEFAULT_RAFT_OPTIONS,
  type Digest,
  decodeConfigurationRecord,
  decodeEntry,
  decodeHardState,
  decodeMessage,
  decodeSnapshotMeta,
  type Entry,
  type Evidence,
  type EvidenceKind,
  encodeConfigurationRecord,
  encodeEntry,
  encodeHardState,
  encodeMessage,
  encodeSnapshotMeta,
  type HardState,
  type Heartbeat,
  type Introduction,
  isJoint,
  isQuorum,
  LIMITS,
  type LineageLink,
  MESSAGES,
  type Member,
  type Message,
  type MessageType,
  NOBODY,
  type NodeId,
  type PeerId,
  type RaftOptions,
  type RequestVote,
  type Signature,
  type Snapshot,
  type SnapshotChunk,
  snapshotDigest,
  transferStatement,
  type VoteResponse,
  voteStatement,
} from "./raft/index.ts";
export * from "./runtime.ts";
export * from "./scheduler/index.ts";
export * as schema from "./schema/index.ts";
export { InvalidFrame, WIRE_VERSION } from "./wire/index.ts";
