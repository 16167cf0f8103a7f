/**
 * What a VM requires of its worker holds when it is placed, and when it is asked to be otherwise while it is placed:
 * features, the worker that it names, where it may be, and room. Placed on a worker that takes nothing new it never
 * is. Judged in the state right before the entry, against the rules as they are written down here. Of an update only
 * that is judged which it asks for beyond what was.
 *
 * Not checked: anti-affinity (see `anti-affinity`), quotas (see `quotas`), and what becomes of a rule when its worker
 * changes.
 */
import {
  type ClusterState,
  heldBy,
  type Locality,
  type VmRecord,
  vmOf,
  type WorkerRecord,
  workerOf,
} from "../../../core/index.ts";
import type { FleetContext, FleetOracle } from "./oracle.ts";
import { added, described, promisableOn, RESOURCE_NAMES, takenOn } from "./promisable.ts";

export function hardRules({ violate }: FleetContext): FleetOracle {
  return {
    name: "hard-rules",
    summary: "a VM has what it requires of its worker when it is placed, and when it is changed",
    checks: 0,
    happened(event, state, { before, command }) {
      if (event.kind !== "vmState" && event.kind !== "vmUpdated") return;
      const { name, index } = event;
      const vm = vmOf(state, name);
      const was = vmOf(before, name);
      if (vm === null || was === null || vm.workerId === null) return;
      const worker = workerOf(before, vm.workerId);
      const isPlaced = event.kind === "vmState" && command?.kind === "placeVm";
      if (!isPlaced && event.kind !== "vmUpdated") return;
      this.checks += 1;
      const broken =
        worker === null
          ? "there is no such worker"
          : isPlaced
            ? (notTakingNew(worker) ?? brokenBy(null, vm, worker) ?? tooMuch(state, vm, worker))
            : changedBadly(state, was, vm, worker);
      if (broken !== null)
        violate(
          () =>
            `VM ${name} ${isPlaced ? "is placed" : "is changed"} on worker ${vm.workerId} by entry ${index}: ${broken}`,
        );
    },
  };
}

function notTakingNew({ isOnline, availability }: WorkerRecord): string | null {
  if (!isOnline) return "it is lost";
  return availability === "online" ? null : `it is ${availability}`;
}

function changedBadly(state: ClusterState, was: VmRecord, vm: VmRecord, worker: WorkerRecord): string | null {
  const broken = brokenBy(was, vm, worker);
  if (broken !== null) return broken;
  const [held, holds] = [heldBy(was), heldBy(vm)];
  return RESOURCE_NAMES.some((resource) => holds[resource] > held[resource]) ? tooMuch(state, vm, worker) : null;
}

/** Which requirement the worker does not meet that there was not before. */
function brokenBy(was: VmRecord | null, { spec }: VmRecord, { id, features, topology }: WorkerRecord): string | null {
  const before = was?.spec ?? null;
  const missing = spec.features.find((one) => !features.includes(one) && before?.features.includes(one) !== true);
  if (missing !== undefined) return `it lacks ${missing}`;
  const { hypervisor } = spec;
  if (hypervisor !== "any" && hypervisor !== before?.hypervisor && !features.includes(hypervisor))
    return `it does not run ${hypervisor}`;
  if (spec.workerId !== null && spec.workerId !== id && spec.workerId !== before?.workerId)
    return `worker ${spec.workerId} is required`;
  if (JSON.stringify(spec.locality) === JSON.stringify(before?.locality ?? null)) return null;
  return forbids(spec.locality, topology.datacenter, topology.zone);
}

function forbids(locality: Locality | null, datacenter: string, zone: string): string | null {
  if (locality === null) return null;
  const { excludedDatacenters, strict, preferredDatacenter, preferredZone } = locality;
  if (excludedDatacenters.includes(datacenter)) return `it is in ${datacenter}, which is excluded`;
  if (strict && preferredDatacenter !== null && preferredDatacenter !== datacenter)
    return `it is in ${datacenter}, and has to be in ${preferredDatacenter}`;
  if (strict && preferredZone !== null && preferredZone !== zone)
    return `it is in ${zone}, and has to be in ${preferredZone}`;
  return null;
}

/** `state`: with the VM as it holds room from now on. */
function tooMuch(state: ClusterState, vm: VmRecord, { id }: WorkerRecord): string | null {
  const most = promisableOn(state, id);
  const sum = added(takenOn(state, id, vm.name), heldBy(vm), 1);
  if (most === null || RESOURCE_NAMES.some((resource) => sum[resource] > most[resource]))
    return `${described(sum)} are promised there, and at most ${described(most ?? sum)} may be`;
  return null;
}
