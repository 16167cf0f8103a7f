/** The formats of the commands, records and events that came with workers. */
import { type Overcommit, type SchedulerSettings, STRATEGIES, WORKER_STATUSES } from "../scheduler/index.ts";
import { ASKED_CHANGES, AUDITED_COMMANDS } from "./audit.ts";
import type { OperatorCommand, OwnCommand, RebalanceMove } from "./command.ts";
import type { ClusterEvent } from "./events.ts";
import { integer } from "./fields.ts";
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
import { ipPoolFromArray, ipPoolToArray } from "./ip-pool.ts";
import type { IpPoolRecord } from "./ip-pools.ts";
import { LIMITS } from "./limits.ts";
import { POOL_STRATEGIES } from "./pool-choice.ts";
import { ORCHESTRATED, type Refusal } from "./result.ts";
import type { ClusterState } from "./state.ts";
import { type JobObservation, TASK_STATES, type TaskRecord, type TaskSpec } from "./tasks.ts";
import { aBucket, aQuota, LIMITED_RATES, type TenantRecord } from "./tenants.ts";
import { type MachineObservation, SEEN_PHASES } from "./vm-moves.ts";
import { EVICTION_CAUSES, VM_STATES, type VmAddress, type VmRecord } from "./vm-record.ts";
import { FAILURE_DOMAINS, type VmSpec } from "./vm-spec.ts";
import { vmSpecFromArray, vmSpecToArray } from "./vm-spec-codec.ts";
import {
  AVAILABILITIES,
  aResources,
  factFormats,
  someFeatures,
  type WorkerFacts,
  type WorkerRecord,
} from "./workers.ts";

export const aNodeId: Format<number> = aValue(nodeId);
export const aCount: Format<number> = anInteger(0);
export const aReason: Format<string> = aText(0, LIMITS.reasonLength);
export const jobOutput: Format<string> = aText(0, LIMITS.outputLength);
export const vmSpecFormat: Format<VmSpec> = aValue(vmSpecFromArray, vmSpecToArray);

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
  minDomains: anInteger(1, LIMITS.workers),
  costIncreasePercentMax: anInteger(0, 1000),
});

export const workerFacts: Format<WorkerFacts> = record<WorkerFacts>(factFormats);

const taskSpecFields = {
  command: aText(1, LIMITS.pathLength),
  args: listOf(aText(0, LIMITS.taskArgLength), LIMITS.taskArgs),
  resources: aResources,
  features: someFeatures,
  tenant: aLabel,
  timeoutMs: anInteger(1, LIMITS.durationMs),
  attemptsMax: anInteger(1, LIMITS.attempts),
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
    machines: listOf(machineSeen, LIMITS.observations),
    jobs: listOf(jobSeen, LIMITS.observations),
  },
  placeVm: { name: aLabel, epoch: aCount, workerId: aNodeId },
  preempt: { name: aLabel, epoch: aCount, workerId: aNodeId, victims: listOf(aLabel, LIMITS.observations) },
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
    moves: listOf(record<RebalanceMove>({ name: aLabel, epoch: aCount, to: aNodeId }), LIMITS.observations),
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
  number: anInteger(1, LIMITS.ipPoolNumber),
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
  runningSinceMs: anInteger(0, LIMITS.wallMs),
  addresses: listOf(record<VmAddress>({ pool: aLabel, index: aCount }), LIMITS.listLength),
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
  nextPoolNumber: anInteger(1, LIMITS.ipPoolNumber + 1),
  rebalancedAtMs: anInteger(0, LIMITS.wallMs),
  roomIndex: aCount,
  workerCount: anInteger(0, LIMITS.workers),
  taskCount: anInteger(0, LIMITS.tasks),
  poolCount: anInteger(0, LIMITS.ipPools),
  limitedTenantCount: anInteger(0, LIMITS.tenants),
};

/** As version 3 had them: addresses came from pools that were named. */
export const singlesOfVersion3 = record<Omit<Singles, "poolStrategy" | "poolCursor">>(singleFields);

export const singles: Format<Singles> = record<Singles>({
  ...singleFields,
  poolStrategy: oneOf(POOL_STRATEGIES),
  poolCursor: anInteger(0, LIMITS.ipPoolNumber),
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

const someTags: Format<readonly string[]> = listOf(aLabel, LIMITS.listLength);

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

const when = { index: anInteger(1), term: aCount, atMs: anInteger(0, LIMITS.wallMs) };

type Requested = Extract<Orchestration, { readonly kind: "requested" }>;

const requestedFields = {
  ...when,
  by: aText(1, LIMITS.actorLength),
  command: oneOf(AUDITED_COMMANDS),
  target: orNull(aText(1, LIMITS.labelLength)),
  refusal: orNull(aText(1, LIMITS.labelLength)),
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
  workerRegistered: { ...when, workerId: aNodeId, driver: orNull(aText(1, LIMITS.labelLength)) },
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
