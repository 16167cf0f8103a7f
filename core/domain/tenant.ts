/** A tenant: what it may have and how fast it may ask, and what it has. */
import { NO_RESOURCES, type Resources } from "./resources.ts";

/** SPEC section 2. A tenant whom nobody has given one is not limited. */
export interface Quota {
  readonly vms: number;
  readonly vcpus: number;
  readonly memoryMiB: number;
  readonly diskGiB: number;
  readonly vmsPerWorker: number;
  readonly createsPerMinute: number;
  readonly deletesPerMinute: number;
  /** Of everything that is asked about a VM or a task of the tenant's, and changes it. */
  readonly requestsPerSecond: number;
  /** How many of them at once. */
  readonly requestsBurst: number;
}

export const DEFAULT_QUOTA: Quota = Object.freeze({
  vms: 50,
  vcpus: 200,
  memoryMiB: 200 * 1024,
  diskGiB: 2 * 1024,
  vmsPerWorker: 25,
  createsPerMinute: 10,
  deletesPerMinute: 20,
  requestsPerSecond: 100,
  requestsBurst: 200,
});

/** A token bucket in cluster time, in thousandths of a token: so that what drips in between two requests is whole, and every replica counts alike. */
export interface TokenBucket {
  readonly milliTokens: number;
  readonly atMs: number;
}

/** Immutable. */
export interface TenantRecord {
  readonly name: string;
  readonly quota: Quota | null;
  readonly creates: TokenBucket;
  readonly deletes: TokenBucket;
  readonly requests: TokenBucket;

  // What follows from its VMs; no part of a snapshot.
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
