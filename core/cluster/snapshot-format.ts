/**
 * The snapshot format, version 4: a stream of items, each a big-endian 32-bit length and that many bytes of
 * MessagePack, cut into chunks anywhere.
 *
 *     header    ["blixard-cluster", 4, appliedIndex, timeMs, vmCount, sessionCount, tokenCount, nodeCount, eventTotal]
 *     singles   what there is one of, and how many there are of the rest
 *     VMs       by bucket (hash.ts), then by name
 *     sessions  by bucket, then by id
 *     tokens    by id
 *     nodes     by id
 *     events    those that are kept, oldest first
 *     workers   by id
 *     tasks     by id
 *     tenants   by name, those that are limited
 *     pools     by name
 *
 * Version 3 had no strategy of address pools and no generation of the scheduler's settings among the singles, knew of
 * no removed workers and not where what is for guests is sent, did not tell of a request which way it went, and did not
 * count the moves of a rebalance; version 2 ended with the events, and had no singles; version 1 had neither tokens nor
 * nodes nor events. All are still read: a field that came later says `since`. Up to version 3 the hypervisor
 * `cloud-hypervisor` means `any` (domain/vm-spec.ts).
 *
 * Equal states have equal bytes for one chunk size, however they came about. What follows from the rest is not in it.
 */
import {
  CLUSTER_LIMITS,
  countSchema,
  DEFAULT_POOL_STRATEGY,
  eventSchema,
  generationSchema,
  instantMsSchema,
  POOL_STRATEGIES,
  schedulerSettingsSchema,
} from "../domain/index.ts";
import { choice, decoded, type Infer, InvalidField, integer, record } from "../schema/index.ts";
import { AUDITED_COMMANDS } from "./command.ts";
import type { ClusterState } from "./state.ts";

const MAGIC = "blixard-cluster";
const VERSION = 4;
const versionSchema = integer(1, VERSION);

const headerSchema = record({
  appliedIndex: countSchema,
  timeMs: instantMsSchema,
  vmCount: integer(0, CLUSTER_LIMITS.vms),
  sessionCount: integer(0, CLUSTER_LIMITS.sessions),
  tokenCount: integer(0, CLUSTER_LIMITS.tokens).default(0).since(2),
  nodeCount: integer(0, CLUSTER_LIMITS.nodes).default(0).since(2),
  eventTotal: countSchema.default(0).since(2),
});

export interface SnapshotHeader extends Infer<typeof headerSchema> {
  readonly version: number;
}

export function headerToArray(state: ClusterState): readonly unknown[] {
  const fields = headerSchema.write({ ...state, tokenCount: state.tokens.size, eventTotal: state.events.total });
  return [MAGIC, VERSION].concat(Array.isArray(fields) ? fields : []);
}

export function headerFromArray(value: unknown): SnapshotHeader {
  if (!Array.isArray(value)) throw new InvalidField("header", null, "must be a list");
  const [magic, versionNumber, ...fields]: readonly unknown[] = value;
  if (magic !== MAGIC) throw new InvalidField("header", null, "is not that of a cluster snapshot");
  const version = decoded(versionSchema, versionNumber, "header.version");
  return { version, ...decoded(headerSchema, fields, "header", version) };
}

/** What the snapshot's second item holds: everything that there is one of. */
export const singlesSchema = record({
  scheduler: schedulerSettingsSchema,
  schedulerCursor: countSchema,
  nextPoolNumber: integer(1, CLUSTER_LIMITS.ipPoolNumber + 1),
  rebalancedAtMs: instantMsSchema,
  roomIndex: countSchema,
  workerCount: integer(0, CLUSTER_LIMITS.workers),
  taskCount: integer(0, CLUSTER_LIMITS.tasks),
  poolCount: integer(0, CLUSTER_LIMITS.ipPools),
  limitedTenantCount: integer(0, CLUSTER_LIMITS.tenants).doc("With a quota, or with buckets that still count"),
  poolStrategy: choice(POOL_STRATEGIES).default(DEFAULT_POOL_STRATEGY).since(4),
  poolCursor: integer(0, CLUSTER_LIMITS.ipPoolNumber).default(0).since(4),
  schedulerGeneration: generationSchema.default(1).since(4),
});
export type Singles = Infer<typeof singlesSchema>;

export const storedEventSchema = eventSchema(AUDITED_COMMANDS);
