/**
 * A VM's specification: what a client asks for. Types, defaults, bounds, texts and the encoding follow from these
 * definitions; positions and the order of choices are the encoding, so new fields and choices go to the end, fields
 * `since` the version of snapshots that first has them.
 */
import {
  choice,
  defaults,
  either,
  filled,
  flag,
  type Infer,
  integer,
  list,
  map,
  nothing,
  nullable,
  type Random,
  record,
  text,
  textMatching,
  variants,
} from "../schema/index.ts";
import { FAILURE_DOMAINS } from "./failure-domain.ts";
import { nameSchema, nodeIdSchema } from "./identity.ts";
import { CLUSTER_LIMITS } from "./limits.ts";

/** In one order for good: the encoding is the position. */
export const HYPERVISORS = ["qemu", "cloud-hypervisor", "firecracker", "any"] as const;
export type Hypervisor = (typeof HYPERVISORS)[number];

export const ON_WORKER_LOST = ["restart", "wait"] as const;

const NONE: readonly never[] = Object.freeze([]);
const LIST = { lengthMax: CLUSTER_LIMITS.listLength };
const NAMED_LIST = { lengthMax: CLUSTER_LIMITS.listLength, distinctBy: "name" };
const durationMs = integer(0, CLUSTER_LIMITS.durationMs);
const periodMs = integer(1, CLUSTER_LIMITS.durationMs);
const weight = integer(0, CLUSTER_LIMITS.weight);
const port = integer(1, 65_535);

const antiAffinitySchema = record({
  group: nameSchema.doc("VMs of one group keep apart"),
  softWeight: nullable(weight)
    .default(null)
    .doc("null: the rule always holds; a number: a worker that breaks it is that much worse, for each VM too many"),
  maxPerDomain: integer(1, CLUSTER_LIMITS.instancesPerDomain)
    .default(1)
    .doc("How many VMs of the group one domain may have"),
  scope: choice(FAILURE_DOMAINS).default("node").doc("What counts as one domain"),
});
export type AntiAffinity = Infer<typeof antiAffinitySchema>;

const localitySchema = record({
  preferredDatacenter: nullable(nameSchema).default(null),
  preferredZone: nullable(nameSchema).default(null),
  strict: flag.default(false).doc("Whether it runs nowhere else than where it prefers to"),
  excludedDatacenters: list(nameSchema, LIST).default(NONE).doc("Where it never runs"),
});
export type Locality = Infer<typeof localitySchema>;

const namedPool = record({ pool: nameSchema.doc("Name of the address pool") });
const openPool = record({
  pool: nothing.default(null),
  tags: list(nameSchema, LIST).default(NONE).doc("The pool must carry them all"),
});

/** Where an address comes from: the VM's own `addresses` say which it is. Encoded as the name, or as the tags. */
const networkSchema = either([namedPool, openPool], {
  write: (network) => (network.pool === null ? network.tags : network.pool),
  read: (encoded, version) =>
    Array.isArray(encoded) ? openPool.read([null, encoded], version) : namedPool.read([encoded], version),
}).doc("Where an address comes from; without a pool the cluster chooses one");
export type NetworkAttachment = Infer<typeof networkSchema>;

const volumeSchema = record({ name: nameSchema, sizeGiB: integer(1, CLUSTER_LIMITS.diskGiB) });

const sourceSchema = variants({
  image: { image: text(1, CLUSTER_LIMITS.imageLength).doc("What the driver boots") },
  nixModule: { nixModule: text(1, CLUSTER_LIMITS.nixModuleLength).doc("A NixOS module of the guest") },
});

const probeSchema = variants({
  http: { port, path: text(1, CLUSTER_LIMITS.pathLength) },
  tcp: { port },
  script: { script: text(1, CLUSTER_LIMITS.scriptLength) },
  console: { pattern: text(1, CLUSTER_LIMITS.pathLength) },
  process: { process: text(1, CLUSTER_LIMITS.pathLength) },
  guestAgent: {},
});
export type HealthProbe = Infer<typeof probeSchema>;

const healthCheckSchema = record({
  name: nameSchema,
  probe: probeSchema,
  intervalMs: periodMs.default(30_000),
  timeoutMs: periodMs.default(5000),
  initialDelayMs: durationMs.default(60_000).doc("From the start of the machine to the first probe"),
  failures: integer(1, CLUSTER_LIMITS.healthCheckCount).default(3).doc("In a row that make it unhealthy"),
  successes: integer(1, CLUSTER_LIMITS.healthCheckCount).default(2).doc("In a row that make it healthy"),
  weight: weight.default(100).doc("Checks that are down make the VM unhealthy once they have half of the weight"),
  critical: flag.default(false).doc("Whether its failure alone makes the VM unhealthy"),
});
export type HealthCheck = Infer<typeof healthCheckSchema>;

const recoverySchema = record({
  restartsMax: integer(0, CLUSTER_LIMITS.restarts).default(3).doc("Before it moves to another worker"),
  backoffMs: durationMs.default(5000).doc("Before the first restart"),
  backoffFactor: integer(1, CLUSTER_LIMITS.backoffFactor).default(2).doc("How much longer each further restart waits"),
  backoffMaxMs: durationMs.default(300_000),
  resetAfterMs: durationMs.default(3_600_000).doc("Healthy for this long, a VM has its restarts back"),
});
/** Restart with growing delays; after `restartsMax` move to another worker. */
export type RecoveryPolicy = Infer<typeof recoverySchema>;
export const DEFAULT_RECOVERY: RecoveryPolicy = defaults(recoverySchema);

const METADATA_EDGE = "abcdefghijklmnopqrstuvwxyz0123456789";

const metadataSchema = map(
  // Neither "__proto__" nor any other name with a meaning in the language matches as a whole.
  textMatching(1, CLUSTER_LIMITS.metadataKeyLength, {
    expression: /^[a-z0-9](?:[a-z0-9._/-]*[a-z0-9])?$/,
    rule: "must be lower-case letters, digits and inner dots, underscores, slashes or hyphens",
    sample(length, random: Random) {
      let made = "";
      for (let at = 0; at < length; at++) {
        const isInner = at > 0 && at < length - 1;
        const characters = isInner && random(4) === 0 ? "._/-" : METADATA_EDGE;
        made += characters.charAt(random(characters.length));
      }
      return made;
    },
  }),
  text(0, CLUSTER_LIMITS.metadataValueLength),
  CLUSTER_LIMITS.metadataPairs,
);

const vmSpecFields = {
  vcpus: integer(1, CLUSTER_LIMITS.vcpus).default(2).doc("Virtual CPUs"),
  memoryMiB: integer(1, CLUSTER_LIMITS.memoryMiB).default(1024).doc("Memory in MiB"),
  diskGiB: integer(0, CLUSTER_LIMITS.diskGiB).default(5).doc("Disk in GiB"),
  hypervisor: choice(HYPERVISORS).default("any").doc("What runs it; a worker offers its own as a feature of that name"),
  tenant: nameSchema.default("default").doc("Whose it is"),
  priority: integer(0, CLUSTER_LIMITS.priority).default(500).doc("Higher goes first"),
  preemptible: flag.default(true).doc("Whether it may be stopped for a VM of higher priority"),
  features: list(nameSchema, LIST).default(NONE).doc("What its worker must offer"),
  antiAffinity: list(antiAffinitySchema, LIST).default(NONE).doc("Which VMs it keeps apart from"),
  locality: nullable(localitySchema).default(null).doc("Where it prefers to run"),
  networks: list(networkSchema, LIST).default(NONE).doc("Its addresses, one for each"),
  volumes: list(volumeSchema, NAMED_LIST).default(NONE).doc("Disks beside its first"),
  source: nullable(sourceSchema).default(null).doc("What to boot; null: the driver's default guest"),
  healthChecks: list(healthCheckSchema, NAMED_LIST).default(NONE).doc("How its worker finds out whether it is healthy"),
  recovery: recoverySchema.default(DEFAULT_RECOVERY).doc("What happens when it fails"),
  metadata: metadataSchema.default(Object.freeze({})).doc("Words of whoever owns it; the cluster does not read them"),
  onWorkerLost: choice(ON_WORKER_LOST)
    .default("restart")
    .since(3)
    .doc("Whether it runs elsewhere once its worker is surely gone, or waits for that worker"),
  workerId: nullable(nodeIdSchema).default(null).since(3).doc("The only worker that may run it; null: any"),
  bootTimeoutMs: periodMs
    .default(120_000)
    .since(4)
    .doc("From the start of its machine until that is given up, if it does not run by then"),
  stopTimeoutMs: durationMs
    .default(10_000)
    .since(4)
    .doc("From asking its guest to power off until its machine is ended; the machine that runs keeps its own"),
};

const vmSpecRecord = record(vmSpecFields);
const FIELDS_BEFORE_VERSION_4 = Object.values(vmSpecFields).filter(({ traits }) => traits.since < 4).length;

/**
 * Before version 4 `cloud-hypervisor` was the default, and nothing looked at it: every worker ran such a VM with what
 * it had. Now it is required, so what was written then is read as `any`. Snapshots and log entries of that time are
 * known by their number of fields: a log entry does not say its version.
 */
export const vmSpecSchema = vmSpecRecord.encodedAs({
  write: vmSpecRecord.write,
  read(encoded, version) {
    const spec = vmSpecRecord.read(encoded, version);
    const isEarlier = Array.isArray(encoded) && encoded.length <= FIELDS_BEFORE_VERSION_4;
    return isEarlier && spec.hypervisor === "cloud-hypervisor" ? Object.freeze({ ...spec, hypervisor: "any" }) : spec;
  },
});
export type VmSpec = Infer<typeof vmSpecSchema>;

export const DEFAULT_VM_SPEC: VmSpec = defaults(vmSpecSchema);

/** The defaults with some fields replaced. Nothing is checked here: encoding does. */
export function vmSpec(fields: Partial<VmSpec> = {}): VmSpec {
  return filled(vmSpecSchema, fields);
}

/** What a worker has to offer to run it: its hypervisor is one feature more. */
export function neededFeatures({ hypervisor, features }: VmSpec): readonly string[] {
  return hypervisor === "any" ? features : [...features, hypervisor];
}
