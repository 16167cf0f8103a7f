/**
 * No tenant comes to have more than its quota: VMs, vcpus, memory and disk in all, and VMs on one worker, counted anew
 * from the VMs. A quota that is lowered leaves what is there: so it is growth beyond the quota that is wrong, from one
 * audit to the next.
 *
 * Not checked: how fast a tenant asks, and growth within the interval in which its quota was changed.
 */
import { type ClusterState, type Quota, resourcesOf, tableValues } from "../../../core/index.ts";
import type { FleetContext, FleetOracle } from "./oracle.ts";

/** The most on one worker stands for all workers: whoever grows beyond has then grown somewhere. */
const LIMITED = ["vms", "vcpus", "memoryMiB", "diskGiB", "vmsPerWorker"] as const;
type Use = Readonly<Record<(typeof LIMITED)[number], number>>;

const NOTHING: Use = { vms: 0, vcpus: 0, memoryMiB: 0, diskGiB: 0, vmsPerWorker: 0 };

const NOBODY: ReadonlyMap<string, Use> = new Map();

export function quotas({ violate }: FleetContext): FleetOracle {
  let before = new Map<string, { readonly quota: Quota; readonly use: Use }>();
  return {
    name: "quotas",
    summary: "no tenant grows beyond its quota",
    checks: 0,
    audit(state) {
      const after = new Map<string, { readonly quota: Quota; readonly use: Use }>();
      const tenants = tableValues(state.tenants).filter(({ quota }) => quota !== null);
      // Where nobody is limited all VMs need not be counted.
      const uses = tenants.length === 0 ? NOBODY : usesIn(state);
      for (const { name, quota } of tenants) {
        if (quota === null) continue;
        const use = uses.get(name) ?? NOTHING;
        after.set(name, { quota, use });
        const last = before.get(name);
        if (last?.quota !== quota) continue;
        for (const what of LIMITED) {
          this.checks += 1;
          if (use[what] > quota[what] && use[what] > last.use[what])
            violate(() => `tenant ${name} has come from ${last.use[what]} to ${use[what]} ${what} of ${quota[what]}`);
        }
      }
      before = after;
    },
  };
}

function usesIn(state: ClusterState): ReadonlyMap<string, Use> {
  const uses = new Map<string, Use>();
  const onWorkers = new Map<string, number>();
  for (const { tenant, spec, workerId } of tableValues(state.vms)) {
    const use = uses.get(tenant) ?? NOTHING;
    const { vcpus, memoryMiB, diskGiB } = resourcesOf(spec);
    let { vmsPerWorker } = use;
    if (workerId !== null) {
      const key = `${workerId} ${tenant}`;
      const count = (onWorkers.get(key) ?? 0) + 1;
      onWorkers.set(key, count);
      vmsPerWorker = Math.max(vmsPerWorker, count);
    }
    uses.set(tenant, {
      vms: use.vms + 1,
      vcpus: use.vcpus + vcpus,
      memoryMiB: use.memoryMiB + memoryMiB,
      diskGiB: use.diskGiB + diskGiB,
      vmsPerWorker,
    });
  }
  return uses;
}
