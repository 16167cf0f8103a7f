/** What each VM command does to the records. Every refusal leaves them as they are. */
import type { Batch } from "./batch.ts";
import type { Command } from "./command.ts";
import { LIMITS } from "./limits.ts";
import type { VmResult } from "./result.ts";

export type VmCommand = Extract<Command, { readonly kind: "createVm" | "updateVm" | "deleteVm" }>;

/** `index` is the entry's; the time is the batch's. */
export function applyVmCommand(batch: Batch, command: VmCommand, index: number): VmResult {
  switch (command.kind) {
    case "createVm":
      return createVm(batch, command, index);
    case "updateVm":
      return updateVm(batch, command, index);
    case "deleteVm":
      return deleteVm(batch, command);
  }
}

function createVm(batch: Batch, { name, spec }: Extract<VmCommand, { kind: "createVm" }>, index: number): VmResult {
  if (batch.vm(name) !== null) return { ok: false, refusal: { kind: "vmExists" } };
  if (batch.vmCount >= LIMITS.vms)
    return { ok: false, refusal: { kind: "limitReached", limit: "vms", maximum: LIMITS.vms } };
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
  return { ok: true, kind: "vmCreated", generation: 1 };
}

function updateVm(batch: Batch, command: Extract<VmCommand, { kind: "updateVm" }>, index: number): VmResult {
  const { name, expectedGeneration: expected, spec } = command;
  const vm = batch.vm(name);
  if (vm === null) return { ok: false, refusal: { kind: "vmNotFound" } };
  if (vm.generation !== expected) return generationMismatch(expected, vm.generation);
  const generation = vm.generation + 1;
  batch.putVm(
    Object.freeze({
      ...vm,
      tenant: spec.tenant,
      spec,
      generation,
      updatedIndex: index,
      updatedAtMs: batch.timeMs,
    }),
  );
  return { ok: true, kind: "vmUpdated", generation };
}

function deleteVm(batch: Batch, command: Extract<VmCommand, { kind: "deleteVm" }>): VmResult {
  const { name, expectedGeneration: expected } = command;
  const vm = batch.vm(name);
  if (vm === null) return { ok: false, refusal: { kind: "vmNotFound" } };
  if (expected !== null && vm.generation !== expected) return generationMismatch(expected, vm.generation);
  batch.removeVm(name);
  return { ok: true, kind: "vmDeleted", generation: vm.generation };
}

function generationMismatch(expected: number, actual: number): VmResult {
  return { ok: false, refusal: { kind: "generationMismatch", expected, actual } };
}
