/** Tenants: what each may have and how fast it may ask, and what it has. */

import {
  type CommandResult,
  EMPTY_BUCKET,
  type LimitedRate,
  nameSchema,
  QUOTA_RESOURCES,
  type Quota,
  quotaSchema,
  type Resources,
  refused,
  type TokenBucket,
} from "../domain/index.ts";
import { nullable } from "../schema/index.ts";
import type { Batch } from "./batch.ts";
import { command } from "./command-definition.ts";
import { putTenant, tenantOf } from "./tenant-table.ts";

/**
 * Why the tenant may not have this much more; null: it may. `extraVms` is 1 for a VM that comes, 0 for one that
 * grows.
 */
export function quotaRefusal(batch: Batch, name: string, extraVms: number, extra: Resources): CommandResult | null {
  const { quota, vms, usage } = tenantOf(batch.tenants, name);
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
  const tenant = tenantOf(batch.tenants, name);
  if (tenant.quota === null) return null;
  const { perMinute, burst } = rateOf(tenant.quota, which);
  const { milliTokens, atMs } = tenant[which];
  const passedMs = Math.max(0, batch.timeMs - atMs);
  // Per minute and per millisecond at once: 60 divides what 1,000 multiplies.
  const now = Math.min(burst * 1000, milliTokens + Math.floor((perMinute * passedMs) / 60));
  if (now < 1000) {
    // Where none ever drips in, or fits in, waiting does not help; a minute keeps who tries all the same from trying
    // often.
    const retryAfterMs = perMinute === 0 || burst === 0 ? 60_000 : Math.ceil(((1000 - now) * 60) / perMinute);
    return refused({ kind: "tooManyRequests", what: which, perMinute, retryAfterMs });
  }
  putTenant(batch.tenants, { ...tenant, [which]: Object.freeze({ milliTokens: now - 1000, atMs: batch.timeMs }) });
  return null;
}

export const tenantCommands = {
  /** Full buckets to begin with. Null takes the limits away. */
  setQuota: command({
    askedBy: "client",
    number: [9, 14],
    fields: { tenant: nameSchema, quota: nullable(quotaSchema) },
    refusals: ["limitReached"],
    audit: {
      number: 21,
      target: ({ tenant }) => tenant,
      change: ({ quota }) => (quota === null ? "unlimit" : "limit"),
    },
    apply(batch, { tenant: name, quota }) {
      if (quota !== null && batch.tenants.get(name) === null && batch.tenants.count >= batch.limits.tenants)
        return refused({ kind: "limitReached", limit: "tenants", maximum: batch.limits.tenants });
      const full = (which: LimitedRate): TokenBucket =>
        quota === null ? EMPTY_BUCKET : { milliTokens: rateOf(quota, which).burst * 1000, atMs: batch.timeMs };
      putTenant(batch.tenants, {
        ...tenantOf(batch.tenants, name),
        quota,
        creates: full("creates"),
        deletes: full("deletes"),
        requests: full("requests"),
      });
      batch.roomMayHaveGrown();
      batch.happened({ kind: "quotaSet", tenant: name, isLimited: quota !== null });
      return Object.freeze({ ok: true, kind: "quotaSet" });
    },
  }),
};
