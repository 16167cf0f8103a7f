/**
 * The replicated state: what Raft's committed commands do to it. Consensus sees these as opaque bytes; this folder knows nothing of consensus.
 *
 * A client's `CommandRequest` becomes bytes (`encodeRequest`), the leader stamps them with its clock and name (`stampRequest`), and every replica
 * applies the committed entry (`applyEntries`). Snapshots carry the whole state, queries read it.
 */
export {
  AppliedOutOfOrder,
  type ApplyOutcome,
  applyEntries,
  type CommandEntry,
  type MembershipEntry,
} from "./apply.ts";
export type { Command, CommandRequest, RequestSession } from "./command.ts";
export { type DecodedEntry, decodeEntryData, type EntryStamp, STAMP_BYTES, stampRequest } from "./entry-data.ts";
export type { ClusterEvent, EventLog, EventPage } from "./events.ts";
export { InvalidCommand, InvalidSnapshot } from "./invalid.ts";
export { LIMITS as CLUSTER_LIMITS } from "./limits.ts";
export type { Membership, NodeRecord, NodeRole } from "./nodes.ts";
export {
  type ClusterQuery,
  type ClusterQueryResult,
  getVm,
  type ListVms,
  listVms,
  query,
  type VmPage,
} from "./query.ts";
export { decodeRequest, encodeRequest } from "./request-codec.ts";
export type { Applied, ApplyResult, CommandResult, InvalidCommandRefusal, Refusal, Refused } from "./result.ts";
export type { Session, StoredResponse } from "./session.ts";
export { decodeSnapshot } from "./snapshot-decode.ts";
export { encodeSnapshot } from "./snapshot-encode.ts";
export { type ClusterState, emptyState } from "./state.ts";
export type { TokenPurpose, TokenRecord } from "./tokens.ts";
export { DESIRED_STATES, type DesiredState, VM_STATES, type VmRecord, type VmState } from "./vm-record.ts";
export {
  type AntiAffinity,
  DEFAULT_HEALTH_CHECK,
  DEFAULT_RECOVERY,
  DEFAULT_VM_SPEC,
  FAILURE_DOMAINS,
  type FailureDomain,
  type HealthCheck,
  type HealthProbe,
  HYPERVISORS,
  type Hypervisor,
  type Locality,
  type NetworkAttachment,
  type RecoveryPolicy,
  type VmSource,
  type VmSpec,
  type Volume,
  vmSpec,
} from "./vm-spec.ts";
