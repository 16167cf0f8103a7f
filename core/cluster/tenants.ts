/** Tenants: what each may have and how fast it may ask, and what it has. */
import type { Resources } from "../scheduler/index.ts";
import type { Batch } from "./batch.ts";
import type { Command } from "./command.ts";
import { anInteger, type Format, record } from "./format.ts";
import { LIMITS } from "./limits.ts";
import type { CommandResult } from "./result.ts";

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

const anAmount = anInteger(0, 2 ** 40);

export const aQuota: Format<Quota> = record<Quota>({
  vms: anAmount,
  vcpus: anAmount,
  memoryMiB: anAmount,
  diskGiB: anAmount,
  vmsPerWorker: anAmount,
  createsPerMinute: anInteger(0, 1_000_000),
  deletesPerMinute: anInteger(0, 1_000_000),
  requestsPerSecond: anInteger(0, 1_000_000),
  requestsBurst: anInteger(0, 1_000_000),
});

/** A token bucket in cluster time, in thousandths of a token: so that what drips in between two requests is whole, and every replica counts alike. */
export interface TokenBucket {
  readonly milliTokens: number;
  readonly atMs: number;
}

export const aBucket: Format<TokenBucket> = record<TokenBucket>({
  milliTokens: anInteger(0, 1_000_000_000),
  atMs: anInteger(0, LIMITS.wallMs),
});

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

const NOTHING: Resources = Object.freeze({ vcpus: 0, memoryMiB: 0, diskGiB: 0 });
const EMPTY_BUCKET: TokenBucket = Object.freeze({ milliTokens: 0, atMs: 0 });

export const NEW_TENANT: Omit<TenantRecord, "name"> = Object.freeze({
  quota: null,
  creates: EMPTY_BUCKET,
  deletes: EMPTY_BUCKET,
  requests: EMPTY_BUCKET,
  vms: 0,
  usage: NOTHING,
});

export function tenantOf(batch: Batch, name: string): TenantRecord {
  return batch.tenants.get(name) ?? { ...NEW_TENANT, name };
}

function putTenant(batch: Batch, tenant: TenantRecord): void {
  if (tenant.vms === 0 && tenant.quota === null) batch.tenants.delete(tenant.name);
  else batch.tenants.set(tenant.name, Object.freeze(tenant));
}

/** A VM of the tenant came (1) or went (-1). */
export function usageChanged(batch: Batch, name: string, sign: 1 | -1, resources: Resources): void {
  const tenant = tenantOf(batch, name);
  putTenant(batch, {
    ...tenant,
    vms: tenant.vms + sign,
    usage: Object.freeze({
      vcpus: tenant.usage.vcpus + sign * resources.vcpus,
      memoryMiB: tenant.usage.memoryMiB + sign * resources.memoryMiB,
      diskGiB: tenant.usage.diskGiB + sign * resources.diskGiB,
    }),
  });
}

/** Full buckets to begin with. Null takes the limits away. */
export function setQuota(batch: Batch, name: string, quota: Quota | null): CommandResult {
  if (quota !== null && batch.tenants.get(name) === null && batch.tenants.count >= LIMITS.tenants)
    return refused({ kind: "limitReached", limit: "tenants", maximum: LIMITS.tenants });
  const full = (which: LimitedRate): TokenBucket =>
    quota === null ? EMPTY_BUCKET : { milliTokens: rateOf(quota, which).burst * 1000, atMs: batch.timeMs };
  putTenant(batch, {
    ...tenantOf(batch, name),
    quota,
    creates: full("creates"),
    deletes: full("deletes"),
    requests: full("requests"),
  });
  batch.roomMayHaveGrown();
  batch.happened({ kind: "quotaSet", tenant: name, isLimited: quota !== null });
  return Object.freeze({ ok: true, kind: "quotaSet" });
}

/** Why the tenant may not have this much more; null: it may. `extraVms` is 1 for a VM that comes, 0 for one that grows. */
export function quotaRefusal(batch: Batch, name: string, extraVms: number, extra: Resources): CommandResult | null {
  const { quota, vms, usage } = tenantOf(batch, name);
  if (quota === null) return null;
  const wanted = {
    vms: vms + extraVms,
    vcpus: usage.vcpus + extra.vcpus,
    memoryMiB: usage.memoryMiB + extra.memoryMiB,
    diskGiB: usage.diskGiB + extra.diskGiB,
  };
  const grows = { vms: extraVms, ...extra };
  for (const resource of QUOTA_RESOURCES) {
    if (grows[resource] > 0 && wanted[resource] > quota[resource])
      return refused({ kind: "quotaExceeded", resource, wanted: wanted[resource], limit: quota[resource] });
  }
  return null;
}

export const QUOTA_RESOURCES = ["vms", "vcpus", "memoryMiB", "diskGiB"] as const;

export const LIMITED_RATES = ["creates", "deletes", "requests"] as const;
export type LimitedRate = (typeof LIMITED_RATES)[number];

/** How fast tokens drip in, and how many a bucket holds: a minute's worth of creates and deletes. */
function rateOf(quota: Quota, which: LimitedRate): { readonly perMinute: number; readonly burst: number } {
  switch (which) {
    case "creates":
      return { perMinute: quota.createsPerMinute, burst: quota.createsPerMinute };
    case "deletes":
      return { perMinute: quota.deletesPerMinute, burst: quota.deletesPerMinute };
    case "requests":
      return { perMinute: quota.requestsPerSecond * 60, burst: quota.requestsBurst };
  }
}

/** Takes a token, or says when there will be one. */
export function takeToken(batch: Batch, name: string, which: LimitedRate): CommandResult | null {
  const tenant = tenantOf(batch, name);
  if (tenant.quota === null) return null;
  const { perMinute, burst } = rateOf(tenant.quota, which);
  const { milliTokens, atMs } = tenant[which];
  const passedMs = Math.max(0, batch.timeMs - atMs);
  // Per minute and per millisecond at once: 60 divides what 1,000 multiplies.
  const now = Math.min(burst * 1000, milliTokens + Math.floor((perMinute * passedMs) / 60));
  if (now < 1000) {
    // Where none ever drips in, or fits in, waiting does not help; a minute keeps who tries all the same from trying often.
    const retryAfterMs = perMinute === 0 || burst === 0 ? 60_000 : Math.ceil(((1000 - now) * 60) / perMinute);
    return refused({ kind: "tooManyRequests", what: which, perMinute, retryAfterMs });
  }
  putTenant(batch, { ...tenant, [which]: Object.freeze({ milliTokens: now - 1000, atMs: batch.timeMs }) });
  return null;
}

/** Takes a token for a request about what is a tenant's, whatever will come of it. What is nobody's, or not there, is not counted. */
export function takeRequestToken(batch: Batch, command: Command): CommandResult | null {
  const tenant = tenantAsking(batch, command);
  return tenant === null ? null : takeToken(batch, tenant, "requests");
}

function tenantAsking(batch: Batch, command: Command): string | null {
  switch (command.kind) {
    case "createVm":
    case "submitTask":
      return command.spec.tenant;
    case "updateVm":
    case "deleteVm":
    case "setVmDesired":
    case "restartVm":
    case "migrateVm":
      return batch.vm(command.name)?.tenant ?? null;
    case "cancelTask":
      return batch.task(command.id)?.tenant ?? null;
    default:
      return null;
  }
}

function refused(refusal: Extract<CommandResult, { readonly ok: false }>["refusal"]): CommandResult {
  return Object.freeze({ ok: false, refusal: Object.freeze(refusal) });
}
