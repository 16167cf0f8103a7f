/** Whether one worker may take one request, and how gladly. Nothing else decides. */
import type { FailureDomain } from "../cluster/index.ts";
import type {
  Judgement,
  PlacementContext,
  PlacementRequest,
  Resources,
  Topology,
  WorkerRefusal,
  WorkerView,
} from "./types.ts";

/** The name of the domain of that scope that a worker is in. Names of zones and racks count within what they are in. */
export function domainOf(
  scope: FailureDomain,
  { id, topology }: { readonly id: number; readonly topology: Topology },
): string {
  switch (scope) {
    case "node":
      return String(id);
    case "rack":
      return `${topology.datacenter}/${topology.zone}/${topology.rack}`;
    case "zone":
      return `${topology.datacenter}/${topology.zone}`;
    case "datacenter":
      return topology.datacenter;
  }
}

/** What may be promised on a worker in all. */
export function promisable({ settings }: PlacementContext, { capacity }: WorkerView): Resources {
  const { cpu, memory, disk, reservePercent } = settings.overcommit;
  const share = 100 - reservePercent;
  return {
    vcpus: Math.floor((capacity.vcpus * cpu * share) / 100),
    memoryMiB: Math.floor((capacity.memoryMiB * memory * share) / 100),
    diskGiB: Math.floor((capacity.diskGiB * disk * share) / 100),
  };
}

export const RESOURCES = ["vcpus", "memoryMiB", "diskGiB"] as const;

/** Steps between what a request prefers and what the strategy prefers: the first always wins. */
const AVOIDED = -1e9;
const PREFERRED_ZONE = 2e6;
const PREFERRED_DATACENTER = 1e6;
/** "spread" ranks by whole steps, and by room within a step. */
const STEP = 10;

export function judge(context: PlacementContext, worker: WorkerView, request: PlacementRequest): Judgement {
  const refusal = refusalOf(context, worker, request);
  if (refusal !== null) return { workerId: worker.id, score: null, refusal };
  return { workerId: worker.id, score: scoreOf(context, worker, request), refusal: null };
}

function refusalOf(context: PlacementContext, worker: WorkerView, request: PlacementRequest): WorkerRefusal | null {
  if (worker.status !== "online") return { kind: worker.status };
  if (request.pinnedTo !== null && request.pinnedTo !== worker.id) return { kind: "notTheNamedWorker" };
  if (request.features.length > 0) {
    const features = request.features.filter((feature) => !worker.features.includes(feature));
    if (features.length > 0) return { kind: "missingFeatures", features };
  }
  const promised = promisable(context, worker);
  const isNominated = request.nominatedTo === worker.id;
  for (const resource of RESOURCES) {
    const needed = request.resources[resource];
    const kept = worker.reserved[resource] - (isNominated ? needed : 0);
    const free = promised[resource] - worker.used[resource] - Math.max(0, kept);
    if (needed > free) return { kind: "insufficient", resource, needed, free: Math.max(0, free) };
  }
  const limit = context.tenantPerWorkerMax(request.tenant);
  if (limit !== Number.POSITIVE_INFINITY) {
    const used = context.tenantCount(request.tenant, worker.id);
    if (used >= limit) return { kind: "tenantQuota", used, limit };
  }
  for (const { group, softWeight, maxPerDomain, scope } of request.antiAffinity) {
    if (softWeight !== null) continue;
    const domain = domainOf(scope, worker);
    const count = context.groupCount(group, scope, domain);
    if (count >= maxPerDomain) return { kind: "antiAffinity", group, scope, domain, count, limit: maxPerDomain };
  }
  return localityRefusal(worker, request) ?? domainsRefusal(context);
}

function localityRefusal({ topology }: WorkerView, { locality }: PlacementRequest): WorkerRefusal | null {
  if (locality === null) return null;
  const { preferredDatacenter, preferredZone, strict, excludedDatacenters } = locality;
  if (excludedDatacenters.includes(topology.datacenter))
    return { kind: "excludedDatacenter", datacenter: topology.datacenter };
  if (!strict) return null;
  if (preferredDatacenter !== null && preferredDatacenter !== topology.datacenter)
    return { kind: "locality", wanted: preferredDatacenter, actual: topology.datacenter };
  if (preferredZone !== null && preferredZone !== topology.zone)
    return { kind: "locality", wanted: preferredZone, actual: topology.zone };
  return null;
}

function domainsRefusal({ settings, domainTotal }: PlacementContext): WorkerRefusal | null {
  if (settings.strategy !== "spread" || domainTotal >= settings.minDomains) return null;
  return { kind: "tooFewDomains", count: domainTotal, limit: settings.minDomains };
}

function scoreOf(context: PlacementContext, worker: WorkerView, request: PlacementRequest): number {
  let score = baseScore(context, worker);
  for (const { group, softWeight, maxPerDomain, scope } of request.antiAffinity) {
    if (softWeight === null) continue;
    const excess = context.groupCount(group, scope, domainOf(scope, worker)) + 1 - maxPerDomain;
    if (excess > 0) score -= softWeight * excess;
  }
  return score + localityBonus(worker, request) + (request.avoid === worker.id ? AVOIDED : 0);
}

/** What the strategy says, whatever the request. */
export function baseScore(context: PlacementContext, worker: WorkerView): number {
  const { settings, cursor } = context;
  switch (settings.strategy) {
    case "most-available":
    case "locality":
    // What is too dear is left out by `explain`, which knows the cheapest.
    case "cost":
      return freeFraction(context, worker);
    case "least-available":
      return 1 - freeFraction(context, worker);
    case "round-robin":
      // The next id behind the cursor first; those up to it come after all others.
      return worker.id > cursor ? -worker.id : -worker.id - 2 ** 32;
    case "spread":
      return -STEP * context.domainCount(domainOf(settings.spreadScope, worker)) + freeFraction(context, worker);
  }
}

function localityBonus({ topology }: WorkerView, { locality }: PlacementRequest): number {
  if (locality === null) return 0;
  const { preferredDatacenter, preferredZone } = locality;
  const isDatacenter = preferredDatacenter === null || preferredDatacenter === topology.datacenter;
  if (preferredZone !== null && preferredZone === topology.zone && isDatacenter) return PREFERRED_ZONE;
  return preferredDatacenter === topology.datacenter ? PREFERRED_DATACENTER : 0;
}

/** Mean of what is free of each resource, as a share of what may be promised; what there is nothing of counts as taken. */
export function freeFraction(context: PlacementContext, worker: WorkerView): number {
  const promised = promisable(context, worker);
  let total = 0;
  for (const resource of RESOURCES) {
    if (promised[resource] <= 0) continue;
    total += Math.max(0, promised[resource] - worker.used[resource] - worker.reserved[resource]) / promised[resource];
  }
  return total / RESOURCES.length;
}
