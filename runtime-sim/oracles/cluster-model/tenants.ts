/** Tenants as the model counts them: by looking at every VM, where the core keeps sums. */
import {
  type CommandResult,
  type LimitedRate,
  NEW_TENANT,
  QUOTA_RESOURCES,
  type Quota,
  type Resources,
  resourcesOf,
  type TenantRecord,
} from "../../../core/index.ts";
import { type Rules, refused } from "./rules.ts";
import type { Tables } from "./tables.ts";

const EMPTY = { milliTokens: 0, atMs: 0 };

function tenantOf(tables: Tables, name: string): TenantRecord {
  return tables.tenants.get(name) ?? { ...NEW_TENANT, name };
}

/** A tenant without a quota and without VMs is none. */
function putTenant(tables: Tables, tenant: TenantRecord): void {
  const isNone = tenant.quota === null && tenant.vms === 0;
  tables.tenants.set(tenant.name, tables.index, isNone ? null : tenant);
}

/** A VM of the tenant has come, gone or changed. */
export function countTenant(tables: Tables, name: string): void {
  let vms = 0;
  const usage = { vcpus: 0, memoryMiB: 0, diskGiB: 0 };
  for (const vm of tables.vms.now()) {
    if (vm.tenant !== name) continue;
    const { vcpus, memoryMiB, diskGiB } = resourcesOf(vm.spec);
    vms += 1;
    usage.vcpus += vcpus;
    usage.memoryMiB += memoryMiB;
    usage.diskGiB += diskGiB;
  }
  putTenant(tables, { ...tenantOf(tables, name), vms, usage });
}

/** Why the tenant may not have so much more. What does not grow is not looked at. */
export function beyondQuota(tables: Tables, name: string, more: Resources & { vms: number }): CommandResult | null {
  const { quota, vms, usage } = tenantOf(tables, name);
  if (quota === null) return null;
  const has = { vms, ...usage };
  for (const resource of QUOTA_RESOURCES) {
    const wanted = has[resource] + more[resource];
    const limit = quota[resource];
    if (more[resource] > 0 && wanted > limit) return refused({ kind: "quotaExceeded", resource, wanted, limit });
  }
  return null;
}

/** A bucket that holds a minute's worth; of requests, as many as may come at once. */
function rateOf(quota: Quota, which: LimitedRate): { readonly perMinute: number; readonly size: number } {
  if (which === "requests") return { perMinute: 60 * quota.requestsPerSecond, size: quota.requestsBurst };
  const perMinute = which === "creates" ? quota.createsPerMinute : quota.deletesPerMinute;
  return { perMinute, size: perMinute };
}

/** Counts one more of the tenant's; says why not if it is too many. */
export function beyondRate(tables: Tables, name: string, which: LimitedRate): CommandResult | null {
  const tenant = tenantOf(tables, name);
  if (tenant.quota === null) return null;
  const { perMinute, size } = rateOf(tenant.quota, which);
  const sinceMs = Math.max(0, tables.timeMs - tenant[which].atMs);
  const milliTokens = Math.min(1000 * size, tenant[which].milliTokens + Math.floor((sinceMs * perMinute) / 60));
  if (milliTokens >= 1000) {
    putTenant(tables, { ...tenant, [which]: { milliTokens: milliTokens - 1000, atMs: tables.timeMs } });
    return null;
  }
  const never = perMinute === 0 || size === 0;
  const retryAfterMs = never ? 60_000 : Math.ceil((60 * (1000 - milliTokens)) / perMinute);
  return refused({ kind: "tooManyRequests", what: which, perMinute, retryAfterMs });
}

export const tenantRules = {
  setQuota(tables, { tenant: name, quota }) {
    if (quota !== null && tables.tenants.get(name) === null && tables.tenants.count >= tables.limits.tenants)
      return refused({ kind: "limitReached", limit: "tenants", maximum: tables.limits.tenants });
    const full = (which: LimitedRate) =>
      quota === null ? EMPTY : { milliTokens: 1000 * rateOf(quota, which).size, atMs: tables.timeMs };
    putTenant(tables, {
      ...tenantOf(tables, name),
      quota,
      creates: full("creates"),
      deletes: full("deletes"),
      requests: full("requests"),
    });
    tables.happened({ kind: "quotaSet", tenant: name, isLimited: quota !== null });
    return { ok: true, kind: "quotaSet" };
  },
} satisfies Rules;
