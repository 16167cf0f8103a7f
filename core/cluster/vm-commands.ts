/** What the owner of a VM can ask for. Every refusal leaves everything as it is. */

import {
  type CommandResult,
  heldBy,
  less,
  nameSchema,
  neededFeatures,
  nodeIdSchema,
  type Resources,
  refused,
  resourcesOf,
  type VmAddress,
  type VmRecord,
  vmSpecSchema,
} from "../domain/index.ts";
import { judge } from "../scheduler/index.ts";
import { choice, integer, nullable } from "../schema/index.ts";
import type { Batch } from "./batch.ts";
import { command } from "./command-definition.ts";
import { allocate, keptAddresses, release } from "./ip-pools.ts";
import { placementContext, placementContextWithout, vmRequest, workerView } from "./placement.ts";
import { quotaRefusal, takeToken } from "./tenants.ts";
import { again, mayLeaveLostWorker, moved, NOWHERE, removed } from "./vm-moves.ts";

const VM_EXISTS = refused({ kind: "vmExists" });
const VM_NOT_FOUND = refused({ kind: "vmNotFound" });
/** Why a VM gets no address. */
const ADDRESS_REFUSALS = [
  "poolNotFound",
  "poolDisabled",
  "poolExhausted",
  "noPoolWithTags",
  "poolsDisabled",
  "poolsExhausted",
] as const;
const generationSchema = integer(1);
const noAddresses: readonly VmAddress[] = Object.freeze([]);

/**
 * Only what the update asks for beyond what is held counts: a worker that has been cordoned, or has shrunk, keeps
 * what it has.
 */
function unfitWhereItIs(batch: Batch, vm: VmRecord, next: VmRecord): CommandResult | null {
  const worker = vm.workerId === null ? null : batch.workers.get(vm.workerId);
  if (worker === null) return null;
  const grown = growth(vmRequest(vm).resources, vmRequest(next).resources);
  const isSame =
    grown.vcpus === 0 &&
    grown.memoryMiB === 0 &&
    grown.diskGiB === 0 &&
    needsNoFurther(neededFeatures(vm.spec), neededFeatures(next.spec)) &&
    JSON.stringify([vm.spec.antiAffinity, vm.spec.locality, vm.spec.workerId]) ===
      JSON.stringify([next.spec.antiAffinity, next.spec.locality, next.spec.workerId]) &&
    vm.tenant === next.tenant;
  if (isSame) return null;
  // As if it were not there yet.
  const view = { ...workerView(worker), status: "online" as const, used: less(worker.used, heldBy(vm)) };
  const { refusal } = judge(placementContextWithout(batch, vm, worker), view, vmRequest(next));
  return refusal === null ? null : refused({ kind: "doesNotFit", workerId: worker.id, why: refusal.kind });
}

function needsNoFurther(before: readonly string[], next: readonly string[]): boolean {
  return next.every((feature) => before.includes(feature));
}

function growth(from: Resources, to: Resources): Resources {
  return {
    vcpus: Math.max(0, to.vcpus - from.vcpus),
    memoryMiB: Math.max(0, to.memoryMiB - from.memoryMiB),
    diskGiB: Math.max(0, to.diskGiB - from.diskGiB),
  };
}

const vmChanged: CommandResult = Object.freeze({ ok: true, kind: "vmChanged" });

function generationMismatch(expected: number, actual: number): CommandResult {
  return refused({ kind: "generationMismatch", expected, actual });
}

function applied(kind: "vmCreated" | "vmUpdated" | "vmDeleted", generation: number): CommandResult {
  return Object.freeze({ ok: true, kind, generation });
}

export const vmCommands = {
  createVm: command({
    askedBy: "client",
    number: 2,
    fields: { name: nameSchema, spec: vmSpecSchema },
    refusals: ["vmExists", "limitReached", "quotaExceeded", ...ADDRESS_REFUSALS],
    audit: { number: 0, target: ({ name }) => name },
    tenant: (_batch, { spec }) => spec.tenant,
    apply(batch, { name, spec }) {
      if (batch.vm(name) !== null) return VM_EXISTS;
      if (batch.vmCount >= batch.limits.vms)
        return refused({ kind: "limitReached", limit: "vms", maximum: batch.limits.vms });
      const limited =
        takeToken(batch, spec.tenant, "creates") ?? quotaRefusal(batch, spec.tenant, 1, resourcesOf(spec));
      if (limited !== null) return limited;
      const allocation = spec.networks.length === 0 ? null : allocate(batch, name, spec);
      if (allocation !== null && allocation.refusal !== null) return allocation.refusal;
      batch.putVm(
        Object.freeze({
          name,
          tenant: spec.tenant,
          spec,
          state: "Pending",
          desired: "running",
          generation: 1,
          epoch: 0,
          workerId: null,
          placed: null,
          eviction: null,
          targetId: null,
          avoidId: null,
          reason: "",
          restarts: 0,
          relocations: 0,
          runningSinceMs: 0,
          addresses: allocation?.addresses ?? noAddresses,
          createdIndex: batch.appliedIndex,
          updatedIndex: batch.appliedIndex,
          createdAtMs: batch.timeMs,
          updatedAtMs: batch.timeMs,
        }),
      );
      batch.happened({ kind: "vmCreated", name, tenant: spec.tenant, generation: 1 });
      return applied("vmCreated", 1);
    },
  }),
  /** Takes effect with the next run of the machine; room for it is kept from now on. */
  updateVm: command({
    askedBy: "client",
    number: 3,
    fields: { name: nameSchema, expectedGeneration: generationSchema, spec: vmSpecSchema },
    refusals: [
      "vmNotFound",
      "vmIsBeingDeleted",
      "generationMismatch",
      "quotaExceeded",
      "vmIsPlaced",
      "doesNotFit",
      ...ADDRESS_REFUSALS,
    ],
    audit: { number: 1, target: ({ name }) => name },
    tenant: (batch, { name }) => batch.vm(name)?.tenant ?? null,
    apply(batch, { name, expectedGeneration: expected, spec }) {
      const vm = batch.vm(name);
      if (vm === null) return VM_NOT_FOUND;
      if (vm.desired === "deleted") return refused({ kind: "vmIsBeingDeleted" });
      if (vm.generation !== expected) return generationMismatch(expected, vm.generation);
      const generation = vm.generation + 1;
      const hasMoved = spec.tenant !== vm.tenant;
      const limited = hasMoved
        ? quotaRefusal(batch, spec.tenant, 1, resourcesOf(spec))
        : quotaRefusal(batch, spec.tenant, 0, growth(resourcesOf(vm.spec), resourcesOf(spec)));
      if (limited !== null) return limited;
      const next: VmRecord = { ...vm, tenant: spec.tenant, spec, generation };
      const changesNetworks = JSON.stringify(vm.spec.networks) !== JSON.stringify(spec.networks);
      if (vm.workerId !== null) {
        // What runs answers to the addresses that it has.
        if (changesNetworks) return refused({ kind: "vmIsPlaced", workerId: vm.workerId });
        const unfit = unfitWhereItIs(batch, vm, next);
        if (unfit !== null) return unfit;
      }
      let { addresses } = vm;
      if (changesNetworks) {
        const kept = keptAddresses(batch, vm, spec.networks);
        const allocation = allocate(batch, name, spec, kept);
        if (allocation.refusal !== null) return allocation.refusal;
        release(
          batch,
          vm.addresses.filter((address) => !kept.includes(address)),
        );
        addresses = allocation.addresses;
      }
      // One that has not been seen yet may be built by either spec.
      const placed = vm.state === "Scheduled" ? heldBy(vm) : vm.placed;
      const updated = Object.freeze({
        ...next,
        placed,
        addresses,
        updatedIndex: batch.appliedIndex,
        updatedAtMs: batch.timeMs,
      });
      batch.putVm(updated);
      batch.roomMayHaveGrown();
      batch.happened({ kind: "vmUpdated", name, tenant: spec.tenant, generation });
      if (mayLeaveLostWorker(batch, updated)) moved(batch, updated, NOWHERE);
      return applied("vmUpdated", generation);
    },
  }),
  /** One that is placed goes once its machine is seen gone; asked again meanwhile, the answer is the same. */
  deleteVm: command({
    askedBy: "client",
    number: 4,
    fields: {
      name: nameSchema,
      /** With null it is deleted whatever its generation. */
      expectedGeneration: nullable(generationSchema),
    },
    refusals: ["vmNotFound", "generationMismatch"],
    audit: { number: 2, target: ({ name }) => name },
    tenant: (batch, { name }) => batch.vm(name)?.tenant ?? null,
    apply(batch, { name, expectedGeneration: expected }) {
      const vm = batch.vm(name);
      if (vm === null) return VM_NOT_FOUND;
      if (expected !== null && vm.generation !== expected) return generationMismatch(expected, vm.generation);
      if (vm.desired === "deleted") return applied("vmDeleted", vm.generation);
      const limited = takeToken(batch, vm.tenant, "deletes");
      if (limited !== null) return limited;
      if (vm.workerId === null) removed(batch, vm);
      else {
        const state = vm.state === "Lost" ? "Lost" : "Stopping";
        moved(batch, vm, { desired: "deleted", state, targetId: null, eviction: null, reason: "is being deleted" });
      }
      return applied("vmDeleted", vm.generation);
    },
  }),
  setVmDesired: command({
    askedBy: "client",
    number: [9, 9],
    fields: { name: nameSchema, desired: choice(["running", "stopped"]) },
    refusals: ["vmNotFound", "vmIsBeingDeleted"],
    audit: {
      number: 16,
      target: ({ name }) => name,
      change: ({ desired }) => (desired === "running" ? "start" : "stop"),
    },
    tenant: (batch, { name }) => batch.vm(name)?.tenant ?? null,
    apply(batch, { name, desired }) {
      const vm = batch.vm(name);
      if (vm === null) return VM_NOT_FOUND;
      if (vm.desired === "deleted") return refused({ kind: "vmIsBeingDeleted" });
      if (vm.desired === desired && !(desired === "running" && vm.state === "Failed")) return vmChanged;
      if (desired === "stopped") {
        // One that nobody has placed yet has nothing to stop; what leaves its worker is stopped by that.
        const state =
          vm.state === "Lost" && vm.workerId !== null ? "Lost" : vm.workerId === null ? "Stopped" : "Stopping";
        moved(batch, vm, { desired, state, targetId: null, reason: "" });
      } else if (vm.workerId === null || mayLeaveLostWorker(batch, { ...vm, desired })) {
        moved(batch, vm, {
          ...NOWHERE,
          desired,
          state: vm.state === "Stopped" ? "Pending" : vm.state,
          restarts: 0,
          relocations: 0,
          reason: "",
        });
      } else if (vm.eviction === null && (vm.state === "Stopped" || vm.state === "Failed")) {
        again(batch, { ...vm, desired, restarts: 0 }, vm, "");
      } else {
        moved(batch, vm, { desired });
      }
      return vmChanged;
    },
  }),
  /** Another run of the same VM on the same worker. */
  restartVm: command({
    askedBy: "client",
    number: [9, 10],
    fields: { name: nameSchema },
    refusals: ["vmNotFound", "vmIsBeingDeleted", "vmIsNotPlaced"],
    audit: { number: 17, target: ({ name }) => name },
    tenant: (batch, { name }) => batch.vm(name)?.tenant ?? null,
    apply(batch, { name }) {
      const vm = batch.vm(name);
      if (vm === null) return VM_NOT_FOUND;
      if (vm.desired === "deleted") return refused({ kind: "vmIsBeingDeleted" });
      if (vm.workerId === null || vm.eviction !== null || vm.state === "Lost")
        return refused({ kind: "vmIsNotPlaced" });
      again(batch, { ...vm, desired: "running", restarts: 0 }, vm, "asked to restart");
      return vmChanged;
    },
  }),
  /** Stops it, and places it elsewhere: on `to`, if given. */
  migrateVm: command({
    askedBy: "client",
    number: [9, 11],
    fields: { name: nameSchema, to: nullable(nodeIdSchema) },
    refusals: ["vmNotFound", "vmIsBeingDeleted", "vmIsNotPlaced", "workerNotFound", "doesNotFit"],
    audit: { number: 18, target: ({ name }) => name },
    tenant: (batch, { name }) => batch.vm(name)?.tenant ?? null,
    apply(batch, { name, to }) {
      const vm = batch.vm(name);
      if (vm === null) return VM_NOT_FOUND;
      if (vm.desired === "deleted") return refused({ kind: "vmIsBeingDeleted" });
      if (vm.workerId === null || vm.eviction !== null || vm.state === "Lost")
        return refused({ kind: "vmIsNotPlaced" });
      if (to === vm.workerId) return refused({ kind: "doesNotFit", workerId: to, why: "it is there already" });
      if (to !== null) {
        const worker = batch.workers.get(to);
        if (worker === null) return refused({ kind: "workerNotFound", workerId: to });
        const { refusal } = judge(placementContext(batch), workerView(worker), vmRequest(vm));
        if (refusal !== null) return refused({ kind: "doesNotFit", workerId: to, why: refusal.kind });
      }
      moved(batch, vm, {
        state: "Stopping",
        eviction: "migrate",
        targetId: to,
        avoidId: vm.workerId,
        reason: "is moved",
      });
      return vmChanged;
    },
  }),
};
