/** The formats of the commands, records and events that came with workers. */

import {
  ASKED_CHANGES,
  AUDITED_COMMANDS,
  AVAILABILITIES,
  CLUSTER_LIMITS,
  type ClusterEvent,
  EVICTION_CAUSES,
  FAILURE_DOMAINS,
  type IpPoolRecord,
  integer,
  ipPoolFromArray,
  ipPoolToArray,
  type JobObservation,
  LIMITED_RATES,
  label,
  list,
  type MachineObservation,
  ORCHESTRATED,
  type Overcommit,
  POOL_STRATEGIES,
  type Quota,
  type Refusal,
  type Resources,
  type SchedulerSettings,
  SEEN_PHASES,
  STRATEGIES,
  TASK_STATES,
  type TaskRecord,
  type TaskSpec,
  type TenantRecord,
  type TokenBucket,
  type Topology,
  VM_STATES,
  type VmAddress,
  type VmRecord,
  type VmSpec,
  vmSpecSchema,
  WORKER_STATUSES,
  type WorkerFacts,
  type WorkerRecord,
} from "../domain/index.ts";
import { decoded, InvalidField } from "../schema/index.ts";
import type { OperatorCommand, OwnCommand, RebalanceMove } from "./command.ts";
import {
  aFlag,
  aLabel,
  anInteger,
  aText,
  aValue,
  type Format,
  listOf,
  oneOf,
  orNull,
  record,
  variants,
} from "./format.ts";
import { nodeId } from "./identity-fields.ts";
import type { ClusterState } from "./state.ts";

export const aNodeId: Format<number> = aValue(nodeId);
export const aCount: Format<number> = anInteger(0);
export const aReason: Format<string> = aText(0, CLUSTER_LIMITS.reasonLength);
export const jobOutput: Format<string> = aText(0, CLUSTER_LIMITS.outputLength);
export const vmSpecFormat: Format<VmSpec> = aValue(
  (value, field) => decoded(vmSpecSchema, value, field),
  vmSpecSchema.write,
);

/** A factor, as hundredths: MessagePack knows several doubles for one number, and integers have one. */
function aFactor(minimum: number, maximum: number): Format<number> {
  return aValue(
    (value: unknown, field: string) => integer(value, field, minimum * 100, maximum * 100) / 100,
    (value) => Math.round(value * 100),
  );
}

const anOvercommit: Format<Overcommit> = record<Overcommit>({
  cpu: aFactor(1, 10),
  memory: aFactor(1, 10),
  disk: aFactor(1, 10),
  reservePercent: anInteger(0, 90),
});

export const schedulerSettings: Format<SchedulerSettings> = record<SchedulerSettings>({
  strategy: oneOf(STRATEGIES),
  overcommit: anOvercommit,
  preemption: aFlag,
  spreadScope: oneOf(FAILURE_DOMAINS),
  minDomains: anInteger(1, CLUSTER_LIMITS.workers),
  costIncreasePercentMax: anInteger(0, 1000),
});

export const aResources: Format<Resources> = record<Resources>({
  vcpus: anInteger(0, CLUSTER_LIMITS.hostVcpus),
  memoryMiB: anInteger(0, CLUSTER_LIMITS.hostMemoryMiB),
  diskGiB: anInteger(0, CLUSTER_LIMITS.hostDiskGiB),
});

const aTopology: Format<Topology> = record<Topology>({ datacenter: aLabel, zone: aLabel, rack: aLabel });

/** Labels, sorted, each once: one encoding for one set. */
const someFeatures: Format<readonly string[]> = aValue((value: unknown, field: string) => {
  const features = list(value, field, CLUSTER_LIMITS.listLength, label);
  for (let at = 1; at < features.length; at++) {
    if ((features[at - 1] ?? "") >= (features[at] ?? ""))
      throw new InvalidField(field, null, "must be sorted, each feature once");
  }
  return features;
});

const factFormats = {
  capacity: aResources,
  features: someFeatures,
  topology: aTopology,
  costPerHour: anInteger(0, 2 ** 32),
  driver: orNull(aText(1, CLUSTER_LIMITS.labelLength)),
};

const anAmount = anInteger(0, 2 ** 40);

const aQuota: Format<Quota> = record<Quota>({
  vms: anAmount,
  vcpus: anAmount,
  memoryMiB: anAmount,
  diskGiB: anAmount,
  vmsPerWorker: anAmount,
  createsPerMinute: anInteger(0, 1_000_000),
  deletesPerMinute: anInteger(0, 1_000_000),
  requestsPerSecond: anInteger(0, 1_000_000),
  requestsBurst: anInteger(0, 1_000_000),
});

const aBucket: Format<TokenBucket> = record<TokenBucket>({
  milliTokens: anInteger(0, 1_000_000_000),
  atMs: anInteger(0, CLUSTER_LIMITS.wallMs),
});

export const workerFacts: Format<WorkerFacts> = record<WorkerFacts>(factFormats);

const taskSpecFields = {
  command: aText(1, CLUSTER_LIMITS.pathLength),
  args: listOf(aText(0, CLUSTER_LIMITS.taskArgLength), CLUSTER_LIMITS.taskArgs),
  resources: aResources,
  features: someFeatures,
  tenant: aLabel,
  timeoutMs: anInteger(1, CLUSTER_LIMITS.durationMs),
  attemptsMax: anInteger(1, CLUSTER_LIMITS.attempts),
};

const taskSpec: Format<TaskSpec> = record<TaskSpec>(taskSpecFields);

const ipPoolSpec = aValue(ipPoolFromArray, ipPoolToArray);

const machineSeen: Format<MachineObservation> = record<MachineObservation>({
  name: aLabel,
  epoch: aCount,
  phase: oneOf(SEEN_PHASES),
  reason: aReason,
});

const jobSeen: Format<JobObservation> = record<JobObservation>({
  id: aLabel,
  attempt: aCount,
  phase: oneOf(["exited", "failed", "absent"]),
  exitCode: anInteger(-(2 ** 31), 2 ** 31),
  output: jobOutput,
});

const aBootId = anInteger(0, Number.MAX_SAFE_INTEGER);

export const orchestrationCommand: Format<OwnCommand | OperatorCommand> = variants<OwnCommand | OperatorCommand>({
  registerWorker: { workerId: aNodeId, bootId: aBootId, facts: workerFacts },
  workerLost: { workerId: aNodeId, bootId: aBootId },
  observe: {
    workerId: aNodeId,
    bootId: aBootId,
    machines: listOf(machineSeen, CLUSTER_LIMITS.observations),
    jobs: listOf(jobSeen, CLUSTER_LIMITS.observations),
  },
  placeVm: { name: aLabel, epoch: aCount, workerId: aNodeId },
  preempt: { name: aLabel, epoch: aCount, workerId: aNodeId, victims: listOf(aLabel, CLUSTER_LIMITS.observations) },
  evictVm: { name: aLabel, epoch: aCount, cause: oneOf(EVICTION_CAUSES), to: orNull(aNodeId) },
  recoverVm: { name: aLabel, epoch: aCount },
  dropNomination: { name: aLabel, epoch: aCount },
  placeTask: { id: aLabel, attempt: aCount, workerId: aNodeId },
  setVmDesired: { name: aLabel, desired: oneOf(["running", "stopped"]) },
  restartVm: { name: aLabel },
  migrateVm: { name: aLabel, to: orNull(aNodeId) },
  setAvailability: { workerId: aNodeId, availability: oneOf(AVAILABILITIES) },
  confirmWorkerDead: { workerId: aNodeId },
  setQuota: { tenant: aLabel, quota: orNull(aQuota) },
  createPool: { spec: ipPoolSpec },
  deletePool: { name: aLabel },
  setPoolEnabled: { name: aLabel, enabled: aFlag },
  submitTask: { id: aLabel, spec: taskSpec },
  cancelTask: { id: aLabel },
  configureScheduler: { settings: schedulerSettings },
  rebalance: {
    moves: listOf(record<RebalanceMove>({ name: aLabel, epoch: aCount, to: aNodeId }), CLUSTER_LIMITS.observations),
  },
  setPoolStrategy: { strategy: oneOf(POOL_STRATEGIES) },
  removeWorker: { workerId: aNodeId },
});

// ---- Records, as snapshots hold them: without what follows from others.

export type StoredWorker = Omit<WorkerRecord, "used" | "reserved" | "vms" | "tasks" | "nominees">;

export const storedWorker: Format<StoredWorker> = record<StoredWorker>({
  id: aNodeId,
  bootId: aBootId,
  registeredIndex: aCount,
  availability: oneOf(AVAILABILITIES),
  isOnline: aFlag,
  assignedIndex: aCount,
  ...factFormats,
});

export type StoredTenant = Omit<TenantRecord, "vms" | "usage">;

export const storedTenant: Format<StoredTenant> = record<StoredTenant>({
  name: aLabel,
  quota: orNull(aQuota),
  creates: aBucket,
  deletes: aBucket,
  requests: aBucket,
});

export type StoredPool = Omit<IpPoolRecord, "usedCount">;

export const storedPool: Format<StoredPool> = record<StoredPool>({
  spec: ipPoolSpec,
  number: anInteger(1, CLUSTER_LIMITS.ipPoolNumber),
  cursor: anInteger(-1),
});

export const storedTask: Format<TaskRecord> = record<TaskRecord>({
  id: aLabel,
  ...taskSpecFields,
  state: oneOf(TASK_STATES),
  attempt: aCount,
  workerId: orNull(aNodeId),
  isCancelled: aFlag,
  exitCode: orNull(anInteger(-(2 ** 31), 2 ** 31)),
  output: jobOutput,
  reason: jobOutput,
  createdIndex: aCount,
  updatedIndex: aCount,
  updatedAtMs: aCount,
});

export interface StoredPlacement
  extends Pick<
    VmRecord,
    | "workerId"
    | "placed"
    | "eviction"
    | "targetId"
    | "avoidId"
    | "reason"
    | "restarts"
    | "relocations"
    | "runningSinceMs"
    | "addresses"
  > {}

/** What a VM has since there are workers. */
export const storedPlacement: Format<StoredPlacement> = record<StoredPlacement>({
  workerId: orNull(aNodeId),
  placed: orNull(aResources),
  eviction: orNull(oneOf(EVICTION_CAUSES)),
  targetId: orNull(aNodeId),
  avoidId: orNull(aNodeId),
  reason: aReason,
  restarts: aCount,
  relocations: aCount,
  runningSinceMs: anInteger(0, CLUSTER_LIMITS.wallMs),
  addresses: listOf(record<VmAddress>({ pool: aLabel, index: aCount }), CLUSTER_LIMITS.listLength),
});

/** Of a VM that nobody has placed. */
export const NO_PLACEMENT: StoredPlacement = Object.freeze({
  workerId: null,
  placed: null,
  eviction: null,
  targetId: null,
  avoidId: null,
  reason: "",
  restarts: 0,
  relocations: 0,
  runningSinceMs: 0,
  addresses: Object.freeze([]),
});

/** What the snapshot's second item holds: everything that there is one of. */
export interface Singles
  extends Pick<
    ClusterState,
    | "scheduler"
    | "schedulerCursor"
    | "nextPoolNumber"
    | "poolStrategy"
    | "poolCursor"
    | "rebalancedAtMs"
    | "roomIndex"
    | "workerCount"
    | "taskCount"
    | "poolCount"
  > {
  /** With a quota, or with buckets that still count. */
  readonly limitedTenantCount: number;
}

const singleFields = {
  scheduler: schedulerSettings,
  schedulerCursor: aCount,
  nextPoolNumber: anInteger(1, CLUSTER_LIMITS.ipPoolNumber + 1),
  rebalancedAtMs: anInteger(0, CLUSTER_LIMITS.wallMs),
  roomIndex: aCount,
  workerCount: anInteger(0, CLUSTER_LIMITS.workers),
  taskCount: anInteger(0, CLUSTER_LIMITS.tasks),
  poolCount: anInteger(0, CLUSTER_LIMITS.ipPools),
  limitedTenantCount: anInteger(0, CLUSTER_LIMITS.tenants),
};

/** As version 3 had them: addresses came from pools that were named. */
export const singlesOfVersion3 = record<Omit<Singles, "poolStrategy" | "poolCursor">>(singleFields);

export const singles: Format<Singles> = record<Singles>({
  ...singleFields,
  poolStrategy: oneOf(POOL_STRATEGIES),
  poolCursor: anInteger(0, CLUSTER_LIMITS.ipPoolNumber),
});

export const orchestrationApplied: Format<(typeof ORCHESTRATED)[number]> = oneOf(ORCHESTRATED);

type OrchestrationRefusal = Exclude<
  Refusal,
  {
    readonly kind:
      | "vmExists"
      | "vmNotFound"
      | "generationMismatch"
      | "sessionExpired"
      | "sequenceTooOld"
      | "invalidCommand"
      | "limitReached"
      | "tokenExists"
      | "tokenNotForJoining"
      | "tokenRevoked"
      | "tokenNotFound"
      | "tokenExpired"
      | "tokenUsed"
      | "tokenForAnotherNode"
      | "nodeIdTaken"
      | "peerIdTaken";
  }
>;

const someTags: Format<readonly string[]> = listOf(aLabel, CLUSTER_LIMITS.listLength);

export const orchestrationRefusal: Format<OrchestrationRefusal> = variants<OrchestrationRefusal>({
  nodeNotFound: { nodeId: aNodeId },
  workerNotFound: { workerId: aNodeId },
  workerHasChanged: { workerId: aNodeId },
  vmHasChanged: {},
  vmIsBeingDeleted: {},
  vmIsNotPlaced: {},
  vmIsPlaced: { workerId: aNodeId },
  doesNotFit: { workerId: aNodeId, why: aReason },
  quotaExceeded: {
    resource: oneOf(["vms", "vcpus", "memoryMiB", "diskGiB"]),
    wanted: aCount,
    limit: aCount,
  },
  tooManyRequests: { what: oneOf(LIMITED_RATES), perMinute: aCount, retryAfterMs: aCount },
  poolExists: {},
  taskExists: {},
  taskNotFound: {},
  taskHasChanged: {},
  poolNotFound: { pool: aLabel },
  poolDisabled: { pool: aLabel },
  poolOverlaps: { pool: aLabel },
  poolInUse: { usedCount: aCount },
  poolExhausted: { pool: aLabel, size: aCount },
  tooSoon: { retryAfterMs: aCount },
  noPoolWithTags: { tags: someTags },
  poolsDisabled: { tags: someTags, disabledCount: aCount },
  poolsExhausted: { tags: someTags, size: aCount, disabledCount: aCount },
  workerRemoved: { workerId: aNodeId },
  workerIsMember: { workerId: aNodeId },
  workerIsOnline: { workerId: aNodeId },
  workerInUse: { workerId: aNodeId, vms: aCount, tasks: aCount },
});

type Orchestration = Extract<
  ClusterEvent,
  {
    readonly kind:
      | "vmState"
      | "workerRegistered"
      | "workerStatus"
      | "taskState"
      | "quotaSet"
      | "poolChanged"
      | "schedulerConfigured"
      | "requested"
      | "poolStrategySet"
      | "workerRemoved";
  }
>;

const when = { index: anInteger(1), term: aCount, atMs: anInteger(0, CLUSTER_LIMITS.wallMs) };

type Requested = Extract<Orchestration, { readonly kind: "requested" }>;

const requestedFields = {
  ...when,
  by: aText(1, CLUSTER_LIMITS.actorLength),
  command: oneOf(AUDITED_COMMANDS),
  target: orNull(aText(1, CLUSTER_LIMITS.labelLength)),
  refusal: orNull(aText(1, CLUSTER_LIMITS.labelLength)),
};

const eventShapes = {
  vmState: {
    ...when,
    name: aLabel,
    tenant: aLabel,
    from: oneOf(VM_STATES),
    state: oneOf(VM_STATES),
    workerId: orNull(aNodeId),
    epoch: aCount,
    reason: aReason,
  },
  workerRegistered: { ...when, workerId: aNodeId, driver: orNull(aText(1, CLUSTER_LIMITS.labelLength)) },
  workerStatus: { ...when, workerId: aNodeId, status: oneOf(WORKER_STATUSES), reason: aReason },
  taskState: {
    ...when,
    id: aLabel,
    state: oneOf(TASK_STATES),
    attempt: aCount,
    workerId: orNull(aNodeId),
    reason: jobOutput,
  },
  quotaSet: { ...when, tenant: aLabel, isLimited: aFlag },
  poolChanged: { ...when, pool: aLabel, change: oneOf(["created", "deleted", "enabled", "disabled"]) },
  schedulerConfigured: { ...when, strategy: oneOf(STRATEGIES) },
  requested: { ...requestedFields, change: orNull(oneOf(ASKED_CHANGES)) },
  poolStrategySet: { ...when, strategy: oneOf(POOL_STRATEGIES) },
  workerRemoved: { ...when, workerId: aNodeId },
};

export const orchestrationEvent: Format<Orchestration> = variants<Orchestration>(eventShapes);

/** As version 3 had them: it was not told which way a command went that goes either. */
const eventOfVersion3 = variants<Exclude<Orchestration, Requested> | Omit<Requested, "change">>({
  ...eventShapes,
  requested: requestedFields,
});

export function readEventOfVersion3(value: unknown, field: string): Orchestration {
  const event = eventOfVersion3.read(value, field);
  return event.kind === "requested" ? Object.freeze({ ...event, change: null }) : event;
}

export function isOrchestrationEvent(event: ClusterEvent): event is Orchestration {
  switch (event.kind) {
    case "vmState":
    case "workerRegistered":
    case "workerStatus":
    case "taskState":
    case "quotaSet":
    case "poolChanged":
    case "schedulerConfigured":
    case "requested":
    case "poolStrategySet":
    case "workerRemoved":
      return true;
    default:
      return false;
  }
}
