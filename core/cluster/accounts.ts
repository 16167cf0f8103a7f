/** The books: what follows from VMs and tasks, kept up with every change of one, so that placement asks instead of counting. */
import { domainOf, type Resources } from "../scheduler/index.ts";
import type { Batch } from "./batch.ts";
import type { TaskRecord } from "./tasks.ts";
import { usageChanged } from "./tenants.ts";
import { intentOf, type VmRecord } from "./vm-record.ts";
import { FAILURE_DOMAINS, type FailureDomain, type VmSpec } from "./vm-spec.ts";
import { statusOf, type WorkerRecord } from "./workers.ts";

export function resourcesOf(spec: VmSpec): Resources {
  let { diskGiB } = spec;
  for (const { sizeGiB } of spec.volumes) diskGiB += sizeGiB;
  return { vcpus: spec.vcpus, memoryMiB: spec.memoryMiB, diskGiB };
}

/** What a VM holds where it is placed: enough for the spec that may still run, and for the one that comes next. */
export function heldBy(vm: VmRecord): Resources {
  const now = resourcesOf(vm.spec);
  const { placed } = vm;
  if (placed === null) return now;
  return {
    vcpus: Math.max(now.vcpus, placed.vcpus),
    memoryMiB: Math.max(now.memoryMiB, placed.memoryMiB),
    diskGiB: Math.max(now.diskGiB, placed.diskGiB),
  };
}

export const countKey = {
  group: (group: string, scope: FailureDomain, domain: string): string => `g/${group}/${scope}/${domain}`,
  tenant: (tenant: string, workerId: number): string => `t/${tenant}/${workerId}`,
  domain: (scope: FailureDomain, domain: string): string => `d/${scope}/${domain}`,
  /** Of workers that are online in a domain, and of the domains that have some. */
  onlineWorkers: (scope: FailureDomain, domain: string): string => `o/${scope}/${domain}`,
  onlineDomains: (scope: FailureDomain): string => `n/${scope}`,
};

export class Accounts {
  readonly #batch: Batch;

  constructor(batch: Batch) {
    this.#batch = batch;
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
    if (before !== null) usageChanged(this.#batch, before.tenant, -1, resourcesOf(before.spec));
    if (after !== null) usageChanged(this.#batch, after.tenant, 1, resourcesOf(after.spec));
  }

  #move(vm: VmRecord, sign: 1 | -1): void {
    const { workerId, targetId } = vm;
    if (targetId !== null && targetId !== workerId) {
      const target = this.#batch.workers.get(targetId);
      if (target !== null) {
        this.#batch.putWorker({
          ...target,
          reserved: sum(target.reserved, resourcesOf(vm.spec), sign),
          nominees: sign === 1 ? inserted(target.nominees, vm.name) : without(target.nominees, vm.name),
        });
        if (sign === -1) this.#batch.roomMayHaveGrown();
      }
    }
    if (workerId === null) return;
    const worker = this.#batch.workers.get(workerId);
    if (worker === null) return;
    this.#batch.putWorker({
      ...worker,
      used: sum(worker.used, heldBy(vm), sign),
      vms: sign === 1 ? inserted(worker.vms, vm.name) : without(worker.vms, vm.name),
    });
    if (sign === -1) this.#batch.roomMayHaveGrown();
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
    const worker = this.#batch.workers.get(workerId);
    if (worker === null) return;
    this.#batch.putWorker({
      ...worker,
      used: sum(worker.used, resources, sign),
      tasks: sign === 1 ? inserted(worker.tasks, id) : without(worker.tasks, id),
    });
    if (sign === -1) this.#batch.roomMayHaveGrown();
  }

  #assign(workerId: number | null): void {
    const worker = workerId === null ? null : this.#batch.workers.get(workerId);
    if (worker !== null) this.#batch.putWorker({ ...worker, assignedIndex: this.#batch.appliedIndex });
  }

  #count(key: string, sign: 1 | -1): void {
    const { counts } = this.#batch;
    const count = (counts.get(key) ?? 0) + sign;
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
    const count = this.#batch.counts.get(key) ?? 0;
    if (count === 0 || count + sign === 0) this.#count(countKey.onlineDomains(scope), sign);
    this.#count(key, sign);
  }

  /** A worker stands elsewhere now: what is placed there counts there. */
  workerMoved(before: WorkerRecord, after: WorkerRecord): void {
    for (const name of before.vms) {
      const vm = this.#batch.vm(name);
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

export function groupsOf(spec: VmSpec): readonly string[] {
  if (spec.antiAffinity.length === 0) return none;
  return [...new Set(spec.antiAffinity.map(({ group }) => group))];
}

const none: readonly string[] = Object.freeze([]);

export function less(a: Resources, b: Resources): Resources {
  return sum(a, b, -1);
}

function sum(a: Resources, b: Resources, sign: 1 | -1): Resources {
  return Object.freeze({
    vcpus: a.vcpus + sign * b.vcpus,
    memoryMiB: a.memoryMiB + sign * b.memoryMiB,
    diskGiB: a.diskGiB + sign * b.diskGiB,
  });
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
  return Object.freeze(names.filter((other) => other !== name));
}
