/** What each VM command does to the records. Every refusal leaves them as they are. */
import type { Batch } from "./batch.ts";
import type { Command } from "./command.ts";
import { LIMITS } from "./limits.ts";
import type { CommandResult } from "./result.ts";

export type VmCommand = Extract<Command, { readonly kind: "createVm" | "updateVm" | "deleteVm" }>;

const VM_EXISTS = refused({ kind: "vmExists" });
const VM_NOT_FOUND = refused({ kind: "vmNotFound" });
const TOO_MANY_VMS = refused({ kind: "limitReached", limit: "vms", maximum: LIMITS.vms });

/** `index` is the entry's; the time is the batch's. The result is deeply frozen. */
export function applyVmCommand(batch: Batch, command: VmCommand, index: number): CommandResult {
  switch (command.kind) {
    case "createVm":
      return createVm(batch, command, index);
    case "updateVm":
      return updateVm(batch, command, index);
    case "deleteVm":
      return deleteVm(batch, command);
  }
}

function createVm(
  batch: Batch,
  { name, spec }: Extract<VmCommand, { kind: "createVm" }>,
  index: number,
): CommandResult {
  if (batch.vm(name) !== null) return VM_EXISTS;
  if (batch.vmCount >= LIMITS.vms) return TOO_MANY_VMS;
  batch.putVm(
    Object.freeze({
      name,
      tenant: spec.tenant,
      spec,
      state: "Pending",
      desired: "running",
      generation: 1,
      epoch: 0,
      createdIndex: index,
      updatedIndex: index,
      createdAtMs: batch.timeMs,
      updatedAtMs: batch.timeMs,
    }),
  );
  batch.happened({ kind: "vmCreated", name, tenant: spec.tenant, generation: 1 });
  return applied("vmCreated", 1);
}

function updateVm(batch: Batch, command: Extract<VmCommand, { kind: "updateVm" }>, index: number): CommandResult {
  const { name, expectedGeneration: expected, spec } = command;
  const vm = batch.vm(name);
  if (vm === null) return VM_NOT_FOUND;
  if (vm.generation !== expected) return generationMismatch(expected, vm.generation);
  const generation = vm.generation + 1;
  batch.putVm(
    Object.freeze({
      name,
      tenant: spec.tenant,
      spec,
      state: vm.state,
      desired: vm.desired,
      generation,
      epoch: vm.epoch,
      createdIndex: vm.createdIndex,
      updatedIndex: index,
      createdAtMs: vm.createdAtMs,
      updatedAtMs: batch.timeMs,
    }),
  );
  batch.happened({ kind: "vmUpdated", name, tenant: spec.tenant, generation });
  return applied("vmUpdated", generation);
}

function deleteVm(batch: Batch, command: Extract<VmCommand, { kind: "deleteVm" }>): CommandResult {
  const { name, expectedGeneration: expected } = command;
  const vm = batch.vm(name);
  if (vm === null) return VM_NOT_FOUND;
  if (expected !== null && vm.generation !== expected) return generationMismatch(expected, vm.generation);
  batch.removeVm(name);
  batch.happened({ kind: "vmDeleted", name, tenant: vm.tenant, generation: vm.generation });
  return applied("vmDeleted", vm.generation);
}

function generationMismatch(expected: number, actual: number): CommandResult {
  return refused({ kind: "generationMismatch", expected, actual });
}

function applied(kind: "vmCreated" | "vmUpdated" | "vmDeleted", generation: number): CommandResult {
  return Object.freeze({ ok: true, kind, generation });
}

function refused(refusal: Extract<CommandResult, { readonly ok: false }>["refusal"]): CommandResult {
  return Object.freeze({ ok: false, refusal: Object.freeze(refusal) });
}
