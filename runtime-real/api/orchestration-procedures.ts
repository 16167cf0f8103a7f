/** The procedures about workers, running VMs, tasks, tenants, address pools and placement. */
import { z } from "zod";
import {
  type Availability,
  CLUSTER_LIMITS,
  type Command,
  DEFAULT_VM_SPEC,
  ipPoolSpecFields,
  nameSchema,
  nodeIdSchema,
  quotaSchema,
  schedulerSettingsSchema,
  schema,
  taskSpecFields,
  vmSpecSchema,
  withAddressRule,
} from "../../core/index.ts";
import {
  planSchema,
  poolSchema,
  poolStrategySchema,
  rebalanceMoveSchema,
  runSchema,
  taskAnswer,
  tenantSchema,
  workerSchema,
} from "./orchestration-schemas.ts";
import { answeredCommand, cluster, commandProcedure, ofVm, procedure, type Resource } from "./procedure.ts";
import { pageLimit, withSession, withStale } from "./request-fields.ts";
import { count, label, logIndex, nodeId, vmRecordSchema, written } from "./schemas.ts";
import { zodOf } from "./zod-of.ts";

const { integer, list, nullable, record, text } = schema;

const ofWorker = ({ id }: { readonly id: number }): Resource => ({ kind: "node", id });
const allWorkers = (): Resource => ({ kind: "node", id: null });
const ofTask = ({ id }: { readonly id: string }): Resource => ({ kind: "task", id });
const ofTenant = ({ tenant }: { readonly tenant: string }): Resource => ({ kind: "tenant", name: tenant });
const allPools = (): Resource => ({ kind: "pool", name: null });
const ofPool = ({ name }: { readonly name: string }): Resource => ({ kind: "pool", name });

/** In any order: they are sorted before the core sees them. */
const anyFeatures = list(nameSchema, { lengthMax: CLUSTER_LIMITS.listLength })
  .default([])
  .doc("What its worker must offer");

const aWorker = record({ id: nodeIdSchema, ...withSession });
const aVm = record({ name: nameSchema, ...withSession });
const aPool = record({ name: nameSchema, ...withSession });
/** A change of one worker. */
function changingWorker(summary: string, command: (id: number) => Command) {
  const action = "manageNode";
  return commandProcedure({ summary, action, resource: ofWorker, request: aWorker, command: ({ id }) => command(id) });
}

function setAvailability(availability: Availability) {
  return (workerId: number): Command => ({ kind: "setAvailability", workerId, availability });
}

/** A change of what one VM is to do. */
function changingVm(summary: string, command: (name: string) => Command) {
  const action = "executeVM";
  return commandProcedure({ summary, action, resource: ofVm, request: aVm, command: ({ name }) => command(name) });
}

function changingPool(summary: string, command: (name: string) => Command) {
  const action = "managePool";
  return commandProcedure({ summary, action, resource: ofPool, request: aPool, command: ({ name }) => command(name) });
}

export const orchestrationProcedures = {
  // ---- Workers

  "worker.list": procedure({
    summary: "All hosts that run machines, or have.",
    effect: "read",
    action: "readNode",
    resource: allWorkers,
    request: record({ ...withStale }),
    answer: z.strictObject({ index: logIndex, workers: z.array(workerSchema) }),
  }),

  "worker.show": procedure({
    summary: "One host, with what is placed there.",
    effect: "read",
    action: "readNode",
    resource: ofWorker,
    request: record({ id: nodeIdSchema, ...withStale }),
    answer: z.strictObject({
      index: logIndex,
      worker: workerSchema,
      vms: z.array(vmRecordSchema),
      tasks: z.array(taskAnswer),
    }),
  }),

  "worker.cordon": changingWorker("Places nothing new on a host; what is there stays.", setAvailability("cordoned")),
  "worker.uncordon": changingWorker("Lets a host take VMs again; ends a drain.", setAvailability("online")),
  "worker.drain": changingWorker(
    "Moves what is on a host elsewhere, a few VMs at a time. Answers when that is asked for; it is over when the host's `vmCount` and `taskCount` are 0.",
    setAvailability("draining"),
  ),
  "worker.confirmDead": changingWorker(
    "An operator's word that a host is off: its VMs are placed elsewhere at once. Where the host is not off, a VM may then run twice.",
    (workerId) => ({ kind: "confirmWorkerDead", workerId }),
  ),
  "worker.remove": procedure({
    summary:
      "Takes a host that will never come back off the list and cuts it off for ever; its id is never used again. Refused while anything is placed there, while it is online, and for a member of the cluster.",
    effect: "write",
    action: "manageNode",
    resource: ofWorker,
    request: aWorker,
    answer: z.strictObject({ ...written }),
  }),

  // ---- Running VMs

  "vm.start": changingVm("Wants a VM to run.", (name) => ({ kind: "setVmDesired", name, desired: "running" })),
  "vm.stop": changingVm("Wants a VM to stand still. It keeps its place, its disk and its addresses.", (name) => ({
    kind: "setVmDesired",
    name,
    desired: "stopped",
  })),
  "vm.restart": changingVm("Wants another run of a VM where it is.", (name) => ({ kind: "restartVm", name })),

  "vm.migrate": commandProcedure({
    summary: "Stops a VM and places it on another worker.",
    action: "executeVM",
    resource: ofVm,
    request: record({
      name: nameSchema,
      to: nullable(nodeIdSchema).default(null).doc("null: wherever it fits best"),
      ...withSession,
    }),
    command: ({ name, to }) => ({ kind: "migrateVm", name, to }),
  }),

  "vm.plan": procedure({
    summary: "What would become of a request for such a VM now: each host's score or refusal. Changes nothing.",
    effect: "read",
    action: "readVM",
    resource: ofVm,
    request: record({ name: nameSchema, spec: vmSpecSchema.default(DEFAULT_VM_SPEC), ...withStale }),
    answer: z.strictObject({
      index: logIndex,
      obstacle: z
        .strictObject({ code: z.string(), message: z.string(), hint: z.string() })
        .nullable()
        .meta({ description: "Why vm.create would refuse it whatever the hosts say: name, quota, addresses" }),
      ...planSchema.shape,
    }),
  }),

  "vm.explain": procedure({
    summary: "Why a VM is where it is, or nowhere.",
    effect: "read",
    action: "readVM",
    resource: ofVm,
    request: record({ name: nameSchema, ...withStale }),
    answer: z.strictObject({ index: logIndex, ...planSchema.shape }),
  }),

  // ---- Tasks

  "task.submit": commandProcedure({
    summary: "Runs a command to completion on a worker that has the room. Answers when the request is committed.",
    action: "submitTask",
    resource: ofTask,
    request: record({ id: nameSchema, ...taskSpecFields, features: anyFeatures, ...withSession }),
    command: ({ id, session: _, features, ...spec }) => ({
      kind: "submitTask",
      id,
      spec: { ...spec, features: [...new Set(features)].sort() },
    }),
  }),

  "task.list": procedure({
    summary: "Tasks by id, a page at a time.",
    effect: "read",
    action: "readTask",
    resource: (): Resource => ({ kind: "task", id: null }),
    request: record({
      afterId: nullable(text(0, CLUSTER_LIMITS.taskIdLength)).default(null),
      limit: pageLimit,
      ...withStale,
    }),
    answer: z.strictObject({ index: logIndex, tasks: z.array(taskAnswer), nextAfterId: z.string().nullable() }),
  }),

  "task.show": procedure({
    summary: "One task, with the end of its output.",
    effect: "read",
    action: "readTask",
    resource: ofTask,
    request: record({ id: nameSchema, ...withStale }),
    answer: z.strictObject({ index: logIndex, task: taskAnswer }),
  }),

  "task.cancel": commandProcedure({
    summary: "Ends a task; forgets one that is over.",
    action: "cancelTask",
    resource: ofTask,
    request: record({ id: nameSchema, ...withSession }),
    command: ({ id }) => ({ kind: "cancelTask", id }),
  }),

  // ---- Tenants

  "quota.set": commandProcedure({
    summary: "Limits a tenant. What it has already stays.",
    action: "manageQuota",
    resource: ofTenant,
    request: record({
      tenant: nameSchema,
      quota: nullable(quotaSchema).doc("null: no limits"),
      ...withSession,
    }),
    command: ({ tenant, quota }) => ({ kind: "setQuota", tenant, quota }),
  }),

  "quota.get": procedure({
    summary: "What a tenant may have, and has.",
    effect: "read",
    action: "readQuota",
    resource: ofTenant,
    request: record({ tenant: nameSchema, ...withStale }),
    answer: z.strictObject({ index: logIndex, ...tenantSchema.shape }),
  }),

  "quota.list": procedure({
    summary: "All tenants that have a quota, or VMs.",
    effect: "read",
    action: "readQuota",
    resource: (): Resource => ({ kind: "tenant", name: null }),
    request: record({ ...withStale }),
    answer: z.strictObject({ index: logIndex, tenants: z.array(tenantSchema) }),
  }),

  // ---- Address pools

  "ipPool.create": commandProcedure({
    summary: "Makes a pool from which VMs get addresses.",
    action: "managePool",
    resource: ofPool,
    request: withAddressRule(record({ ...ipPoolSpecFields, ...withSession })),
    command: ({ session: _, ...spec }) => ({ kind: "createPool", spec }),
  }),

  "ipPool.list": procedure({
    summary: "All address pools, by name, and how the cluster chooses among them.",
    effect: "read",
    action: "readPool",
    resource: allPools,
    request: record({ ...withStale }),
    answer: z.strictObject({ index: logIndex, strategy: zodOf(poolStrategySchema), pools: z.array(poolSchema) }),
  }),

  "ipPool.show": procedure({
    summary: "One address pool.",
    effect: "read",
    action: "readPool",
    resource: ofPool,
    request: record({ name: nameSchema, ...withStale }),
    answer: z.strictObject({ index: logIndex, pool: poolSchema }),
  }),

  "ipPool.setStrategy": commandProcedure({
    summary: "Changes which pool addresses come from where a VM names none, from now on.",
    action: "managePool",
    resource: allPools,
    request: record({ strategy: poolStrategySchema, ...withSession }),
    command: ({ strategy }) => ({ kind: "setPoolStrategy", strategy }),
  }),

  "ipPool.delete": changingPool("Deletes an address pool of which nothing is in use.", (name) => ({
    kind: "deletePool",
    name,
  })),
  "ipPool.enable": changingPool("Lets an address pool give out addresses again.", (name) => ({
    kind: "setPoolEnabled",
    name,
    enabled: true,
  })),
  "ipPool.disable": changingPool("Has an address pool give out nothing new; what it gave out stays.", (name) => ({
    kind: "setPoolEnabled",
    name,
    enabled: false,
  })),

  // ---- Placement

  "scheduler.get": procedure({
    summary: "How the cluster places VMs.",
    effect: "read",
    action: "readCluster",
    resource: cluster,
    request: record({ ...withStale }),
    answer: z.strictObject({
      index: logIndex,
      scheduler: zodOf(schedulerSettingsSchema),
      generation: z.int().meta({ description: "One more with every change of the settings" }),
    }),
  }),

  "scheduler.configure": commandProcedure({
    summary: "Changes how the cluster places VMs from now on; what is placed stays.",
    action: "manageCluster",
    resource: cluster,
    request: record({
      scheduler: schedulerSettingsSchema.doc("All of them: what is left out gets its default"),
      expectedGeneration: nullable(integer(1))
        .default(null)
        .doc("The generation that was read; another means that somebody else was faster. null: whatever it is"),
      ...withSession,
    }),
    command: ({ scheduler: settings, expectedGeneration }) => ({
      kind: "configureScheduler",
      settings,
      expectedGeneration,
    }),
  }),

  "rebalance.plan": procedure({
    summary: "Moves that would even out how full the workers are. Changes nothing.",
    effect: "read",
    action: "readCluster",
    resource: cluster,
    request: record({ movesMax: integer(1, CLUSTER_LIMITS.observations).default(10), ...withStale }),
    answer: z.strictObject({
      index: logIndex,
      before: z
        .number()
        .meta({ description: "Imbalance: the standard deviation of how full the online workers are, 0 to 1" }),
      after: z.number(),
      moves: z.array(
        z.strictObject({
          name: label,
          epoch: zodOf(runSchema),
          from: nodeId,
          to: nodeId,
          gain: z.number().meta({ description: "How much lower the imbalance is after it" }),
        }),
      ),
    }),
  }),

  "rebalance.apply": answeredCommand({
    summary:
      "Makes the moves of a plan, each if its VM is still what it was. Refused within ten minutes of the last time.",
    action: "manageCluster",
    resource: cluster,
    request: record({
      moves: list(rebalanceMoveSchema, { lengthMin: 1, lengthMax: CLUSTER_LIMITS.observations }),
      ...withSession,
    }),
    answer: z.strictObject({
      ...written,
      moved: count.nullable().meta({ description: "Moves that are under way; null: not known any more" }),
      refused: count.nullable().meta({ description: "Moves that could not be made any more" }),
    }),
    command: ({ moves }) => ({ kind: "rebalance", moves }),
  }),
} as const;
