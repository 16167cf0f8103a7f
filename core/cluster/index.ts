/**
 * The replicated state: what Raft's committed commands do to it. Consensus sees these as opaque bytes; this folder knows nothing of consensus.
 *
 * A client's `CommandRequest` becomes bytes (`encodeRequest`), the leader stamps them with its clock and name (`stampRequest`), and every replica
 * applies the committed entry (`applyEntries`). Snapshots carry the whole state, queries read it.
 */

export { heldBy, resourcesOf } from "./accounts.ts";
export {
  AppliedOutOfOrder,
  type ApplyOutcome,
  applyEntries,
  type CommandEntry,
  type MembershipEntry,
} from "./apply.ts";
export { ASKED_CHANGES, AUDITED_COMMANDS } from "./audit.ts";
export { Batch, type Touched } from "./batch.ts";
export type { Command, CommandRequest, OperatorCommand, OwnCommand, RequestSession } from "./command.ts";
export { type DecodedEntry, decodeEntryData, type EntryStamp, STAMP_BYTES, stampRequest } from "./entry-data.ts";
export type { ClusterEvent, EventLog, EventPage } from "./events.ts";
export {
  aFlag,
  aLabel,
  anInteger,
  aText,
  aValue,
  type Format,
  listOf,
  oneOf,
  orNull,
  packed,
  record,
  unpacked,
  variants,
} from "./format.ts";
export { hashOfIndex, hashOfText } from "./hash.ts";
export { InvalidCommand, InvalidSnapshot } from "./invalid.ts";
export {
  addressOf,
  allocatableCount,
  type IpPoolSpec,
  ipPoolFromArray,
  ipPoolToArray,
  type PoolAddress,
} from "./ip-pool.ts";
export { addressKey, type IpPoolRecord } from "./ip-pools.ts";
export { LIMITS as CLUSTER_LIMITS } from "./limits.ts";
export type { Membership, NodeRecord, NodeRole } from "./nodes.ts";
export {
  aCount,
  aNodeId,
  aReason,
  jobOutput,
  schedulerSettings,
  vmSpecFormat,
  workerFacts,
} from "./orchestration-codec.ts";
export { needsPlace, placementContext, vmRequest } from "./placement.ts";
export { explainer, occupants, type Plan } from "./plan.ts";
export { POOL_STRATEGIES, type PoolStrategy } from "./pool-choice.ts";
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
export { type ClusterState, emptyState, nodeIdOf, nodeOf, poolOf, taskOf, vmOf, workerOf } from "./state.ts";
export { leavesOf, type Table, tableOf, tableValues } from "./table.ts";
export {
  isOver,
  type JobObservation,
  TASK_STATES,
  type TaskRecord,
  type TaskSpec,
  type TaskState,
  TIMED_OUT,
  taskRequest,
} from "./tasks.ts";
export { DEFAULT_QUOTA, QUOTA_RESOURCES, type Quota, type TenantRecord } from "./tenants.ts";
export type { TokenPurpose, TokenRecord } from "./tokens.ts";
export { IllegalMove, type MachineObservation } from "./vm-moves.ts";
export {
  DESIRED_STATES,
  type DesiredState,
  EVICTION_CAUSES,
  type EvictionCause,
  INTENTS,
  type Intent,
  intentOf,
  VM_STATES,
  type VmAddress,
  type VmRecord,
  type VmState,
} from "./vm-record.ts";
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
  ON_WORKER_LOST,
  type OnWorkerLost,
  type RecoveryPolicy,
  type VmSource,
  type VmSpec,
  type Volume,
  vmSpec,
} from "./vm-spec.ts";
export { isLegalMove } from "./vm-states.ts";
export {
  AVAILABILITIES,
  type Availability,
  aResources,
  factsOf,
  sameFacts,
  statusOf,
  type WorkerFacts,
  type WorkerRecord,
  workerView,
} from "./workers.ts";
