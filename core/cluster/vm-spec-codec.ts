/**
 * A VM spec as an array of values, and back. Positions and the order of choices are the format: new fields go to the end, under a new version of
 * the request and snapshot formats.
 */
import {
  type AntiAffinity,
  array,
  boolean,
  CLUSTER_LIMITS,
  choice,
  distinct,
  FAILURE_DOMAINS,
  HEALTH_PROBE_KINDS,
  type HealthCheck,
  type HealthProbe,
  HYPERVISORS,
  InvalidField,
  integer,
  type Locality,
  label,
  list,
  type NetworkAttachment,
  nullable,
  ON_WORKER_LOST,
  type RecoveryPolicy,
  text,
  tuple,
  type VmSource,
  type VmSpec,
  type Volume,
} from "../domain/index.ts";
import { nodeId } from "./identity-fields.ts";

export function vmSpecToArray(spec: VmSpec): readonly unknown[] {
  return [
    spec.vcpus,
    spec.memoryMiB,
    spec.diskGiB,
    HYPERVISORS.indexOf(spec.hypervisor),
    spec.tenant,
    spec.priority,
    spec.preemptible,
    spec.features,
    spec.antiAffinity.map((rule) => [
      rule.group,
      rule.softWeight,
      rule.maxPerDomain,
      FAILURE_DOMAINS.indexOf(rule.scope),
    ]),
    spec.locality === null
      ? null
      : [
          spec.locality.preferredDatacenter,
          spec.locality.preferredZone,
          spec.locality.strict,
          spec.locality.excludedDatacenters,
        ],
    spec.networks.map((network) => (network.pool === null ? network.tags : network.pool)),
    spec.volumes.map((volume) => [volume.name, volume.sizeGiB]),
    spec.source === null ? null : sourceToArray(spec.source),
    spec.healthChecks.map((check) => [
      check.name,
      probeToArray(check.probe),
      check.intervalMs,
      check.timeoutMs,
      check.initialDelayMs,
      check.failures,
      check.successes,
      check.weight,
      check.critical,
    ]),
    [
      spec.recovery.restartsMax,
      spec.recovery.backoffMs,
      spec.recovery.backoffFactor,
      spec.recovery.backoffMaxMs,
      spec.recovery.resetAfterMs,
    ],
    Object.keys(spec.metadata)
      .sort()
      .map((key) => [key, spec.metadata[key]]),
    ON_WORKER_LOST.indexOf(spec.onWorkerLost),
    spec.workerId,
  ];
}

/** @throws InvalidField */
export function vmSpecFromArray(value: unknown, field: string): VmSpec {
  const parts = array(value, field);
  // Before there were workers it had two parts less.
  const isOld = parts.length === 16;
  tuple(parts, field, isOld ? 16 : 18);
  return Object.freeze({
    vcpus: integer(parts[0], `${field}.vcpus`, 1, CLUSTER_LIMITS.vcpus),
    memoryMiB: integer(parts[1], `${field}.memoryMiB`, 1, CLUSTER_LIMITS.memoryMiB),
    diskGiB: integer(parts[2], `${field}.diskGiB`, 0, CLUSTER_LIMITS.diskGiB),
    hypervisor: choice(parts[3], `${field}.hypervisor`, HYPERVISORS),
    tenant: label(parts[4], `${field}.tenant`),
    priority: integer(parts[5], `${field}.priority`, 0, CLUSTER_LIMITS.priority),
    preemptible: boolean(parts[6], `${field}.preemptible`),
    features: list(parts[7], `${field}.features`, CLUSTER_LIMITS.listLength, label),
    antiAffinity: list(parts[8], `${field}.antiAffinity`, CLUSTER_LIMITS.listLength, antiAffinity),
    locality: nullable(parts[9], `${field}.locality`, locality),
    networks: list(parts[10], `${field}.networks`, CLUSTER_LIMITS.listLength, network),
    volumes: distinct(
      list(parts[11], `${field}.volumes`, CLUSTER_LIMITS.listLength, volume),
      `${field}.volumes`,
      (item) => item.name,
    ),
    source: nullable(parts[12], `${field}.source`, source),
    healthChecks: distinct(
      list(parts[13], `${field}.healthChecks`, CLUSTER_LIMITS.listLength, healthCheck),
      `${field}.healthChecks`,
      (item) => item.name,
    ),
    recovery: recovery(parts[14], `${field}.recovery`),
    metadata: metadata(parts[15], `${field}.metadata`),
    onWorkerLost: isOld ? "restart" : choice(parts[16], `${field}.onWorkerLost`, ON_WORKER_LOST),
    workerId: isOld ? null : nullable(parts[17], `${field}.workerId`, nodeId),
  });
}

function antiAffinity(value: unknown, field: string): AntiAffinity {
  const parts = tuple(value, field, 4);
  return Object.freeze({
    group: label(parts[0], `${field}.group`),
    softWeight: nullable(parts[1], `${field}.softWeight`, weight),
    maxPerDomain: integer(parts[2], `${field}.maxPerDomain`, 1, CLUSTER_LIMITS.instancesPerDomain),
    scope: choice(parts[3], `${field}.scope`, FAILURE_DOMAINS),
  });
}

function weight(value: unknown, field: string): number {
  return integer(value, field, 0, CLUSTER_LIMITS.weight);
}

function locality(value: unknown, field: string): Locality {
  const parts = tuple(value, field, 4);
  return Object.freeze({
    preferredDatacenter: nullable(parts[0], `${field}.preferredDatacenter`, label),
    preferredZone: nullable(parts[1], `${field}.preferredZone`, label),
    strict: boolean(parts[2], `${field}.strict`),
    excludedDatacenters: list(parts[3], `${field}.excludedDatacenters`, CLUSTER_LIMITS.listLength, label),
  });
}

function network(value: unknown, field: string): NetworkAttachment {
  // A name, as it always was; or the tags of one that is left open.
  if (!Array.isArray(value)) return Object.freeze({ pool: label(value, `${field}.pool`) });
  return Object.freeze({ pool: null, tags: list(value, `${field}.tags`, CLUSTER_LIMITS.listLength, label) });
}

function volume(value: unknown, field: string): Volume {
  const parts = tuple(value, field, 2);
  return Object.freeze({
    name: label(parts[0], `${field}.name`),
    sizeGiB: integer(parts[1], `${field}.sizeGiB`, 1, CLUSTER_LIMITS.diskGiB),
  });
}

const SOURCE_KINDS = ["image", "nixModule"] as const;

function sourceToArray(value: VmSource): readonly unknown[] {
  return [SOURCE_KINDS.indexOf(value.kind), value.kind === "image" ? value.image : value.nixModule];
}

function source(value: unknown, field: string): VmSource {
  const parts = tuple(value, field, 2);
  const kind = choice(parts[0], `${field}.kind`, SOURCE_KINDS);
  if (kind === "image")
    return Object.freeze({ kind, image: text(parts[1], `${field}.image`, 1, CLUSTER_LIMITS.imageLength) });
  return Object.freeze({ kind, nixModule: text(parts[1], `${field}.nixModule`, 1, CLUSTER_LIMITS.nixModuleLength) });
}

function healthCheck(value: unknown, field: string): HealthCheck {
  const parts = tuple(value, field, 9);
  return Object.freeze({
    name: label(parts[0], `${field}.name`),
    probe: probe(parts[1], `${field}.probe`),
    intervalMs: integer(parts[2], `${field}.intervalMs`, 1, CLUSTER_LIMITS.durationMs),
    timeoutMs: integer(parts[3], `${field}.timeoutMs`, 1, CLUSTER_LIMITS.durationMs),
    initialDelayMs: integer(parts[4], `${field}.initialDelayMs`, 0, CLUSTER_LIMITS.durationMs),
    failures: integer(parts[5], `${field}.failures`, 1, CLUSTER_LIMITS.healthCheckCount),
    successes: integer(parts[6], `${field}.successes`, 1, CLUSTER_LIMITS.healthCheckCount),
    weight: weight(parts[7], `${field}.weight`),
    critical: boolean(parts[8], `${field}.critical`),
  });
}

function probeToArray(value: HealthProbe): readonly unknown[] {
  const kind = HEALTH_PROBE_KINDS.indexOf(value.kind);
  switch (value.kind) {
    case "http":
      return [kind, value.port, value.path];
    case "tcp":
      return [kind, value.port];
    case "script":
      return [kind, value.script];
    case "console":
      return [kind, value.pattern];
    case "process":
      return [kind, value.process];
    case "guestAgent":
      return [kind];
  }
}

function probe(value: unknown, field: string): HealthProbe {
  const kind = choice(array(value, field)[0], `${field}.kind`, HEALTH_PROBE_KINDS);
  const parts = tuple(value, field, kind === "http" ? 3 : kind === "guestAgent" ? 1 : 2);
  switch (kind) {
    case "http":
      return Object.freeze({
        kind,
        port: port(parts[1], `${field}.port`),
        path: text(parts[2], `${field}.path`, 1, CLUSTER_LIMITS.pathLength),
      });
    case "tcp":
      return Object.freeze({ kind, port: port(parts[1], `${field}.port`) });
    case "script":
      return Object.freeze({ kind, script: text(parts[1], `${field}.script`, 1, CLUSTER_LIMITS.scriptLength) });
    case "console":
      return Object.freeze({ kind, pattern: text(parts[1], `${field}.pattern`, 1, CLUSTER_LIMITS.pathLength) });
    case "process":
      return Object.freeze({ kind, process: text(parts[1], `${field}.process`, 1, CLUSTER_LIMITS.pathLength) });
    case "guestAgent":
      return Object.freeze({ kind });
  }
}

function port(value: unknown, field: string): number {
  return integer(value, field, 1, 65_535);
}

function recovery(value: unknown, field: string): RecoveryPolicy {
  const parts = tuple(value, field, 5);
  return Object.freeze({
    restartsMax: integer(parts[0], `${field}.restartsMax`, 0, CLUSTER_LIMITS.restarts),
    backoffMs: integer(parts[1], `${field}.backoffMs`, 0, CLUSTER_LIMITS.durationMs),
    backoffFactor: integer(parts[2], `${field}.backoffFactor`, 1, CLUSTER_LIMITS.backoffFactor),
    backoffMaxMs: integer(parts[3], `${field}.backoffMaxMs`, 0, CLUSTER_LIMITS.durationMs),
    resetAfterMs: integer(parts[4], `${field}.resetAfterMs`, 0, CLUSTER_LIMITS.durationMs),
  });
}

// Neither "__proto__" nor any other name with a meaning in the language matches as a whole.
const metadataKeyPattern = /^[a-z0-9](?:[a-z0-9._/-]*[a-z0-9])?$/;

function metadata(value: unknown, field: string): Readonly<Record<string, string>> {
  const pairs = array(value, field);
  if (pairs.length === 0) return noMetadata;
  if (pairs.length > CLUSTER_LIMITS.metadataPairs)
    throw new InvalidField(
      field,
      CLUSTER_LIMITS.metadataPairs,
      `must have at most ${CLUSTER_LIMITS.metadataPairs} pairs`,
    );
  const read: Record<string, string> = {};
  let previous = "";
  for (let i = 0; i < pairs.length; i++) {
    const parts = tuple(pairs[i], `${field}[${i}]`, 2);
    const key = text(parts[0], `${field}[${i}].key`, 1, CLUSTER_LIMITS.metadataKeyLength);
    if (!metadataKeyPattern.test(key))
      throw new InvalidField(
        `${field}[${i}].key`,
        null,
        "must be lower-case letters, digits and inner dots, underscores, slashes or hyphens",
      );
    if (key <= previous) throw new InvalidField(`${field}[${i}].key`, null, "must come in order, each key once");
    read[key] = text(parts[1], `${field}[${i}].value`, 0, CLUSTER_LIMITS.metadataValueLength);
    previous = key;
  }
  return Object.freeze(read);
}

const noMetadata: Readonly<Record<string, string>> = Object.freeze({});
