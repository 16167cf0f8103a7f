/** How the replicated state looks to the scheduler. */
import {
  domainOf,
  groupsOf,
  heldBy,
  intentOf,
  neededFeatures,
  statusOf,
  type TaskRecord,
  type VmRecord,
  type WorkerRecord,
} from "../domain/index.ts";
import type { PlacementContext, PlacementRequest, WorkerView } from "../scheduler/index.ts";
import type { Batch } from "./batch.ts";
import { countKey } from "./derived-indexes.ts";

/** Reads the batch as it is when it is asked. */
export function placementContext(batch: Batch): PlacementContext {
  const { scheduler } = batch;
  return {
    settings: scheduler,
    cursor: batch.schedulerCursor,
    groupCount: (group, scope, domain) => batch.counts.get(countKey.group(group, scope, domain)) ?? 0,
    tenantCount: (tenant, workerId) => batch.counts.get(countKey.tenant(tenant, workerId)) ?? 0,
    tenantPerWorkerMax: (tenant) => batch.tenants.get(tenant)?.quota?.vmsPerWorker ?? Number.POSITIVE_INFINITY,
    domainCount(domain) {
      if (scheduler.spreadScope === "node") return batch.workers.get(Number(domain))?.vms.length ?? 0;
      return batch.counts.get(countKey.domain(scheduler.spreadScope, domain)) ?? 0;
    },
    get domainTotal() {
      return batch.counts.get(countKey.onlineDomains(scheduler.spreadScope)) ?? 0;
    },
  };
}

/** As if the VM were not placed on that worker. Its room is not the context's to tell. */
export function placementContextWithout(batch: Batch, vm: VmRecord, worker: WorkerRecord): PlacementContext {
  const context = placementContext(batch);
  const groups = groupsOf(vm.spec);
  return {
    settings: context.settings,
    cursor: context.cursor,
    groupCount(group, scope, domain) {
      const isCounted = groups.includes(group) && domainOf(scope, worker) === domain;
      return context.groupCount(group, scope, domain) - (isCounted ? 1 : 0);
    },
    tenantCount(tenant, workerId) {
      const isCounted = tenant === vm.tenant && workerId === worker.id;
      return context.tenantCount(tenant, workerId) - (isCounted ? 1 : 0);
    },
    tenantPerWorkerMax: context.tenantPerWorkerMax,
    domainCount: context.domainCount,
    get domainTotal() {
      return context.domainTotal;
    },
  };
}

export function vmRequest(vm: VmRecord): PlacementRequest {
  const { spec } = vm;
  return {
    name: vm.name,
    tenant: vm.tenant,
    resources: heldBy(vm),
    features: neededFeatures(spec),
    antiAffinity: spec.antiAffinity,
    locality: spec.locality,
    priority: spec.priority,
    pinnedTo: spec.workerId,
    avoid: vm.avoidId,
    nominatedTo: vm.workerId === null ? vm.targetId : null,
  };
}

/** Whether the scheduler has to find a place for it. */
export function needsPlace(vm: VmRecord): boolean {
  return (vm.state === "Pending" || vm.state === "Lost") && vm.workerId === null && intentOf(vm) === "run";
}

export function workerView(worker: WorkerRecord): WorkerView {
  const { id, capacity, used, reserved, features, topology, costPerHour } = worker;
  return { id, status: statusOf(worker), capacity, used, reserved, features, topology, costPerHour };
}

/** As placement sees it: without rules of its own, and of the lowest priority that VMs have by default. */
export function taskRequest(task: TaskRecord): PlacementRequest {
  const { id, tenant, resources, features } = task;
  return {
    name: id,
    tenant,
    resources,
    features,
    antiAffinity: [],
    locality: null,
    priority: 0,
    pinnedTo: null,
    avoid: null,
    nominatedTo: null,
  };
}
