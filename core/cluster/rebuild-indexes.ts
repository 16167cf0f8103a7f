/**
 * Builds the derived indexes from VMs and tasks, for a state that was restored. derived-indexes.ts, which updates
 * them change by change, must come to the same result.
 */

import {
  addressKey,
  domainOf,
  FAILURE_DOMAINS,
  heldBy,
  type IpPoolRecord,
  NEW_TENANT,
  type Resources,
  resourcesOf,
  type StoredPool,
  type StoredTenant,
  type StoredWorker,
  statusOf,
  type TaskRecord,
  type TenantRecord,
  type VmRecord,
  type WorkerRecord,
} from "../domain/index.ts";
import { countKey } from "./derived-indexes.ts";
import { hashOfIndex, hashOfText } from "./hash.ts";
import type { ClusterState } from "./state.ts";
import { tableOf } from "./table.ts";

export interface Stored {
  readonly vms: readonly VmRecord[];
  readonly tasks: readonly TaskRecord[];
  readonly workers: readonly StoredWorker[];
  readonly tenants: readonly StoredTenant[];
  readonly pools: readonly StoredPool[];
}

type Indexes = Pick<
  ClusterState,
  "workers" | "tenants" | "pools" | "addresses" | "counts" | "workerCount" | "tenantCount" | "poolCount"
>;

class Sum {
  vcpus = 0;
  memoryMiB = 0;
  diskGiB = 0;

  add(resources: Resources): void {
    this.vcpus += resources.vcpus;
    this.memoryMiB += resources.memoryMiB;
    this.diskGiB += resources.diskGiB;
  }

  get total(): Resources {
    return Object.freeze({ vcpus: this.vcpus, memoryMiB: this.memoryMiB, diskGiB: this.diskGiB });
  }
}

class WorkerIndex {
  readonly stored: StoredWorker;
  readonly used = new Sum();
  readonly reserved = new Sum();
  readonly vms: string[] = [];
  readonly tasks: string[] = [];
  readonly nominees: string[] = [];

  constructor(stored: StoredWorker) {
    this.stored = stored;
  }

  get record(): WorkerRecord {
    return Object.freeze({
      ...this.stored,
      used: this.used.total,
      reserved: this.reserved.total,
      vms: Object.freeze(this.vms.sort()),
      tasks: Object.freeze(this.tasks.sort()),
      nominees: Object.freeze(this.nominees.sort()),
    });
  }
}

export function rebuildIndexes({ vms, tasks, workers, tenants, pools }: Stored): Indexes {
  const byWorker = new Map(workers.map((stored) => [stored.id, new WorkerIndex(stored)]));
  const counts = new Map<string, number>();
  const addresses: [string, string][] = [];
  const usage = new Map<string, { vms: number; readonly sum: Sum }>();
  const poolUse = new Map<string, number>();
  const count = (key: string): void => void counts.set(key, (counts.get(key) ?? 0) + 1);

  for (const { stored } of byWorker.values()) {
    if (statusOf(stored) !== "online") continue;
    for (const scope of FAILURE_DOMAINS) {
      const key = countKey.onlineWorkers(scope, domainOf(scope, stored));
      if (!counts.has(key)) count(countKey.onlineDomains(scope));
      count(key);
    }
  }

  for (const vm of vms) {
    const tenant = usage.get(vm.tenant) ?? { vms: 0, sum: new Sum() };
    usage.set(vm.tenant, tenant);
    tenant.vms++;
    tenant.sum.add(resourcesOf(vm.spec));
    for (const { pool, index } of vm.addresses) {
      addresses.push([addressKey(pool, index), vm.name]);
      poolUse.set(pool, (poolUse.get(pool) ?? 0) + 1);
    }
    const { workerId, targetId } = vm;
    const target = targetId === null || targetId === workerId ? undefined : byWorker.get(targetId);
    target?.reserved.add(resourcesOf(vm.spec));
    target?.nominees.push(vm.name);
    const entry = workerId === null ? undefined : byWorker.get(workerId);
    if (entry === undefined || workerId === null) continue;
    entry.used.add(heldBy(vm));
    entry.vms.push(vm.name);
    count(countKey.tenant(vm.tenant, workerId));
    const groups = new Set(vm.spec.antiAffinity.map(({ group }) => group));
    for (const scope of FAILURE_DOMAINS) {
      const domain = domainOf(scope, entry.stored);
      if (scope !== "node") count(countKey.domain(scope, domain));
      for (const group of groups) count(countKey.group(group, scope, domain));
    }
  }
  for (const task of tasks) {
    const entry = task.workerId === null ? undefined : byWorker.get(task.workerId);
    entry?.used.add(task.resources);
    entry?.tasks.push(task.id);
  }

  const known = new Map(tenants.map((tenant) => [tenant.name, tenant]));
  const names = new Set([...known.keys(), ...usage.keys()]);
  const tenantRecords: [string, TenantRecord][] = [];
  for (const name of names) {
    const used = usage.get(name);
    const record = {
      ...NEW_TENANT,
      name,
      ...known.get(name),
      vms: used?.vms ?? 0,
      usage: (used?.sum ?? new Sum()).total,
    };
    tenantRecords.push([name, Object.freeze(record)]);
  }
  const poolRecords = pools.map((pool): [string, IpPoolRecord] => [
    pool.spec.name,
    Object.freeze({ ...pool, usedCount: poolUse.get(pool.spec.name) ?? 0 }),
  ]);
  return {
    workers: tableOf(
      hashOfIndex,
      [...byWorker].map(([id, entry]): [number, WorkerRecord] => [id, entry.record]),
    ),
    workerCount: byWorker.size,
    tenants: tableOf(hashOfText, tenantRecords),
    tenantCount: tenantRecords.length,
    pools: tableOf(hashOfText, poolRecords),
    poolCount: poolRecords.length,
    addresses: tableOf(hashOfText, addresses),
    counts: tableOf(hashOfText, counts),
  };
}
