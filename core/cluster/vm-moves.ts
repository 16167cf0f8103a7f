/** How the record of a VM changes: each transition checks that it is legal, and leaves an event. */
import { AssertionFailed, heldBy, isLegalMove, type VmRecord } from "../domain/index.ts";
import { mark } from "../marks.ts";
import type { Batch } from "./batch.ts";
import { release } from "./ip-pools.ts";

/** Writes the change down, and an event when the state or the place changed. */
export function moved(batch: Batch, vm: VmRecord, changes: Partial<VmRecord>): VmRecord {
  const { state = vm.state } = changes;
  const next: VmRecord = Object.freeze({
    ...vm,
    // A run that was called for may have been built by the present spec, also if it is never seen before it is lost or
    // told to stop. An update would leave no trace of that spec.
    placed: vm.state === "Scheduled" && state !== "Scheduled" ? heldBy(vm) : vm.placed,
    ...changes,
    updatedIndex: batch.appliedIndex,
    updatedAtMs: batch.timeMs,
  });
  if (!isLegalMove(vm.state, next.state))
    throw new AssertionFailed(`VM ${vm.name} was about to go from ${vm.state} to ${next.state}`);
  batch.putVm(next);
  if (next.state !== vm.state || next.epoch !== vm.epoch || next.workerId !== vm.workerId) {
    batch.happened({
      kind: "vmState",
      name: vm.name,
      tenant: vm.tenant,
      from: vm.state,
      state: next.state,
      workerId: next.workerId,
      epoch: next.epoch,
      reason: next.reason,
    });
  }
  return next;
}

export function removed(batch: Batch, vm: VmRecord): void {
  release(batch, vm.addresses);
  batch.removeVm(vm.name);
  batch.happened({ kind: "vmDeleted", name: vm.name, tenant: vm.tenant, generation: vm.generation });
}

/** The next run, where it is. It holds its room already. */
export function again(batch: Batch, next: VmRecord, vm: VmRecord, reason: string): void {
  moved(batch, vm, {
    state: "Scheduled",
    epoch: batch.appliedIndex,
    restarts: next.restarts,
    desired: next.desired,
    // The run before may still execute, with what it was built with.
    placed: heldBy(vm),
    reason,
  });
}

/** Its worker is lost. Nothing of it runs any more. */
export function lostVm(batch: Batch, name: string, isConfirmed: boolean): void {
  const vm = batch.vm(name);
  if (vm === null) return;
  if (vm.desired === "deleted" && isConfirmed) {
    mark("recovery/deletion-completed-by-confirmed-death");
    removed(batch, vm);
    return;
  }
  const movesOn = vm.desired === "running" && (isConfirmed || vm.spec.onWorkerLost === "restart");
  if (!movesOn && !(isConfirmed && vm.desired === "stopped")) {
    // What it left there comes back with its worker, and is looked for there.
    mark("recovery/vm-waits-for-lost-worker");
    if (vm.state !== "Lost") moved(batch, vm, { state: "Lost", reason: `worker ${vm.workerId} is lost` });
    return;
  }
  mark("recovery/vm-leaves-lost-worker");
  moved(batch, vm, {
    state: vm.desired === "stopped" ? "Stopped" : "Lost",
    reason: `worker ${vm.workerId} is lost`,
    targetId: vm.targetId === vm.workerId ? null : vm.targetId,
    ...NOWHERE,
  });
}

/** What a VM has that no worker holds any more. */
export const NOWHERE = Object.freeze({ workerId: null, eviction: null, placed: null });

/**
 * Whether the VM still waits for a lost worker although its owner's settings do not require it. Nothing of it runs
 * there: the lease has expired.
 */
export function mayLeaveLostWorker(batch: Batch, { state, workerId, desired, spec }: VmRecord): boolean {
  if (state !== "Lost" || workerId === null || desired !== "running" || spec.onWorkerLost !== "restart") return false;
  return batch.workers.get(workerId)?.isOnline === false;
}

/** The worker where room was kept for it is lost. */
export function targetLost(batch: Batch, name: string): void {
  const vm = batch.vm(name);
  if (vm === null || vm.targetId === null) return;
  mark("preemption/nominated-worker-gone");
  moved(batch, vm, { targetId: null, reason: "" });
}
