/** Every way in which the record of a VM changes after it was created, but for what its owner asks: placements, what workers see, losses. */
import {
  type CommandResult,
  heldBy,
  intentOf,
  isLegalMove,
  less,
  type MachineObservation,
  refused,
  resourcesOf,
  type VmRecord,
  type VmState,
} from "../domain/index.ts";
import { judge } from "../scheduler/index.ts";
import type { Batch } from "./batch.ts";
import type { Command, RebalanceMove } from "./command.ts";
import { release } from "./ip-pools.ts";
import { needsPlace, placementContext, vmRequest, workerView } from "./placement.ts";
import { observeJob } from "./tasks.ts";

/** A failed assertion: the state machine was about to do what it must never do. Stops the node. */
export class IllegalMove extends Error {
  constructor(name: string, from: VmState, to: VmState) {
    super(`assertion failed: VM ${name} was about to go from ${from} to ${to}`);
    this.name = "IllegalMove";
  }
}

/** Writes the change down, and an event when the state or the place changed. */
export function moved(batch: Batch, vm: VmRecord, changes: Partial<VmRecord>): VmRecord {
  const next: VmRecord = Object.freeze({
    ...vm,
    ...changes,
    updatedIndex: batch.appliedIndex,
    updatedAtMs: batch.timeMs,
  });
  if (!isLegalMove(vm.state, next.state)) throw new IllegalMove(vm.name, vm.state, next.state);
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

/** The scheduler's choice, looked at again in the state that it meets. */
export function placeVm(batch: Batch, command: Extract<Command, { readonly kind: "placeVm" }>): CommandResult {
  const vm = batch.vm(command.name);
  if (vm === null) return refused({ kind: "vmNotFound" });
  if (!needsPlace(vm) || vm.epoch !== command.epoch) return refused({ kind: "vmHasChanged" });
  const worker = batch.workers.get(command.workerId);
  if (worker === null) return refused({ kind: "workerNotFound", workerId: command.workerId });
  const { refusal } = judge(placementContext(batch), workerView(worker), vmRequest(vm));
  if (refusal !== null) return refused({ kind: "doesNotFit", workerId: worker.id, why: refusal.kind });
  moved(batch, vm, {
    state: "Scheduled",
    workerId: worker.id,
    targetId: null,
    epoch: batch.appliedIndex,
    placed: resourcesOf(vm.spec),
    reason: "",
  });
  batch.schedulerCursor = worker.id;
  return done;
}

/** Keeps room on a worker for a VM, and has others leave it. */
export function preempt(batch: Batch, command: Extract<Command, { readonly kind: "preempt" }>): CommandResult {
  const { name, epoch, workerId, victims } = command;
  const vm = batch.vm(name);
  if (vm === null) return refused({ kind: "vmNotFound" });
  if (!needsPlace(vm) || vm.epoch !== epoch) return refused({ kind: "vmHasChanged" });
  const worker = batch.workers.get(workerId);
  if (worker === null) return refused({ kind: "workerNotFound", workerId });
  const leaving: VmRecord[] = [];
  let { used } = worker;
  for (const victimName of new Set(victims)) {
    const victim = batch.vm(victimName);
    const mayGo =
      victim !== null &&
      victim.workerId === workerId &&
      victim.spec.preemptible &&
      victim.spec.priority < vm.spec.priority &&
      intentOf(victim) === "run";
    if (!mayGo) return refused({ kind: "vmHasChanged" });
    leaving.push(victim);
    used = less(used, heldBy(victim));
  }
  // Nobody is stopped for a VM that could not run there all the same.
  const { refusal } = judge(placementContext(batch), { ...workerView(worker), used }, vmRequest(vm));
  if (refusal !== null) return refused({ kind: "doesNotFit", workerId, why: refusal.kind });
  for (const victim of leaving) {
    moved(batch, victim, {
      state: "Stopping",
      eviction: "preempted",
      targetId: null,
      reason: `makes room for ${name}`,
    });
  }
  moved(batch, vm, { targetId: workerId, reason: `waits for ${leaving.length} VMs to leave worker ${workerId}` });
  return done;
}

/** It shall leave its worker, and be placed anew. */
export function evictVm(batch: Batch, command: Extract<Command, { readonly kind: "evictVm" }>): CommandResult {
  const { name, epoch, cause, to } = command;
  const vm = batch.vm(name);
  if (vm === null) return refused({ kind: "vmNotFound" });
  if (vm.epoch !== epoch || vm.workerId === null || intentOf(vm) === "gone") return refused({ kind: "vmHasChanged" });
  if (to !== null && to !== vm.workerId) {
    const worker = batch.workers.get(to);
    if (worker === null) return refused({ kind: "workerNotFound", workerId: to });
    const { refusal } = judge(placementContext(batch), workerView(worker), { ...vmRequest(vm), pinnedTo: null });
    if (refusal !== null) return refused({ kind: "doesNotFit", workerId: to, why: refusal.kind });
  }
  const relocates = cause === "recovery";
  moved(batch, vm, {
    // A stopped machine has a disk to leave behind, and nothing to stop.
    state: vm.state === "Lost" ? "Lost" : "Stopping",
    eviction: cause,
    targetId: to === vm.workerId ? null : to,
    reason: `leaves worker ${vm.workerId}: ${cause}`,
    ...(relocates ? { avoidId: vm.workerId, restarts: 0, relocations: vm.relocations + 1 } : {}),
  });
  return done;
}

/** Between one rebalance and the next: what moves is down for a while, and its load shows only after that. */
const REBALANCE_EVERY_MS = 600_000;

/** Those moves of the plan that still can be made. A plan of which nothing is left is refused: nobody shall be told that it is under way. */
export function rebalance(batch: Batch, moves: readonly RebalanceMove[]): CommandResult {
  const waitMs = batch.rebalancedAtMs === 0 ? 0 : batch.rebalancedAtMs + REBALANCE_EVERY_MS - batch.timeMs;
  if (waitMs > 0) return refused({ kind: "tooSoon", retryAfterMs: waitMs });
  let moved = 0;
  for (const { name, epoch, to } of moves)
    if (evictVm(batch, { kind: "evictVm", name, epoch, cause: "rebalance", to }).ok) moved += 1;
  if (moved === 0 && moves.length > 0) return refused({ kind: "vmHasChanged" });
  if (moved > 0) batch.rebalancedAtMs = Math.max(1, batch.timeMs);
  return Object.freeze({ ok: true, kind: "rebalanced", moved, refused: moves.length - moved });
}

/** Another run on the same worker, after a failure. */
export function recoverVm(batch: Batch, command: Extract<Command, { readonly kind: "recoverVm" }>): CommandResult {
  const vm = batch.vm(command.name);
  if (vm === null) return refused({ kind: "vmNotFound" });
  if (vm.state !== "Failed" || vm.epoch !== command.epoch || vm.workerId === null || intentOf(vm) !== "run")
    return refused({ kind: "vmHasChanged" });
  again(batch, { ...vm, restarts: vm.restarts + 1 }, vm, vm.reason);
  return done;
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

/** What a worker has seen of its machines and jobs. What does not concern the present placement is passed over. */
export function observe(batch: Batch, command: Extract<Command, { readonly kind: "observe" }>): CommandResult {
  const { workerId, bootId, machines, jobs } = command;
  const worker = batch.workers.get(workerId);
  if (worker === null) return refused({ kind: "workerNotFound", workerId });
  if (!worker.isOnline || worker.bootId !== bootId) return refused({ kind: "workerHasChanged", workerId });
  for (const seen of machines) {
    const vm = batch.vm(seen.name);
    if (vm !== null && vm.workerId === workerId && vm.epoch === seen.epoch) observeMachine(batch, vm, seen);
  }
  for (const seen of jobs) observeJob(batch, workerId, seen);
  return done;
}

function observeMachine(batch: Batch, vm: VmRecord, { phase, reason }: MachineObservation): void {
  const intent = intentOf(vm);
  switch (phase) {
    case "building":
    case "starting":
    case "running":
      if (intent === "run") observeRun(batch, vm, phase);
      return;
    case "stopped":
      if (intent === "stop") moved(batch, vm, { state: "Stopped", reason: "" });
      // Asked to stop, and then to start: this run is over, the next one begins.
      else if (intent === "run" && vm.state === "Stopping") again(batch, vm, vm, "");
      // A guest that powers off is not a guest that crashed: it stays off until somebody starts it.
      else if (intent === "run")
        moved(batch, vm, { state: "Stopped", desired: "stopped", reason: "the guest powered off" });
      return;
    case "failed":
    case "unhealthy":
      if (intent === "run") failed(batch, vm, reason);
      else if (intent === "stop" && phase === "failed") moved(batch, vm, { state: "Stopped", reason });
      return;
    case "absent":
      observeAbsent(batch, vm, intent);
      return;
  }
}

const RUN_STATES = { building: "Building", starting: "Starting", running: "Running" } as const;

function observeRun(batch: Batch, vm: VmRecord, phase: keyof typeof RUN_STATES): void {
  const state = RUN_STATES[phase];
  if (vm.state === state || !isLegalMove(vm.state, state)) return;
  // Built by the spec that this run was called for with, if nothing has changed since: then the run before is gone, and what it held beyond.
  const placed = vm.updatedIndex === vm.epoch ? resourcesOf(vm.spec) : vm.placed;
  if (state !== "Running") moved(batch, vm, { state, placed });
  else moved(batch, vm, { state, placed, runningSinceMs: batch.timeMs, avoidId: null, reason: "" });
}

function failed(batch: Batch, vm: VmRecord, reason: string): void {
  if (vm.state === "Failed" || !isLegalMove(vm.state, "Failed")) return;
  if (vm.state === "Stopping") {
    again(batch, vm, vm, "");
    return;
  }
  const wasWell = vm.state === "Running" && batch.timeMs - vm.runningSinceMs >= vm.spec.recovery.resetAfterMs;
  moved(batch, vm, {
    state: "Failed",
    reason,
    restarts: wasWell ? 0 : vm.restarts,
    relocations: wasWell ? 0 : vm.relocations,
  });
}

function observeAbsent(batch: Batch, vm: VmRecord, intent: ReturnType<typeof intentOf>): void {
  if (vm.desired === "deleted") removed(batch, vm);
  else if (intent === "gone") {
    moved(batch, vm, {
      state: vm.desired === "stopped" ? "Stopped" : "Pending",
      workerId: null,
      eviction: null,
      placed: null,
      reason: vm.eviction === null ? "" : `left worker ${vm.workerId}: ${vm.eviction}`,
    });
  } else if (intent === "stop") {
    moved(batch, vm, { state: "Stopped", reason: "" });
  } else if (vm.state === "Stopping") {
    again(batch, vm, vm, "");
  } else if (vm.state !== "Scheduled") {
    // It was there: the next run is another one.
    failed(batch, vm, "the machine is gone from its host");
  }
}

/** Its worker is lost. Nothing of it runs any more. */
export function lostVm(batch: Batch, name: string, isConfirmed: boolean): void {
  const vm = batch.vm(name);
  if (vm === null) return;
  if (vm.desired === "deleted" && isConfirmed) {
    removed(batch, vm);
    return;
  }
  const movesOn = vm.desired === "running" && (isConfirmed || vm.spec.onWorkerLost === "restart");
  if (!movesOn && !(isConfirmed && vm.desired === "stopped")) {
    // What it left there comes back with its worker, and is looked for there.
    if (vm.state !== "Lost") moved(batch, vm, { state: "Lost", reason: `worker ${vm.workerId} is lost` });
    return;
  }
  moved(batch, vm, {
    state: vm.desired === "stopped" ? "Stopped" : "Lost",
    reason: `worker ${vm.workerId} is lost`,
    targetId: vm.targetId === vm.workerId ? null : vm.targetId,
    ...NOWHERE,
  });
}

/** What a VM has that no worker holds any more. */
export const NOWHERE = Object.freeze({ workerId: null, eviction: null, placed: null });

/** Whether it waits for a lost worker that it need not wait for, as its owner wants it now. Nothing of it runs there: the lease has run out. */
export function mayLeaveLostWorker(batch: Batch, { state, workerId, desired, spec }: VmRecord): boolean {
  if (state !== "Lost" || workerId === null || desired !== "running" || spec.onWorkerLost !== "restart") return false;
  return batch.workers.get(workerId)?.isOnline === false;
}

/** The worker where room was kept for it is lost. */
export function targetLost(batch: Batch, name: string): void {
  const vm = batch.vm(name);
  if (vm !== null && vm.targetId !== null) moved(batch, vm, { targetId: null, reason: "" });
}

/** It goes wherever the scheduler likes, and no room is kept for it any more. */
export function dropNomination(
  batch: Batch,
  { name, epoch }: Extract<Command, { readonly kind: "dropNomination" }>,
): CommandResult {
  const vm = batch.vm(name);
  if (vm === null) return refused({ kind: "vmNotFound" });
  if (!needsPlace(vm) || vm.epoch !== epoch || vm.targetId === null) return refused({ kind: "vmHasChanged" });
  moved(batch, vm, { targetId: null, reason: "" });
  return done;
}

const done: CommandResult = Object.freeze({ ok: true, kind: "vmChanged" });
