/** Whether one worker may take one request, and with which score. Every placement decision ends here. */
import { domainOf, NO_RESOURCES, RESOURCES, type Resources, type SchedulerSettings } from "../domain/index.ts";
import { isMarking, mark } from "../marks.ts";
import type { Judgement, PlacementContext, PlacementRequest, WorkerRefusal, WorkerView } from "./types.ts";

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

/**
 * Steps between what a request prefers and what the strategy prefers: the first always wins. Any two scores of a
 * strategy that differ still do so beside them: below 2^22 a number has 31 bits behind the point.
 */
const AVOIDED = -1e9;
const PREFERRED_ZONE = 2e6;
const PREFERRED_DATACENTER = 1e6;
/** "spread" ranks by whole steps, and by room within a step. */
const STEP = 10;
/** Ids of workers are smaller. */
const IDS = 2 ** 31;

/**
 * How much two workers have in common; each step includes those before it. A rule with a scope gives the same answer
 * for all workers that share a domain of that scope.
 */
export const SHARED = { nothing: 0, datacenter: 1, zone: 2, rack: 3, node: 4 } as const;
export type Shared = (typeof SHARED)[keyof typeof SHARED];

export function judge(context: PlacementContext, worker: WorkerView, request: PlacementRequest): Judgement {
  const refusal = refusalOf(context, worker, request);
  if (refusal !== null) {
    if (isMarking) mark(`unfit/${refusal.kind}`);
    return { workerId: worker.id, score: null, refusal };
  }
  return { workerId: worker.id, score: scoreOf(context, worker, request), refusal: null };
}

function refusalOf(context: PlacementContext, worker: WorkerView, request: PlacementRequest): WorkerRefusal | null {
  if (worker.status !== "online") return { kind: worker.status };
  if (request.pinnedTo !== null && request.pinnedTo !== worker.id) return { kind: "notTheNamedWorker" };
  if (request.features.length > 0) {
    const features = request.features.filter((feature) => !worker.features.includes(feature));
    if (features.length > 0) return { kind: "missingFeatures", features };
  }
  const room = roomFor(context, worker, request);
  for (const resource of RESOURCES) {
    const needed = request.resources[resource];
    if (needed > room[resource]) return { kind: "insufficient", resource, needed, free: Math.max(0, room[resource]) };
  }
  const limit = context.tenantPerWorkerMax(request.tenant);
  if (limit !== Number.POSITIVE_INFINITY) {
    const used = context.tenantCount(request.tenant, worker.id);
    if (used >= limit) return { kind: "tenantQuota", used, limit };
  }
  return rulesRefusal(context, worker, request, SHARED.node) ?? domainsRefusal(context);
}

/**
 * What is free on the worker for the request; null: for a request without a reservation. Room that is reserved for
 * others is not free, room that is reserved for this request is. Below 0 where too much was promised already.
 */
export function roomFor(context: PlacementContext, worker: WorkerView, request: PlacementRequest | null): Resources {
  const promised = promisable(context, worker);
  const itsOwn = request?.nominatedTo === worker.id ? request.resources : NO_RESOURCES;
  const room = (resource: keyof Resources): number => {
    const kept = worker.reserved[resource] - itsOwn[resource];
    return promised[resource] - worker.used[resource] - Math.max(0, kept);
  };
  return { vcpus: room("vcpus"), memoryMiB: room("memoryMiB"), diskGiB: room("diskGiB") };
}

/** What refuses the request on every worker that has so much in common with this one. */
export function rulesRefusal(
  context: PlacementContext,
  worker: WorkerView,
  request: PlacementRequest,
  shared: Shared,
): WorkerRefusal | null {
  for (const { group, softWeight, maxPerDomain, scope } of request.antiAffinity) {
    if (softWeight !== null || SHARED[scope] > shared) continue;
    const domain = domainOf(scope, worker);
    const count = context.groupCount(group, scope, domain);
    if (count >= maxPerDomain) return { kind: "antiAffinity", group, scope, domain, count, limit: maxPerDomain };
  }
  return localityRefusal(worker, request, shared);
}

function localityRefusal(
  { topology }: WorkerView,
  { locality }: PlacementRequest,
  shared: Shared,
): WorkerRefusal | null {
  if (locality === null || shared < SHARED.datacenter) return null;
  const { preferredDatacenter, preferredZone, strict, excludedDatacenters } = locality;
  if (excludedDatacenters.includes(topology.datacenter))
    return { kind: "excludedDatacenter", datacenter: topology.datacenter };
  if (!strict) return null;
  if (preferredDatacenter !== null && preferredDatacenter !== topology.datacenter)
    return { kind: "locality", wanted: preferredDatacenter, actual: topology.datacenter };
  if (shared >= SHARED.zone && preferredZone !== null && preferredZone !== topology.zone)
    return { kind: "locality", wanted: preferredZone, actual: topology.zone };
  return null;
}

/** Of "spread": too few domains to place anything. */
export function domainsRefusal({ settings, domainTotal }: PlacementContext): WorkerRefusal | null {
  if (settings.strategy !== "spread" || domainTotal >= settings.minDomains) return null;
  return { kind: "tooFewDomains", count: domainTotal, limit: settings.minDomains };
}

function scoreOf(context: PlacementContext, worker: WorkerView, request: PlacementRequest): number {
  return baseScore(context, worker) + preference(context, worker, request, SHARED.node);
}

/**
 * What the request adds to the score; or the most that it adds to that of any worker that has so much in common with
 * this one.
 */
export function preference(
  context: PlacementContext,
  worker: WorkerView,
  request: PlacementRequest,
  shared: Shared,
): number {
  let penalty = 0;
  for (const { group, softWeight, maxPerDomain, scope } of request.antiAffinity) {
    if (softWeight === null || SHARED[scope] > shared) continue;
    const excess = context.groupCount(group, scope, domainOf(scope, worker)) + 1 - maxPerDomain;
    if (excess > 0) penalty += softWeight * excess;
  }
  const isAvoided = shared === SHARED.node && request.avoid === worker.id;
  return localityBonus(worker, request, shared) - penalty + (isAvoided ? AVOIDED : 0);
}

function localityBonus({ topology }: WorkerView, { locality }: PlacementRequest, shared: Shared): number {
  if (locality === null) return 0;
  const { preferredDatacenter, preferredZone } = locality;
  const mayBeThere = (step: Shared, preferred: string, actual: string) => shared < step || preferred === actual;
  if (preferredDatacenter !== null && !mayBeThere(SHARED.datacenter, preferredDatacenter, topology.datacenter))
    return 0;
  if (preferredZone !== null && mayBeThere(SHARED.zone, preferredZone, topology.zone)) return PREFERRED_ZONE;
  return preferredDatacenter === null ? 0 : PREFERRED_DATACENTER;
}

/** What the strategy says, whatever the request. */
export function baseScore(context: PlacementContext, worker: WorkerView): number {
  const { settings, cursor } = context;
  switch (settings.strategy) {
    case "most-available":
    case "locality":
    // What is too expensive is left out by `explain`, which knows the cheapest.
    case "cost":
      return freeFraction(context, worker);
    case "least-available":
      return 1 - freeFraction(context, worker);
    case "round-robin":
      return roundRobinScore(cursor, worker.id);
    case "spread":
      return spreadScore(context.domainCount(domainOf(settings.spreadScope, worker)), freeFraction(context, worker));
  }
}

/** The next id behind the cursor has the most, just below 1; the cursor itself, the last to be asked, has 0. */
export function roundRobinScore(cursor: number, id: number): number {
  const distance = id > cursor ? id - cursor : id - cursor + IDS;
  return 1 - distance / IDS;
}

/** @param count of VMs in the worker's domain. */
export function spreadScore(count: number, free: number): number {
  return -STEP * count + free;
}

/** The most that a worker may cost when the cheapest that would take the request costs that much. */
export function costLimit({ costIncreasePercentMax }: SchedulerSettings, cheapest: number): number {
  return cheapest + (cheapest * costIncreasePercentMax) / 100;
}

/**
 * Mean of what is free of each resource, as a share of what may be promised; what there is nothing of counts as
 * taken.
 */
export function freeFraction(context: PlacementContext, worker: WorkerView): number {
  const promised = promisable(context, worker);
  let total = 0;
  for (const resource of RESOURCES) {
    if (promised[resource] <= 0) continue;
    total += Math.max(0, promised[resource] - worker.used[resource] - worker.reserved[resource]) / promised[resource];
  }
  return total / RESOURCES.length;
}
