/**
 * Checks that derived indexes are what follows from VMs and tasks: what a worker uses equals the sum of what is
 * placed there, and what is reserved the sum of what room is kept for.
 *
 * One batch in sixteen is checked, and of its workers those that it touched, so the cost of an entry stays bounded.
 * What a tenant uses is not summed up: its VMs are all over the cluster. That no index is ever negative is checked
 * with every change, in derived-indexes.ts.
 */
import { assert, heldBy, NO_RESOURCES, type Resources, resourcesOf, sum, type WorkerRecord } from "../domain/index.ts";
import type { Batch } from "./batch.ts";

const CHECKED_ENTRIES = 16;
/** Workers of one batch that are looked at, and VMs and tasks of one worker. */
const WORKERS_MAX = 4;
const PARTS_MAX = 256;

export function checkTouchedIndexes(batch: Batch): void {
  if (batch.appliedIndex % CHECKED_ENTRIES !== 0) return;
  let left = WORKERS_MAX;
  for (const worker of batch.workers.changes.values()) {
    if (left-- === 0) return;
    if (worker !== null) checkWorker(batch, worker);
  }
}

function checkWorker(batch: Batch, { id, used, reserved, vms, tasks, nominees }: WorkerRecord): void {
  if (vms.length + tasks.length + nominees.length > PARTS_MAX) return;
  let placed = NO_RESOURCES;
  for (const name of vms) {
    const vm = batch.vm(name);
    assert(vm !== null && vm.workerId === id, "a VM is listed where it is not placed", name);
    placed = sum(placed, heldBy(vm), 1);
  }
  for (const taskId of tasks) {
    const task = batch.task(taskId);
    assert(task !== null && task.workerId === id, "a task is listed where it does not run", taskId);
    placed = sum(placed, task.resources, 1);
  }
  assert(isSame(used, placed), "what is used is not the sum of what is placed, on worker", id);
  let kept = NO_RESOURCES;
  for (const name of nominees) {
    const vm = batch.vm(name);
    assert(vm !== null && vm.targetId === id, "room is kept for a VM that does not want it", name);
    kept = sum(kept, resourcesOf(vm.spec), 1);
  }
  assert(isSame(reserved, kept), "what is reserved is not the sum of what room is kept for, on worker", id);
}

function isSame(a: Resources, b: Resources): boolean {
  return a.vcpus === b.vcpus && a.memoryMiB === b.memoryMiB && a.diskGiB === b.diskGiB;
}
