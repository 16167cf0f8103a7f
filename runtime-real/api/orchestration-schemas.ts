/** What procedures answer about hosts, placement, tasks, tenants and address pools. As in `schemas.ts`. */
import { z } from "zod";
import {
  countSchema,
  FAILURE_DOMAINS,
  ipPoolSpecFields,
  nameSchema,
  nodeIdSchema,
  POOL_STRATEGIES,
  quotaSchema,
  RESOURCES,
  schema,
  taskSchema,
  topologySchema,
  WORKER_STATUSES,
} from "../../core/index.ts";
import { count, label, nodeId, resources } from "./schemas.ts";
import { zodOf } from "./zod-of.ts";

const { choice, record } = schema;

export const workerSchema = z.strictObject({
  id: nodeId,
  status: z.enum(WORKER_STATUSES).meta({ description: "offline: the cluster does not count on its lease any more" }),
  driver: z
    .string()
    .nullable()
    .meta({ description: "What runs machines there; null: nothing, and VMs placed there stay Scheduled" }),
  capacity: resources.meta({ description: "What the host has" }),
  promisable: resources.meta({
    description: "What may be placed there in all: with overcommit, less the reserve",
  }),
  used: resources.meta({ description: "Of everything that is placed there and has not been seen gone" }),
  reserved: resources.meta({ description: "Kept for VMs that wait for those to stop that they preempted" }),
  features: z.array(label),
  topology: zodOf(topologySchema),
  costPerHour: count.meta({ description: "In thousandths of any one currency" }),
  guestsVia: z.array(z.string()).meta({ description: "Where other hosts send what is for its guests" }),
  vmCount: count,
  taskCount: count,
});

export const taskAnswer = zodOf(taskSchema);

export const tenantSchema = z.strictObject({
  tenant: label,
  quota: zodOf(quotaSchema).nullable().meta({ description: "null: it is not limited" }),
  usage: z.strictObject({ vms: count, vcpus: count, memoryMiB: count, diskGiB: count }),
});

export const poolSchema = zodOf(
  record({
    ...ipPoolSpecFields,
    size: countSchema.doc("Addresses that may be given out"),
    usedCount: countSchema,
  }),
);

export const poolStrategySchema = choice(POOL_STRATEGIES).doc(
  "Which pool an address comes from where a VM names none: the one with the smallest or the largest share of addresses in use, one after the other, or the one at home nearest to where the VM prefers to be",
);

const workerRefusalSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.enum(["offline", "cordoned", "draining"]) }),
  z.strictObject({ kind: z.literal("notTheNamedWorker") }),
  z.strictObject({ kind: z.literal("missingFeatures"), features: z.array(label) }),
  z.strictObject({
    kind: z.literal("insufficient"),
    resource: z.enum(RESOURCES),
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
  z.strictObject({ kind: z.literal("tooExpensive"), costPerHour: count, limit: z.number() }),
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
        resource: z.enum(RESOURCES).nullable(),
        count,
        needed: count.nullable(),
        free: count.nullable().meta({ description: "The most that any of these workers has free" }),
      }),
    )
    .meta({ description: "The same refusals, counted by kind" }),
});

export const runSchema = countSchema.doc("The run that is meant: a VM that has been placed anew meanwhile stays");

export const rebalanceMoveSchema = record({
  name: nameSchema,
  epoch: runSchema,
  to: nodeIdSchema,
});
