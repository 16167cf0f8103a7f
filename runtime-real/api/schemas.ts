/**
 * The values that procedures speak in, as zod schemas: requests are checked with them, the OpenAPI document is made from them. Fields and defaults are
 * those of the replicated state; where a limit lies there too, the schema repeats it so that the document can tell it.
 */
import { z } from "zod";
import {
  ASKED_CHANGES,
  AUDITED_COMMANDS,
  CLUSTER_LIMITS,
  DEFAULT_RECOVERY,
  DEFAULT_VM_SPEC,
  DESIRED_STATES,
  EVICTION_CAUSES,
  FAILURE_DOMAINS,
  HYPERVISORS,
  LIMITS,
  ON_WORKER_LOST,
  POOL_STRATEGIES,
  STRATEGIES,
  TASK_STATES,
  VM_STATES,
  WORKER_STATUSES,
} from "../../core/index.ts";

export const label = z
  .string()
  .max(CLUSTER_LIMITS.labelLength)
  .regex(
    /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/,
    "must be lower-case letters, digits and inner hyphens (an RFC 1123 label, at most 63 characters)",
  )
  .meta({ description: "RFC 1123 label", examples: ["web"] });

export const nodeId = z
  .int()
  .min(1)
  .max(CLUSTER_LIMITS.nodeId)
  .meta({ description: "A member's number", examples: [1] });
export const peerId = z.string().min(1).max(LIMITS.peerIdLength).meta({ description: "A libp2p peer id" });
export const count = z.int().min(0);
export const logIndex = count.meta({ description: "Index in the replicated log" });
export const instantMs = count.max(CLUSTER_LIMITS.wallMs).meta({ description: "Milliseconds since 1970" });
export const durationMs = z.int().min(0).max(CLUSTER_LIMITS.durationMs);
const periodMs = z.int().min(1).max(CLUSTER_LIMITS.durationMs);
const generation = z.int().min(1);

const healthProbe = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("http"),
    port: z.int().min(1).max(65_535),
    path: z.string().min(1).max(CLUSTER_LIMITS.pathLength),
  }),
  z.strictObject({ kind: z.literal("tcp"), port: z.int().min(1).max(65_535) }),
  z.strictObject({ kind: z.literal("script"), script: z.string().min(1).max(CLUSTER_LIMITS.scriptLength) }),
  z.strictObject({ kind: z.literal("console"), pattern: z.string().min(1).max(CLUSTER_LIMITS.pathLength) }),
  z.strictObject({ kind: z.literal("process"), process: z.string().min(1).max(CLUSTER_LIMITS.pathLength) }),
  z.strictObject({ kind: z.literal("guestAgent") }),
]);

const healthCheck = z.strictObject({
  name: label,
  probe: healthProbe,
  intervalMs: periodMs.default(30_000),
  timeoutMs: periodMs.default(5000),
  initialDelayMs: durationMs.default(60_000),
  failures: z.int().min(1).max(CLUSTER_LIMITS.healthCheckCount).default(3),
  successes: z.int().min(1).max(CLUSTER_LIMITS.healthCheckCount).default(2),
  weight: z.int().min(0).max(CLUSTER_LIMITS.weight).default(100),
  critical: z.boolean().default(false),
});

export const listOf = <Item extends z.ZodType>(item: Item) => z.array(item).max(CLUSTER_LIMITS.listLength);

const named = <Item extends z.ZodType<{ readonly name: string }>>(item: Item) =>
  listOf(item).refine(
    (items) => new Set(items.map(({ name }) => name)).size === items.length,
    "must not name the same thing twice",
  );

const networkAttachment = z
  .union(
    [
      z.strictObject({ pool: label }),
      z.strictObject({
        pool: z.null().default(null),
        tags: listOf(label).default([]).meta({ description: "The pool must carry them all" }),
      }),
    ],
    { error: "must be the pool's name, or tags that the pool must carry and no name" },
  )
  .meta({ description: "Where an address comes from; without a pool the cluster chooses one" });

const metadataKey = z
  .string()
  .min(1)
  .max(CLUSTER_LIMITS.metadataKeyLength)
  .regex(
    /^[a-z0-9](?:[a-z0-9._/-]*[a-z0-9])?$/,
    "must be lower-case letters, digits and inner dots, underscores, slashes or hyphens",
  );

/** A VM's specification; every field may be left out. */
export const vmSpecSchema = z.strictObject({
  vcpus: z.int().min(1).max(CLUSTER_LIMITS.vcpus).default(DEFAULT_VM_SPEC.vcpus),
  memoryMiB: z.int().min(1).max(CLUSTER_LIMITS.memoryMiB).default(DEFAULT_VM_SPEC.memoryMiB),
  diskGiB: z.int().min(0).max(CLUSTER_LIMITS.diskGiB).default(DEFAULT_VM_SPEC.diskGiB),
  hypervisor: z.enum(HYPERVISORS).default(DEFAULT_VM_SPEC.hypervisor),
  tenant: label.default(DEFAULT_VM_SPEC.tenant),
  priority: z.int().min(0).max(CLUSTER_LIMITS.priority).default(DEFAULT_VM_SPEC.priority),
  preemptible: z.boolean().default(DEFAULT_VM_SPEC.preemptible),
  features: listOf(label).default([]),
  antiAffinity: listOf(
    z.strictObject({
      group: label,
      softWeight: z.int().min(0).max(CLUSTER_LIMITS.weight).nullable().default(null),
      maxPerDomain: z.int().min(1).max(CLUSTER_LIMITS.instancesPerDomain).default(1),
      scope: z.enum(FAILURE_DOMAINS).default("node"),
    }),
  ).default([]),
  locality: z
    .strictObject({
      preferredDatacenter: label.nullable().default(null),
      preferredZone: label.nullable().default(null),
      strict: z.boolean().default(false),
      excludedDatacenters: listOf(label).default([]),
    })
    .nullable()
    .default(null),
  networks: listOf(networkAttachment).default([]),
  volumes: named(z.strictObject({ name: label, sizeGiB: z.int().min(1).max(CLUSTER_LIMITS.diskGiB) })).default([]),
  source: z
    .discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("image"), image: z.string().min(1).max(CLUSTER_LIMITS.imageLength) }),
      z.strictObject({
        kind: z.literal("nixModule"),
        nixModule: z.string().min(1).max(CLUSTER_LIMITS.nixModuleLength),
      }),
    ])
    .nullable()
    .default(null),
  healthChecks: named(healthCheck).default([]),
  onWorkerLost: z.enum(ON_WORKER_LOST).default(DEFAULT_VM_SPEC.onWorkerLost),
  workerId: nodeId
    .nullable()
    .default(DEFAULT_VM_SPEC.workerId)
    .meta({ description: "The only worker that may run it; null: any" }),
  recovery: z
    .strictObject({
      restartsMax: z.int().min(0).max(CLUSTER_LIMITS.restarts).default(DEFAULT_RECOVERY.restartsMax),
      backoffMs: durationMs.default(DEFAULT_RECOVERY.backoffMs),
      backoffFactor: z
        .int("must be an integer")
        .min(1)
        .max(CLUSTER_LIMITS.backoffFactor)
        .default(DEFAULT_RECOVERY.backoffFactor),
      backoffMaxMs: durationMs.default(DEFAULT_RECOVERY.backoffMaxMs),
      resetAfterMs: durationMs.default(DEFAULT_RECOVERY.resetAfterMs),
    })
    .default({ ...DEFAULT_RECOVERY }),
  metadata: z
    .record(metadataKey, z.string().max(CLUSTER_LIMITS.metadataValueLength))
    .refine(
      (pairs) => Object.keys(pairs).length <= CLUSTER_LIMITS.metadataPairs,
      `must have at most ${CLUSTER_LIMITS.metadataPairs} pairs`,
    )
    .meta({ maxProperties: CLUSTER_LIMITS.metadataPairs })
    .default({}),
});

/** Of a host, or of what takes room there. */
export const resourcesSchema = z.strictObject({ vcpus: count, memoryMiB: count, diskGiB: count });

export const vmAddressSchema = z.strictObject({
  pool: label,
  address: z.string(),
  prefixLength: count,
  gateway: z.string().nullable(),
  mac: z.string(),
  tap: z.string().meta({ description: "The tap device on its worker" }),
});

export const vmRecordSchema = z.strictObject({
  name: label,
  tenant: label,
  spec: vmSpecSchema,
  state: z.enum(VM_STATES),
  desired: z.enum(DESIRED_STATES),
  reason: z.string().meta({ description: "Why it is as it is, for people; empty when there is nothing to say" }),
  generation,
  epoch: count.meta({ description: "Names one run of its machine; 0: it never had one" }),
  workerId: nodeId
    .nullable()
    .meta({ description: "Where it is placed and holds room, until it is seen gone; null: nowhere" }),
  placed: resourcesSchema.nullable().meta({ description: "What it was placed with" }),
  eviction: z
    .enum(EVICTION_CAUSES)
    .nullable()
    .meta({ description: "Why it has to leave its worker; null: it may stay" }),
  targetId: nodeId.nullable().meta({ description: "Where room is kept for it, or where it shall go next" }),
  avoidId: nodeId.nullable().meta({ description: "The worker that it shall not go back to if any other will have it" }),
  restarts: count.meta({ description: "On this worker, since it was last healthy for long" }),
  relocations: count.meta({ description: "Because restarts did not help, since it was last healthy for long" }),
  runningSinceMs: instantMs.meta({ description: "When it last began to run; 0: never" }),
  addresses: z.array(vmAddressSchema).meta({ description: "One for each of its networks" }),
  createdIndex: logIndex,
  updatedIndex: logIndex,
  createdAtMs: instantMs,
  updatedAtMs: instantMs,
});

export const sessionSchema = z
  .strictObject({
    id: z.int().min(1).meta({ description: "As answered by session.open" }),
    sequence: z.int().min(1).meta({ description: "Number of this request; a retry carries the same" }),
    lowestUnacknowledged: z.int().min(1).meta({ description: "The lowest number whose answer is still awaited" }),
  })
  .meta({ description: "Makes a retried write happen exactly once" });

/** Of every write that may be retried. */
export const withSession = { session: sessionSchema.nullable().default(null) };

/** Where a write took its place in the log. */
export const written = {
  index: logIndex,
  term: count.meta({ description: "Raft term of the entry" }),
};

export const pageLimit = z.int().min(1).max(CLUSTER_LIMITS.listPage).default(CLUSTER_LIMITS.listPage);

/** How fresh a read must be. */
export const withStale = {
  stale: z.boolean().default(false).meta({ description: "Read what this node has, without asking the leader" }),
};

export const memberRole = z.enum(["voter", "learner", "none", "removed"]);

export const nodeRecordSchema = z.strictObject({
  id: nodeId,
  peerId,
  addresses: z.array(z.string()).meta({ description: "host:port, where it listens for its peers" }),
  role: memberRole,
});

export const tokenPurpose = z.enum(["join", "api"]);

export const tokenRecordSchema = z.strictObject({
  id: z.string(),
  purpose: tokenPurpose,
  nodeId: nodeId.nullable().meta({ description: "The only node id that may join with it; null: any" }),
  createdAtMs: instantMs,
  expiresAtMs: instantMs,
  usedBy: nodeId.nullable(),
  revokedAtMs: instantMs.nullable(),
});

const eventHead = { index: logIndex, term: count, atMs: instantMs };
const vmEvent = { ...eventHead, name: label, tenant: label, generation };

export const clusterEventSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("vmCreated"), ...vmEvent }),
  z.strictObject({ kind: z.literal("vmUpdated"), ...vmEvent }),
  z.strictObject({ kind: z.literal("vmDeleted"), ...vmEvent }),
  z.strictObject({
    kind: z.literal("vmState"),
    ...eventHead,
    name: label,
    tenant: label,
    from: z.enum(VM_STATES),
    state: z.enum(VM_STATES),
    workerId: nodeId.nullable(),
    epoch: count,
    reason: z.string(),
  }),
  z.strictObject({
    kind: z.literal("workerRegistered"),
    ...eventHead,
    workerId: nodeId,
    driver: z.string().nullable(),
  }),
  z.strictObject({
    kind: z.literal("workerStatus"),
    ...eventHead,
    workerId: nodeId,
    status: z.enum(WORKER_STATUSES),
    reason: z.string(),
  }),
  z.strictObject({
    kind: z.literal("taskState"),
    ...eventHead,
    id: z.string(),
    state: z.enum(TASK_STATES),
    attempt: count,
    workerId: nodeId.nullable(),
    reason: z.string(),
  }),
  z.strictObject({ kind: z.literal("quotaSet"), ...eventHead, tenant: label, isLimited: z.boolean() }),
  z.strictObject({
    kind: z.literal("poolChanged"),
    ...eventHead,
    pool: label,
    change: z.enum(["created", "deleted", "enabled", "disabled"]),
  }),
  z.strictObject({ kind: z.literal("schedulerConfigured"), ...eventHead, strategy: z.enum(STRATEGIES) }),
  z.strictObject({
    kind: z.literal("requested"),
    ...eventHead,
    by: z.string(),
    command: z.enum(AUDITED_COMMANDS),
    change: z
      .enum(ASKED_CHANGES)
      .nullable()
      .meta({ description: "Which way, of a command that goes either; null: it goes one way" }),
    target: z.string().nullable(),
    refusal: z.string().nullable(),
  }),
  z.strictObject({ kind: z.literal("workerRemoved"), ...eventHead, workerId: nodeId }),
  z.strictObject({ kind: z.literal("tokenCreated"), ...eventHead, tokenId: z.string(), purpose: tokenPurpose }),
  z.strictObject({ kind: z.literal("tokenRevoked"), ...eventHead, tokenId: z.string() }),
  z.strictObject({ kind: z.literal("nodeAdmitted"), ...eventHead, nodeId, tokenId: z.string() }),
  z.strictObject({ kind: z.literal("nodeAnnounced"), ...eventHead, nodeId, addresses: z.array(z.string()) }),
  z.strictObject({ kind: z.literal("poolStrategySet"), ...eventHead, strategy: z.enum(POOL_STRATEGIES) }),
  z.strictObject({
    kind: z.literal("membershipChanged"),
    ...eventHead,
    voters: z.array(nodeId),
    learners: z.array(nodeId),
  }),
]);
