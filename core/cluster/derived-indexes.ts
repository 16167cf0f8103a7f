/**
 * Derived indexes: what follows from VMs and tasks. They are updated with every change of one, so that placement
 * looks up instead of counting.
 */
import {
  AssertionFailed,
  assert,
  domainOf,
  FAILURE_DOMAINS,
  type FailureDomain,
  groupsOf,
  heldBy,
  intentOf,
  isNegative,
  type Resources,
  resourcesOf,
  statusOf,
  sum,
  type TaskRecord,
  type TenantRecord,
  type VmRecord,
  type WorkerRecord,
} from "../domain/index.ts";
import type { Overlay } from "./overlay.ts";
import { putTenant, tenantOf } from "./tenant-table.ts";

export const countKey = {
  group: (group: string, scope: FailureDomain, domain: string): string => `g/${group}/${scope}/${domain}`,
  tenant: (tenant: string, workerId: number): string => `t/${tenant}/${workerId}`,
  domain: (scope: FailureDomain, domain: string): string => `d/${scope}/${domain}`,
  /** Of workers that are online in a domain, and of the domains that have some. */
  onlineWorkers: (scope: FailureDomain, domain: string): string => `o/${scope}/${domain}`,
  onlineDomains: (scope: FailureDomain): string => `n/${scope}`,
};

/** Where the indexes are stored, and what they are derived from. */
export interface IndexedTables {
  readonly appliedIndex: number;
  readonly workers: Pick<Overlay<number, WorkerRecord>, "get">;
  readonly tenants: Overlay<string, TenantRecord>;
  readonly counts: Overlay<string, number>;
  vm(name: string): VmRecord | null;
  putWorker(worker: WorkerRecord): void;
  roomMayHaveGrown(): void;
}

export class DerivedIndexes {
  readonly #tables: IndexedTables;

  constructor(tables: IndexedTables) {
    this.#tables = tables;
  }

  vm(before: VmRecord | null, after: VmRecord | null): void {
    if (before?.spec !== after?.spec) this.#vmUsage(before, after);
    const isSamePlacement =
      before !== null &&
      after !== null &&
      before.workerId === after.workerId &&
      before.targetId === after.targetId &&
      before.spec === after.spec &&
      before.placed === after.placed;
    if (!isSamePlacement) {
      if (before !== null) this.#move(before, -1);
      if (after !== null) this.#move(after, 1);
    }
    const isSameAssignment =
      before !== null &&
      after !== null &&
      before.workerId === after.workerId &&
      before.epoch === after.epoch &&
      before.spec === after.spec &&
      intentOf(before) === intentOf(after);
    if (isSameAssignment) return;
    this.#assign(before?.workerId ?? null);
    if (after?.workerId !== before?.workerId) this.#assign(after?.workerId ?? null);
  }

  task(before: TaskRecord | null, after: TaskRecord | null): void {
    if (before?.workerId !== after?.workerId) {
      if (before !== null) this.#moveTask(before, -1);
      if (after !== null) this.#moveTask(after, 1);
    }
    if (
      before?.workerId === after?.workerId &&
      before?.attempt === after?.attempt &&
      before?.isCancelled === after?.isCancelled
    )
      return;
    this.#assign(before?.workerId ?? null);
    if (after?.workerId !== before?.workerId) this.#assign(after?.workerId ?? null);
  }

  #vmUsage(before: VmRecord | null, after: VmRecord | null): void {
    if (before !== null) usageChanged(this.#tables.tenants, before.tenant, -1, resourcesOf(before.spec));
    if (after !== null) usageChanged(this.#tables.tenants, after.tenant, 1, resourcesOf(after.spec));
  }

  #move(vm: VmRecord, sign: 1 | -1): void {
    const { workerId, targetId } = vm;
    if (targetId !== null && targetId !== workerId) {
      const target = this.#tables.workers.get(targetId);
      if (target !== null) {
        this.#tables.putWorker({
          ...target,
          reserved: changed(target.reserved, resourcesOf(vm.spec), sign, "worker", targetId),
          nominees: sign === 1 ? inserted(target.nominees, vm.name) : without(target.nominees, vm.name),
        });
        if (sign === -1) this.#tables.roomMayHaveGrown();
      }
    }
    if (workerId === null) return;
    const worker = this.#tables.workers.get(workerId);
    if (worker === null) return;
    this.#tables.putWorker({
      ...worker,
      used: changed(worker.used, heldBy(vm), sign, "worker", workerId),
      vms: sign === 1 ? inserted(worker.vms, vm.name) : without(worker.vms, vm.name),
    });
    if (sign === -1) this.#tables.roomMayHaveGrown();
    this.#count(countKey.tenant(vm.tenant, workerId), sign);
    for (const scope of FAILURE_DOMAINS) {
      if (scope !== "node") this.#count(countKey.domain(scope, domainOf(scope, worker)), sign);
    }
    for (const group of groupsOf(vm.spec)) {
      for (const scope of FAILURE_DOMAINS) this.#count(countKey.group(group, scope, domainOf(scope, worker)), sign);
    }
  }

  #moveTask({ workerId, id, resources }: TaskRecord, sign: 1 | -1): void {
    if (workerId === null) return;
    const worker = this.#tables.workers.get(workerId);
    if (worker === null) return;
    this.#tables.putWorker({
      ...worker,
      used: changed(worker.used, resources, sign, "worker", workerId),
      tasks: sign === 1 ? inserted(worker.tasks, id) : without(worker.tasks, id),
    });
    if (sign === -1) this.#tables.roomMayHaveGrown();
  }

  #assign(workerId: number | null): void {
    const worker = workerId === null ? null : this.#tables.workers.get(workerId);
    if (worker !== null) this.#tables.putWorker({ ...worker, assignedIndex: this.#tables.appliedIndex });
  }

  #count(key: string, sign: 1 | -1): void {
    const { counts } = this.#tables;
    const count = (counts.get(key) ?? 0) + sign;
    assert(count >= 0, "fewer than none are counted", key);
    if (count === 0) counts.delete(key);
    else counts.set(key, count);
  }

  worker(before: WorkerRecord | null, after: WorkerRecord | null): void {
    const was = before !== null && statusOf(before) === "online";
    const is = after !== null && statusOf(after) === "online";
    if (was === is && (!is || before?.topology === after?.topology)) return;
    for (const scope of FAILURE_DOMAINS) {
      if (was) this.#countOnline(scope, domainOf(scope, before), -1);
      if (is) this.#countOnline(scope, domainOf(scope, after), 1);
    }
  }

  #countOnline(scope: FailureDomain, domain: string, sign: 1 | -1): void {
    const key = countKey.onlineWorkers(scope, domain);
    const count = this.#tables.counts.get(key) ?? 0;
    if (count === 0 || count + sign === 0) this.#count(countKey.onlineDomains(scope), sign);
    this.#count(key, sign);
  }

  /** A worker stands elsewhere now: what is placed there counts there. */
  workerMoved(before: WorkerRecord, after: WorkerRecord): void {
    for (const name of before.vms) {
      const vm = this.#tables.vm(name);
      if (vm === null) continue;
      for (const scope of FAILURE_DOMAINS) {
        const [from, to] = [domainOf(scope, before), domainOf(scope, after)];
        if (from === to) continue;
        if (scope !== "node") this.#count(countKey.domain(scope, from), -1);
        if (scope !== "node") this.#count(countKey.domain(scope, to), 1);
        for (const group of groupsOf(vm.spec)) {
          this.#count(countKey.group(group, scope, from), -1);
          this.#count(countKey.group(group, scope, to), 1);
        }
      }
    }
  }
}

/** Of a sorted list. */
function inserted(names: readonly string[], name: string): readonly string[] {
  let low = 0;
  let high = names.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((names[middle] ?? "") < name) low = middle + 1;
    else high = middle;
  }
  return Object.freeze([...names.slice(0, low), name, ...names.slice(low)]);
}

function without(names: readonly string[], name: string): readonly string[] {
  const others = names.filter((other) => other !== name);
  assert(others.length === names.length - 1, "what is taken off a list is not on it once", name);
  return Object.freeze(others);
}

/** One more (1) or one less (-1) of those that the total is the sum of. */
function changed(total: Resources, part: Resources, sign: 1 | -1, what: string, of: string | number): Resources {
  const next = sum(total, part, sign);
  if (isNegative(next)) throw new AssertionFailed(`${what} ${of} has less than nothing: ${JSON.stringify(next)}`);
  return next;
}

/** A VM of the tenant was added (1) or removed (-1). */
function usageChanged(tenants: Overlay<string, TenantRecord>, name: string, sign: 1 | -1, resources: Resources): void {
  const tenant = tenantOf(tenants, name);
  const vms = tenant.vms + sign;
  assert(vms >= 0, "a tenant has fewer VMs than none", name);
  putTenant(tenants, { ...tenant, vms, usage: changed(tenant.usage, resources, sign, "tenant", name) });
}
