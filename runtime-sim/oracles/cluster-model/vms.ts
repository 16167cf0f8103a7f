/** VMs that nobody places, because there is no worker: their records, and who may have how many. */
import {
  type CommandResult,
  NO_PLACEMENT,
  NO_RESOURCES,
  type Resources,
  resourcesOf,
  type VmRecord,
  type VmSpec,
} from "../../../core/index.ts";
import { isSame } from "../same.ts";
import { giveBack, grant, kept } from "./pools.ts";
import { type Rules, refused } from "./rules.ts";
import type { Tables } from "./tables.ts";
import { beyondQuota, beyondRate, countTenant } from "./tenants.ts";

const NOT_FOUND = refused({ kind: "vmNotFound" });
const NOT_PLACED = refused({ kind: "vmIsNotPlaced" });
const CHANGED: CommandResult = { ok: true, kind: "vmChanged" };

function put(tables: Tables, vm: VmRecord): void {
  const before = tables.vms.get(vm.name);
  tables.vms.set(vm.name, tables.index, { ...vm, updatedIndex: tables.index, updatedAtMs: tables.timeMs });
  if (before !== null && before.tenant !== vm.tenant) countTenant(tables, before.tenant);
  countTenant(tables, vm.tenant);
}

function grown(from: VmSpec, to: VmSpec): Resources & { vms: number } {
  const [before, after] = [resourcesOf(from), resourcesOf(to)];
  const more = { ...NO_RESOURCES, vms: 0 };
  for (const resource of ["vcpus", "memoryMiB", "diskGiB"] as const)
    more[resource] = Math.max(0, after[resource] - before[resource]);
  return more;
}

export const vmRules = {
  createVm(tables, { name, spec }) {
    if (tables.vms.get(name) !== null) return refused({ kind: "vmExists" });
    if (tables.vms.count >= tables.limits.vms)
      return refused({ kind: "limitReached", limit: "vms", maximum: tables.limits.vms });
    const limited =
      beyondRate(tables, spec.tenant, "creates") ?? beyondQuota(tables, spec.tenant, { vms: 1, ...resourcesOf(spec) });
    if (limited !== null) return limited;
    const granted = grant(tables, name, spec);
    if (granted.refusal !== null) return granted.refusal;
    const { index, timeMs } = tables;
    put(tables, {
      name,
      tenant: spec.tenant,
      spec,
      state: "Pending",
      desired: "running",
      generation: 1,
      epoch: 0,
      ...NO_PLACEMENT,
      addresses: granted.addresses,
      createdIndex: index,
      updatedIndex: index,
      createdAtMs: timeMs,
      updatedAtMs: timeMs,
    });
    tables.happened({ kind: "vmCreated", name, tenant: spec.tenant, generation: 1 });
    return { ok: true, kind: "vmCreated", generation: 1 };
  },
  updateVm(tables, { name, expectedGeneration: expected, spec }) {
    const vm = tables.vms.get(name);
    if (vm === null) return NOT_FOUND;
    if (vm.generation !== expected) return refused({ kind: "generationMismatch", expected, actual: vm.generation });
    const isOthersNow = spec.tenant !== vm.tenant;
    const more = isOthersNow ? { vms: 1, ...resourcesOf(spec) } : grown(vm.spec, spec);
    const limited = beyondQuota(tables, spec.tenant, more);
    if (limited !== null) return limited;
    let { addresses } = vm;
    if (!isSame(vm.spec.networks, spec.networks)) {
      const stay = kept(tables, vm, spec.networks);
      const granted = grant(tables, name, spec, stay);
      if (granted.refusal !== null) return granted.refusal;
      giveBack(
        tables,
        addresses.filter((address) => !stay.includes(address)),
      );
      addresses = granted.addresses;
    }
    const generation = expected + 1;
    put(tables, { ...vm, tenant: spec.tenant, spec, generation, addresses });
    tables.happened({ kind: "vmUpdated", name, tenant: spec.tenant, generation });
    return { ok: true, kind: "vmUpdated", generation };
  },
  deleteVm(tables, { name, expectedGeneration: expected }) {
    const vm = tables.vms.get(name);
    if (vm === null) return NOT_FOUND;
    const { generation, tenant } = vm;
    if (expected !== null && generation !== expected)
      return refused({ kind: "generationMismatch", expected, actual: generation });
    const limited = beyondRate(tables, tenant, "deletes");
    if (limited !== null) return limited;
    giveBack(tables, vm.addresses);
    tables.vms.set(name, tables.index, null);
    countTenant(tables, tenant);
    tables.happened({ kind: "vmDeleted", name, tenant, generation });
    return { ok: true, kind: "vmDeleted", generation };
  },
  setVmDesired(tables, { name, desired }) {
    const vm = tables.vms.get(name);
    if (vm === null) return NOT_FOUND;
    if (vm.desired === desired) return CHANGED;
    const state = desired === "stopped" ? "Stopped" : "Pending";
    put(tables, { ...vm, desired, state, reason: "" });
    if (vm.state !== state) {
      const { tenant, epoch } = vm;
      tables.happened({ kind: "vmState", name, tenant, from: vm.state, state, workerId: null, epoch, reason: "" });
    }
    return CHANGED;
  },
  restartVm: (tables, { name }) => (tables.vms.get(name) === null ? NOT_FOUND : NOT_PLACED),
  migrateVm: (tables, { name }) => (tables.vms.get(name) === null ? NOT_FOUND : NOT_PLACED),
  /** What is nowhere cannot be moved. */
  rebalance: (_tables, { moves }) =>
    moves.length > 0 ? refused({ kind: "vmHasChanged" }) : { ok: true, kind: "rebalanced", moved: 0, refused: 0 },
} satisfies Rules;
