/** What procedures speak in about hosts, placement, tasks, tenants and address pools. As in `schemas.ts`. */
import { z } from "zod";
import {
  CLUSTER_LIMITS,
  DEFAULT_QUOTA,
  DEFAULT_SCHEDULER,
  FAILURE_DOMAINS,
  POOL_STRATEGIES,
  STRATEGIES,
  TASK_STATES,
  WORKER_STATUSES,
} from "../../core/index.ts";
import { count, durationMs, instantMs, label, listOf, logIndex, nodeId, resourcesSchema } from "./schemas.ts";

export const workerSchema = z.strictObject({
  id: nodeId,
  status: z.enum(WORKER_STATUSES).meta({ description: "offline: the cluster does not count on its lease any more" }),
  driver: z
    .string()
    .nullable()
    .meta({ description: "What runs machines there; null: nothing, and VMs placed there stay Scheduled" }),
  capacity: resourcesSchema.meta({ description: "What the host has" }),
  promisable: resourcesSchema.meta({
    description: "What may be placed there in all: with overcommit, less the reserve",
  }),
  used: resourcesSchema.meta({ description: "Of everything that is placed there and has not been seen gone" }),
  reserved: resourcesSchema.meta({ description: "Kept for VMs that wait for those to stop that they preempted" }),
  features: z.array(label),
  topology: z.strictObject({ datacenter: label, zone: label, rack: label }),
  costPerHour: count.meta({ description: "In thousandths of any one currency" }),
  vmCount: count,
  taskCount: count,
});

export const taskSchema = z.strictObject({
  id: label,
  command: z.string(),
  args: z.array(z.string()),
  resources: resourcesSchema,
  features: z.array(label),
  tenant: label,
  timeoutMs: durationMs,
  attemptsMax: count,
  state: z.enum(TASK_STATES),
  attempt: count.meta({ description: "Attempts so far" }),
  workerId: nodeId.nullable().meta({ description: "Where it runs now" }),
  isCancelled: z.boolean().meta({ description: "Somebody wants it to end" }),
  exitCode: z.int().nullable().meta({ description: "Of the last attempt that ended by itself" }),
  output: z.string().meta({ description: "The end of what the last attempt printed, at most 4,096 characters" }),
  reason: z.string(),
  createdIndex: logIndex,
  updatedIndex: logIndex,
  updatedAtMs: instantMs,
});

const hostResource = (max: number, fallback: number) => z.int().min(0).max(max).default(fallback);

export const taskSpecSchema = z.strictObject({
  command: z
    .string()
    .min(1)
    .max(CLUSTER_LIMITS.pathLength)
    .meta({ description: "An absolute path or a name; never a shell line", examples: ["/usr/bin/backup"] }),
  args: z.array(z.string().max(CLUSTER_LIMITS.taskArgLength)).max(CLUSTER_LIMITS.taskArgs).default([]),
  resources: z
    .strictObject({
      vcpus: hostResource(CLUSTER_LIMITS.hostVcpus, 1),
      memoryMiB: hostResource(CLUSTER_LIMITS.hostMemoryMiB, 256),
      diskGiB: hostResource(CLUSTER_LIMITS.hostDiskGiB, 0),
    })
    .prefault({}),
  features: listOf(label).default([]),
  tenant: label.default("default"),
  timeoutMs: z.int().min(1).max(CLUSTER_LIMITS.durationMs).default(3_600_000),
  attemptsMax: z.int().min(1).max(CLUSTER_LIMITS.attempts).default(1),
});

const amount = (fallback: number) =>
  z
    .int()
    .min(0)
    .max(2 ** 40)
    .default(fallback);
const rate = (fallback: number) => z.int().min(0).max(1_000_000).default(fallback);

export const quotaSchema = z.strictObject({
  vms: amount(DEFAULT_QUOTA.vms),
  vcpus: amount(DEFAULT_QUOTA.vcpus),
  memoryMiB: amount(DEFAULT_QUOTA.memoryMiB),
  diskGiB: amount(DEFAULT_QUOTA.diskGiB),
  vmsPerWorker: amount(DEFAULT_QUOTA.vmsPerWorker),
  createsPerMinute: rate(DEFAULT_QUOTA.createsPerMinute),
  deletesPerMinute: rate(DEFAULT_QUOTA.deletesPerMinute),
  requestsPerSecond: rate(DEFAULT_QUOTA.requestsPerSecond),
  requestsBurst: rate(DEFAULT_QUOTA.requestsBurst),
});

export const tenantSchema = z.strictObject({
  tenant: label,
  quota: quotaSchema.nullable().meta({ description: "null: it is not limited" }),
  usage: z.strictObject({ vms: count, ...resourcesSchema.shape }),
});

const address = z.string().min(1).max(CLUSTER_LIMITS.addressLength);

export const poolSpecSchema = z.strictObject({
  name: label,
  subnet: address.meta({ description: "v4 from /8, v6 from /48", examples: ["10.0.0.0/24"] }),
  gateway: address.nullable().default(null),
  dns: listOf(address).default([]),
  rangeFirst: address.nullable().default(null).meta({ description: "null: from the start of the subnet" }),
  rangeLast: address.nullable().default(null).meta({ description: "null: to its end" }),
  vlan: z.int().min(1).max(4094).nullable().default(null),
  reserved: z
    .array(address)
    .max(CLUSTER_LIMITS.reservedAddresses)
    .default([])
    .meta({ description: "Addresses that are never given out" }),
  datacenter: label.nullable().default(null),
  zone: label.nullable().default(null),
  tags: listOf(label).default([]),
  enabled: z.boolean().default(true).meta({ description: "One that is not gives out nothing new" }),
});

export const poolSchema = z.strictObject({
  ...poolSpecSchema.shape,
  size: count.meta({ description: "Addresses that may be given out" }),
  usedCount: count,
});

export const poolStrategy = z.enum(POOL_STRATEGIES).meta({
  description:
    "Which pool an address comes from where a VM names none: the one with the smallest or the largest share of addresses in use, one after the other, or the one at home nearest to where the VM prefers to be",
});

const factor = (fallback: number) => z.number().min(1).max(10).multipleOf(0.01).default(fallback);

export const schedulerSchema = z.strictObject({
  strategy: z.enum(STRATEGIES).default(DEFAULT_SCHEDULER.strategy),
  overcommit: z
    .strictObject({
      cpu: factor(DEFAULT_SCHEDULER.overcommit.cpu),
      memory: factor(DEFAULT_SCHEDULER.overcommit.memory),
      disk: factor(DEFAULT_SCHEDULER.overcommit.disk),
      reservePercent: z.int().min(0).max(90).default(DEFAULT_SCHEDULER.overcommit.reservePercent),
    })
    .prefault({}),
  preemption: z
    .boolean()
    .default(DEFAULT_SCHEDULER.preemption)
    .meta({ description: "Whether preemptible VMs of lower priority make room when nothing else fits" }),
  spreadScope: z.enum(FAILURE_DOMAINS).default(DEFAULT_SCHEDULER.spreadScope),
  minDomains: z.int().min(1).max(CLUSTER_LIMITS.workers).default(DEFAULT_SCHEDULER.minDomains),
  costIncreasePercentMax: z.int().min(0).max(1000).default(DEFAULT_SCHEDULER.costIncreasePercentMax),
});

const workerRefusalSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.enum(["offline", "cordoned", "draining"]) }),
  z.strictObject({ kind: z.literal("notTheNamedWorker") }),
  z.strictObject({ kind: z.literal("missingFeatures"), features: z.array(label) }),
  z.strictObject({
    kind: z.literal("insufficient"),
    resource: z.enum(["vcpus", "memoryMiB", "diskGiB"]),
    needed: count,
    free: count,
  }),
  z.strictObject({ kind: z.literal("tenantQuota"), used: count, limit: count }),
  z.strictObject({
    kind: z.literal("antiAffinity"),
    group: label,
    scope: z.enum(FAILURE_DOMAINS),
    domain: z.string(),
    count,
    limit: count,
  }),
  z.strictObject({ kind: z.literal("excludedDatacenter"), datacenter: label }),
  z.strictObject({ kind: z.literal("locality"), wanted: label, actual: label }),
  z.strictObject({ kind: z.literal("tooFewDomains"), count, limit: count }),
  z.strictObject({ kind: z.literal("tooDear"), costPerHour: count, limit: z.number() }),
]);

export const planSchema = z.strictObject({
  workerId: nodeId.nullable().meta({ description: "Where it would go; null: nowhere now" }),
  preemption: z
    .strictObject({ workerId: nodeId, victims: z.array(label) })
    .nullable()
    .meta({ description: "Who would have to stop, and where, so that it fits" }),
  judgements: z
    .array(
      z.strictObject({
        workerId: nodeId,
        score: z.number().nullable().meta({ description: "Higher is better; null: refused" }),
        refusal: workerRefusalSchema.nullable(),
      }),
    )
    .meta({ description: "Those who would take it, best first; then the others by id" }),
  refusals: z
    .array(
      z.strictObject({
        kind: z.string(),
        resource: z.enum(["vcpus", "memoryMiB", "diskGiB"]).nullable(),
        count,
        needed: count.nullable(),
        free: count.nullable().meta({ description: "The most that any of these workers has free" }),
      }),
    )
    .meta({ description: "The same refusals, counted by kind" }),
});

export const rebalanceMoveSchema = z.strictObject({
  name: label,
  epoch: count.meta({ description: "The run that is meant: a VM that has been placed anew meanwhile stays" }),
  to: nodeId,
});
