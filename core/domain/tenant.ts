/** A tenant: what it may have and how fast it may ask, and what it has. */
import { defaults, type Infer, integer, nullable, record } from "../schema/index.ts";
import { nameSchema } from "./identity.ts";
import { instantMsSchema } from "./numbers.ts";
import { NO_RESOURCES, type Resources } from "./resources.ts";

const amount = integer(0, 2 ** 40);
const rate = integer(0, 1_000_000);

export const quotaSchema = record({
  vms: amount.default(50).doc("VMs"),
  vcpus: amount.default(200).doc("Virtual CPUs in all"),
  memoryMiB: amount.default(200 * 1024).doc("Memory in MiB, in all"),
  diskGiB: amount.default(2 * 1024).doc("Disk in GiB, in all"),
  vmsPerWorker: amount.default(25).doc("VMs on one worker"),
  createsPerMinute: rate.default(10).doc("VMs asked for in a minute"),
  deletesPerMinute: rate.default(20).doc("VMs deleted in a minute"),
  requestsPerSecond: rate.default(100).doc("Changes of its VMs and tasks in a second"),
  requestsBurst: rate.default(200).doc("How many changes at once"),
});
/** What a tenant may have, and how often it may ask. A tenant without a quota is not limited. */
export type Quota = Infer<typeof quotaSchema>;
export const DEFAULT_QUOTA: Quota = defaults(quotaSchema);

const bucketSchema = record({ milliTokens: integer(0, 1_000_000_000), atMs: instantMsSchema });
/**
 * A token bucket in cluster time, in thousandths of a token: so that what drips in between two requests is whole, and
 * every replica counts alike.
 */
export type TokenBucket = Infer<typeof bucketSchema>;

/** What a snapshot holds of a tenant. */
export const storedTenantSchema = record({
  name: nameSchema,
  quota: nullable(quotaSchema),
  creates: bucketSchema,
  deletes: bucketSchema,
  requests: bucketSchema,
});
export type StoredTenant = Infer<typeof storedTenantSchema>;

/** Immutable. The fields below follow from its VMs, and are no part of a snapshot. */
export interface TenantRecord extends StoredTenant {
  readonly vms: number;
  readonly usage: Resources;
}

export const EMPTY_BUCKET: TokenBucket = Object.freeze({ milliTokens: 0, atMs: 0 });

export const NEW_TENANT: Omit<TenantRecord, "name"> = Object.freeze({
  quota: null,
  creates: EMPTY_BUCKET,
  deletes: EMPTY_BUCKET,
  requests: EMPTY_BUCKET,
  vms: 0,
  usage: NO_RESOURCES,
});

export const QUOTA_RESOURCES = ["vms", "vcpus", "memoryMiB", "diskGiB"] as const;

export const LIMITED_RATES = ["creates", "deletes", "requests"] as const;
export type LimitedRate = (typeof LIMITED_RATES)[number];
