/**
 * What workers have reported of their hosts. What the replicated state does not know yet is proposed as an
 * observation. A worker is looked at when it has reported something new, or when one of its VMs or tasks has changed.
 */
import type { Report } from "../agent/index.ts";
import { type ClusterState, workerOf } from "../cluster/index.ts";
import type { TaskRecord, VmRecord, WorkerRecord } from "../domain/index.ts";
import { type Heard, indexed, newsIn, newsOfTask, newsOfVm } from "./observations.ts";
import type { Proposals } from "./proposals.ts";

export class ReportedInventories {
  readonly #proposals: Proposals;
  /** By worker, what its process has reported last. */
  #heard = new Map<number, Heard>();
  /** Workers that have reported something, or of which something has changed, since the last step. */
  #toLookAt = new Set<number>();

  constructor(proposals: Proposals) {
    this.#proposals = proposals;
  }

  workerChanged({ id, bootId, isOnline }: WorkerRecord): void {
    if (!isOnline || this.#heard.get(id)?.bootId !== bootId) this.#heard.delete(id);
  }

  workerGone(workerId: number): void {
    this.#heard.delete(workerId);
  }

  /** What its worker has reported may be news now that this VM has changed. */
  vmChanged(state: ClusterState, vm: VmRecord): void {
    this.#lookAtIf(state, vm.workerId, (heard, worker) => newsOfVm(heard, worker, vm) !== null);
  }

  taskChanged(state: ClusterState, task: TaskRecord): void {
    this.#lookAtIf(state, task.workerId, (heard, worker) => newsOfTask(heard, worker, task) !== null);
  }

  #lookAtIf(
    state: ClusterState,
    workerId: number | null,
    hasNews: (heard: Heard, worker: WorkerRecord) => boolean,
  ): void {
    const heard = workerId === null ? undefined : this.#heard.get(workerId);
    if (heard === undefined || workerId === null) return;
    const worker = workerOf(state, workerId);
    if (worker !== null && hasNews(heard, worker)) this.#toLookAt.add(workerId);
  }

  /** An observation of this worker is settled: there may be more to observe. */
  lookAgain(workerId: number): void {
    this.#toLookAt.add(workerId);
  }

  /** Whether a report says only what has been heard already. Nearly all do. */
  isKnown({ workerId, bootId, facts, inventoryVersion, assignedIndex }: Report): boolean {
    const heard = this.#heard.get(workerId);
    if (facts !== null || heard?.bootId !== bootId) return false;
    return inventoryVersion <= heard.inventoryVersion && assignedIndex <= heard.assignedIndex;
  }

  /** Takes what a report says. Its process is the one that is registered. */
  hear({ workerId, bootId, inventoryVersion, ...report }: Report): void {
    const heard = this.#heard.get(workerId);
    const before = heard?.bootId === bootId ? heard : null;
    // A later report has overtaken it.
    if (before !== null && inventoryVersion < before.inventoryVersion) return;
    const assignedIndex = Math.max(report.assignedIndex, before?.assignedIndex ?? 0);
    const isKnown = before?.inventoryVersion === inventoryVersion;
    if (isKnown && before.assignedIndex === assignedIndex) return;
    const inventory = isKnown ? before.inventory : report.inventory === null ? null : indexed(report.inventory);
    if (inventory === null) return;
    this.#heard.set(workerId, { bootId, inventoryVersion, inventory, assignedIndex });
    this.#toLookAt.add(workerId);
  }

  /** The version of the inventory that was heard of this process; 0: none. */
  heardVersion(workerId: number, bootId: number): number {
    const heard = this.#heard.get(workerId);
    return heard?.bootId === bootId ? heard.inventoryVersion : 0;
  }

  step(state: ClusterState): void {
    for (const id of this.#toLookAt) this.#lookAt(state, id);
    this.#toLookAt.clear();
  }

  #lookAt(state: ClusterState, workerId: number): void {
    const subject = { kind: "worker", workerId } as const;
    const heard = this.#heard.get(workerId);
    if (heard === undefined || this.#proposals.has(subject)) return;
    const worker = workerOf(state, workerId);
    if (worker === null || !worker.isOnline || worker.bootId !== heard.bootId) return;
    const news = newsIn(heard, state, worker);
    if (news !== null) this.#proposals.propose(subject, { kind: "observe", workerId, bootId: heard.bootId, ...news });
  }

  capture() {
    return { heard: new Map(this.#heard), toLookAt: new Set(this.#toLookAt) };
  }

  restore(captured: ReturnType<ReportedInventories["capture"]>): void {
    this.#heard = new Map(captured.heard);
    this.#toLookAt = new Set(captured.toLookAt);
  }
}
