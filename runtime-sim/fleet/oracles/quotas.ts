/**
 * No tenant comes to have more than its quota: VMs, vcpus, memory and disk in all, and VMs on one worker. A quota that
 * is lowered leaves what is there: so it is growth beyond the quota that is wrong. Each event of a VM is judged by
 * what its tenant had right before and has right after it, in a count of the oracle's own, by the quota right after
 * its entry.
 *
 * Not checked: how fast a tenant asks, and changes of VMs that no event tells of.
 */
import { type ClusterEvent, type ClusterState, quotaOf, resourcesOf, vmOf } from "../../../core/index.ts";
import type { FleetContext, FleetOracle } from "./oracle.ts";

const LIMITED = ["vms", "vcpus", "memoryMiB", "diskGiB", "vmsPerWorker"] as const;
type Use = Readonly<Record<(typeof LIMITED)[number], number>>;

const NOTHING: Use = { vms: 0, vcpus: 0, memoryMiB: 0, diskGiB: 0, vmsPerWorker: 0 };

/** What one VM counts as. */
interface Counted {
  readonly tenant: string;
  readonly workerId: number | null;
  readonly use: Use;
}

export function quotas({ violate }: FleetContext): FleetOracle {
  const vms = new Map<string, Counted>();
  /** By tenant; `vmsPerWorker` is in the other one, by tenant and worker. */
  const uses = new Map<string, Use>();
  const onWorkers = new Map<string, number>();

  function count({ tenant, workerId, use }: Counted, sign: 1 | -1): void {
    uses.set(tenant, added(uses.get(tenant) ?? NOTHING, use, sign));
    if (workerId === null) return;
    const key = placeOf(tenant, workerId);
    onWorkers.set(key, (onWorkers.get(key) ?? 0) + sign);
  }

  /** On the worker where that VM is. */
  function useOf(tenant: string, workerId: number | null): Use {
    const vmsPerWorker = workerId === null ? 0 : (onWorkers.get(placeOf(tenant, workerId)) ?? 0);
    return { ...(uses.get(tenant) ?? NOTHING), vmsPerWorker };
  }

  return {
    name: "quotas",
    summary: "no tenant grows beyond its quota",
    checks: 0,
    happened(event, state) {
      if (!isOfVm(event)) return;
      const { name, index } = event;
      const old = vms.get(name);
      const now = countedIn(state, name);
      if (now === null) {
        if (old !== undefined) count(old, -1);
        vms.delete(name);
        return;
      }
      const { tenant, workerId } = now;
      const before = useOf(tenant, workerId);
      if (old !== undefined) count(old, -1);
      count(now, 1);
      vms.set(name, now);
      const quota = quotaOf(state, tenant);
      if (quota === null) return;
      const after = useOf(tenant, workerId);
      this.checks += 1;
      for (const what of LIMITED) {
        if (after[what] > quota[what] && after[what] > before[what])
          violate(
            () =>
              `tenant ${tenant} comes from ${before[what]} to ${after[what]} ${what} of ${quota[what]} by VM ${name}, ` +
              `entry ${index}`,
          );
      }
    },
  };
}

type VmEvent = Extract<ClusterEvent, { readonly kind: "vmCreated" | "vmUpdated" | "vmState" | "vmDeleted" }>;

function isOfVm(event: ClusterEvent): event is VmEvent {
  const { kind } = event;
  return kind === "vmCreated" || kind === "vmUpdated" || kind === "vmState" || kind === "vmDeleted";
}

function countedIn(state: ClusterState, name: string): Counted | null {
  const vm = vmOf(state, name);
  if (vm === null) return null;
  const { vcpus, memoryMiB, diskGiB } = resourcesOf(vm.spec);
  return { tenant: vm.tenant, workerId: vm.workerId, use: { vms: 1, vcpus, memoryMiB, diskGiB, vmsPerWorker: 0 } };
}

function placeOf(tenant: string, workerId: number): string {
  return `${workerId} ${tenant}`;
}

function added(a: Use, b: Use, sign: 1 | -1): Use {
  return {
    vms: a.vms + sign * b.vms,
    vcpus: a.vcpus + sign * b.vcpus,
    memoryMiB: a.memoryMiB + sign * b.memoryMiB,
    diskGiB: a.diskGiB + sign * b.diskGiB,
    vmsPerWorker: 0,
  };
}
