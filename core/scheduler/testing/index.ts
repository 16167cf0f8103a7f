/**
 * For the tests of this folder: workers and requests with defaults, and a fleet that counts everything anew when
 * asked.
 */
import {
  DEFAULT_SCHEDULER,
  domainOf,
  type FailureDomain,
  NO_RESOURCES,
  type Resources,
  type SchedulerSettings,
  sum,
} from "../../domain/index.ts";
import type { Occupant, PlacementContext, PlacementRequest, WorkerView } from "../types.ts";

/**
 * A tenth of what a worker has is kept for the host, unless the settings say otherwise: this one offers 90 of
 * everything.
 */
export function aWorker(id: number, fields: Partial<WorkerView> = {}): WorkerView {
  return {
    id,
    status: "online",
    capacity: { vcpus: 100, memoryMiB: 100, diskGiB: 100 },
    used: NO_RESOURCES,
    reserved: NO_RESOURCES,
    features: [],
    topology: { datacenter: "dc", zone: "zone", rack: "rack" },
    costPerHour: 0,
    ...fields,
  };
}

export function aRequest(fields: Partial<PlacementRequest> = {}): PlacementRequest {
  return {
    name: "vm",
    tenant: "tenant",
    resources: { vcpus: 10, memoryMiB: 10, diskGiB: 10 },
    features: [],
    antiAffinity: [],
    locality: null,
    priority: 500,
    pinnedTo: null,
    avoid: null,
    nominatedTo: null,
    ...fields,
  };
}

export function all(amount: number): Resources {
  return { vcpus: amount, memoryMiB: amount, diskGiB: amount };
}

export interface Placed {
  readonly request: PlacementRequest;
  readonly workerId: number;
  readonly preemptible: boolean;
}

/** Workers and what is placed on them. What counts in a domain is found by looking at everybody. */
export class Fleet {
  readonly workers = new Map<number, WorkerView>();
  readonly placed: Placed[] = [];
  settings: SchedulerSettings;
  tenantPerWorkerMax = Number.POSITIVE_INFINITY;
  cursor = 0;

  constructor(workers: Iterable<WorkerView> = [], settings: Partial<SchedulerSettings> = {}) {
    for (const worker of workers) this.workers.set(worker.id, worker);
    this.settings = { ...DEFAULT_SCHEDULER, ...settings };
  }

  worker(id: number): WorkerView {
    const worker = this.workers.get(id);
    if (worker === undefined) throw new RangeError(`no worker ${id}`);
    return worker;
  }

  place(request: PlacementRequest, workerId: number, preemptible = true): void {
    const worker = this.worker(workerId);
    this.placed.push({ request, workerId, preemptible });
    this.workers.set(workerId, { ...worker, used: sum(worker.used, request.resources, 1) });
    this.cursor = workerId;
  }

  /** Takes away the nth, if there are so many. */
  remove(nth: number): number | null {
    const [gone] = this.placed.splice(nth, 1);
    if (gone === undefined) return null;
    const worker = this.worker(gone.workerId);
    this.workers.set(worker.id, { ...worker, used: sum(worker.used, gone.request.resources, -1) });
    return worker.id;
  }

  /** Takes the nth worker away of those on which nothing is placed, if there are so many. */
  delete(nth: number): number | null {
    const idle = [...this.workers.keys()].filter((id) => this.placed.every(({ workerId }) => workerId !== id));
    const gone = idle[nth];
    if (gone === undefined) return null;
    this.workers.delete(gone);
    return gone;
  }

  occupantsOf(workerId: number): readonly Occupant[] {
    return this.placed
      .filter((one) => one.workerId === workerId)
      .map(({ request: { name, resources, priority }, preemptible }) => ({ name, resources, priority, preemptible }));
  }

  get context(): PlacementContext {
    const { settings, cursor, placed } = this;
    const isIn = (workerId: number, scope: FailureDomain, domain: string): boolean =>
      domainOf(scope, this.worker(workerId)) === domain;
    return {
      settings,
      cursor,
      groupCount: (group, scope, domain) =>
        placed.filter(
          ({ request, workerId }) =>
            request.antiAffinity.some((rule) => rule.group === group) && isIn(workerId, scope, domain),
        ).length,
      tenantCount: (tenant, id) =>
        placed.filter(({ request, workerId }) => request.tenant === tenant && workerId === id).length,
      tenantPerWorkerMax: () => this.tenantPerWorkerMax,
      domainCount: (domain) => placed.filter(({ workerId }) => isIn(workerId, settings.spreadScope, domain)).length,
      domainTotal: new Set(
        [...this.workers.values()]
          .filter(({ status }) => status === "online")
          .map((worker) => domainOf(settings.spreadScope, worker)),
      ).size,
    };
  }
}
