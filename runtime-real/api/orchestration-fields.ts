/** What procedures take about tasks, tenants, address pools and placement. */
import {
  CLUSTER_LIMITS,
  DEFAULT_QUOTA,
  DEFAULT_SCHEDULER,
  FAILURE_DOMAINS,
  ipPoolSpecSchema,
  nameSchema,
  nodeIdSchema,
  STRATEGIES,
  schema,
  TASK_STATES,
} from "../../core/index.ts";

const { choice, flag, hundredths, integer, list, nullable, record, text } = schema;

export const countSchema = integer(0);
export const logIndexSchema = integer(0).doc("Index in the replicated log");
export const instantMsSchema = integer(0, CLUSTER_LIMITS.wallMs).doc("Milliseconds since 1970");

export const resourcesSchema = record({
  vcpus: integer(0, CLUSTER_LIMITS.hostVcpus),
  memoryMiB: integer(0, CLUSTER_LIMITS.hostMemoryMiB),
  diskGiB: integer(0, CLUSTER_LIMITS.hostDiskGiB),
});

export const topologySchema = record({ datacenter: nameSchema, zone: nameSchema, rack: nameSchema });

const names = list(nameSchema, { lengthMax: CLUSTER_LIMITS.listLength });

export const taskSpecFields = {
  command: text(1, CLUSTER_LIMITS.pathLength)
    .doc("An absolute path or a name; never a shell line")
    .example("/usr/bin/backup"),
  args: list(text(0, CLUSTER_LIMITS.taskArgLength), { lengthMax: CLUSTER_LIMITS.taskArgs }).default([]),
  resources: record({
    vcpus: integer(0, CLUSTER_LIMITS.hostVcpus).default(1),
    memoryMiB: integer(0, CLUSTER_LIMITS.hostMemoryMiB).default(256),
    diskGiB: integer(0, CLUSTER_LIMITS.hostDiskGiB).default(0),
  }).default({ vcpus: 1, memoryMiB: 256, diskGiB: 0 }),
  features: names.default([]).doc("What its worker must offer"),
  tenant: nameSchema.default("default"),
  timeoutMs: integer(1, CLUSTER_LIMITS.durationMs).default(3_600_000),
  attemptsMax: integer(1, CLUSTER_LIMITS.attempts).default(1),
};

const outputSchema = text(0, CLUSTER_LIMITS.outputLength);

export const taskSchema = record({
  id: nameSchema,
  ...taskSpecFields,
  state: choice(TASK_STATES),
  attempt: countSchema.doc("Attempts so far"),
  workerId: nullable(nodeIdSchema).doc("Where it runs now"),
  isCancelled: flag.doc("Somebody wants it to end"),
  exitCode: nullable(integer(-(2 ** 31), 2 ** 31)).doc("Of the last attempt that ended by itself"),
  output: outputSchema.doc("The end of what the last attempt printed, at most 4,096 characters"),
  reason: outputSchema,
  createdIndex: logIndexSchema,
  updatedIndex: logIndexSchema,
  updatedAtMs: instantMsSchema,
});

const amount = integer(0, 2 ** 40);
const rate = integer(0, 1_000_000);

export const quotaSchema = record({
  vms: amount.default(DEFAULT_QUOTA.vms),
  vcpus: amount.default(DEFAULT_QUOTA.vcpus),
  memoryMiB: amount.default(DEFAULT_QUOTA.memoryMiB),
  diskGiB: amount.default(DEFAULT_QUOTA.diskGiB),
  vmsPerWorker: amount.default(DEFAULT_QUOTA.vmsPerWorker),
  createsPerMinute: rate.default(DEFAULT_QUOTA.createsPerMinute),
  deletesPerMinute: rate.default(DEFAULT_QUOTA.deletesPerMinute),
  requestsPerSecond: rate.default(DEFAULT_QUOTA.requestsPerSecond),
  requestsBurst: rate.default(DEFAULT_QUOTA.requestsBurst),
});

const addressText = text(1, CLUSTER_LIMITS.addressLength);

export const ipPoolSpecFields = {
  name: nameSchema,
  subnet: addressText.doc("v4 from /8, v6 from /48").example("10.0.0.0/24"),
  gateway: nullable(addressText).default(null),
  dns: list(addressText, { lengthMax: CLUSTER_LIMITS.listLength }).default([]),
  rangeFirst: nullable(addressText).default(null).doc("null: from the start of the subnet"),
  rangeLast: nullable(addressText).default(null).doc("null: to its end"),
  vlan: nullable(integer(1, 4094)).default(null),
  reserved: list(addressText, { lengthMax: CLUSTER_LIMITS.reservedAddresses })
    .default([])
    .doc("Addresses that are never given out"),
  datacenter: nullable(nameSchema).default(null),
  zone: nullable(nameSchema).default(null),
  tags: names.default([]),
  enabled: flag.default(true).doc("One that is not gives out nothing new"),
};

const ipPoolSpecRecord = record(ipPoolSpecFields);

export function withCanonicalAddresses<Out extends schema.Infer<typeof ipPoolSpecRecord>, In>(
  pool: schema.Schema<Out, In>,
): schema.Schema<Out, In> {
  return pool.rule(
    "its addresses are canonical, and lie within its subnet",
    (spec) => void ipPoolSpecSchema.read(ipPoolSpecSchema.write(spec), null),
    (spec) => ({
      ...spec,
      subnet: "10.0.0.0/24",
      gateway: null,
      dns: [],
      rangeFirst: null,
      rangeLast: null,
      reserved: [],
    }),
  );
}

const factor = hundredths(1, 10);

export const schedulerSettingsSchema = record({
  strategy: choice(STRATEGIES).default(DEFAULT_SCHEDULER.strategy),
  overcommit: record({
    cpu: factor.default(DEFAULT_SCHEDULER.overcommit.cpu),
    memory: factor.default(DEFAULT_SCHEDULER.overcommit.memory),
    disk: factor.default(DEFAULT_SCHEDULER.overcommit.disk),
    reservePercent: integer(0, 90).default(DEFAULT_SCHEDULER.overcommit.reservePercent),
  }).default(DEFAULT_SCHEDULER.overcommit),
  preemption: flag
    .default(DEFAULT_SCHEDULER.preemption)
    .doc("Whether preemptible VMs of lower priority make room when nothing else fits"),
  spreadScope: choice(FAILURE_DOMAINS).default(DEFAULT_SCHEDULER.spreadScope),
  minDomains: integer(1, CLUSTER_LIMITS.workers).default(DEFAULT_SCHEDULER.minDomains),
  costIncreasePercentMax: integer(0, 1000).default(DEFAULT_SCHEDULER.costIncreasePercentMax),
});
