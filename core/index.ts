/** The door of the core: what the two runtimes, the scenarios and the command line may know of it. */
export * from "./cluster/index.ts";
export { type Applied, Node } from "./node.ts";
export type { Evidence, EvidenceKind } from "./raft/evidence.ts";
export { DEFAULT_RAFT_OPTIONS, type RaftOptions } from "./raft/options.ts";
export { isQuorum, majority } from "./raft/quorum.ts";
export type { Role } from "./raft/raft.ts";
export * from "./raft/types.ts";
export * from "./runtime.ts";
export * from "./wire/index.ts";
