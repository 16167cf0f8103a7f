/**
 * What the leader does about workers, VMs and tasks. It hears reports, proposes what they say and what follows from
 * it, and lets the log decide. It exists only while its node leads, and begins with the replicated state. Beside that
 * it knows who has reported what and when, what it has proposed, and what waits for what. The next leader begins
 * without.
 *
 * It acts on what has changed. No step looks at every VM or worker.
 *
 * Each part is told what has changed, and then does its work in `step`: `ReportedInventories` proposes what workers
 * report, `WorkerLeases` declares them lost, `Recovery` lets failed VMs run again, `Placing` finds places, `Draining`
 * empties workers. `Proposals` and `Room` are what they share.
 */
import { type Directive, LEASE_TTL_MS, type Report } from "../agent/index.ts";
import {
  type ClusterState,
  emptyState,
  nodeOf,
  type Touched,
  tableValues,
  taskOf,
  vmOf,
  workerOf,
} from "../cluster/index.ts";
import { assert, sameFacts, type TaskRecord, type VmRecord, type WorkerRecord } from "../domain/index.ts";
import { mark } from "../marks.ts";
import { assignmentOf, detailsFor } from "./assignment.ts";
import { Draining } from "./draining.ts";
import { Placing } from "./placing.ts";
import { type InFlight, type Proposal, Proposals } from "./proposals.ts";
import { Recovery } from "./recovery.ts";
import { ReportedInventories } from "./reported-inventories.ts";
import { Room } from "./room.ts";
import { WorkerLeases } from "./worker-leases.ts";

type OrchestratorState = ReturnType<Orchestrator["capture"]>;

export class Orchestrator {
  readonly #proposals = new Proposals();
  readonly #inventories = new ReportedInventories(this.#proposals);
  readonly #leases: WorkerLeases;
  readonly #recovery = new Recovery(this.#proposals);
  readonly #room = new Room(this.#proposals);
  readonly #placing = new Placing(this.#proposals, this.#room);
  readonly #draining = new Draining(this.#proposals, this.#room);
  #state: ClusterState;
  #nowMs: number;
  /** There was no more to try when the last step ended. */
  #triedAll = true;

  /**
   * For a leader that has applied an entry of its own term: then all that earlier leaders did is known, and none of
   * them can do more.
   *
   * @param driftBound largest relative rate error between any two monotonic clocks.
   */
  constructor(driftBound: number, state: ClusterState, nowMs: number) {
    this.#leases = new WorkerLeases(driftBound, this.#proposals);
    this.#state = state;
    this.#nowMs = nowMs;
    for (const worker of tableValues(state.workers)) this.#workerChanged(worker);
    // The same order as if they had come one after the other.
    const vms = tableValues(state.vms).sort((a, b) => a.createdIndex - b.createdIndex);
    for (const vm of vms) this.#vmChanged(vm);
    for (const task of tableValues(state.tasks)) this.#taskChanged(task);
  }

  /** Entries have been applied. */
  applied(state: ClusterState, touched: Touched, nowMs: number): void {
    const { appliedIndex } = this.#state;
    assert(
      state.appliedIndex >= appliedIndex,
      "no state is followed by an older one",
      appliedIndex,
      state.appliedIndex,
    );
    if (state.scheduler !== this.#state.scheduler) this.#placing.settingsChanged();
    this.#state = state;
    this.#nowMs = nowMs;
    for (const id of touched.workers) {
      const worker = workerOf(state, id);
      if (worker === null) this.#workerGone(id);
      else this.#workerChanged(worker);
    }
    for (const name of touched.vms) {
      const vm = vmOf(state, name);
      if (vm === null) {
        this.#vmGone(name);
        continue;
      }
      this.#vmChanged(vm);
      this.#inventories.vmChanged(state, vm);
    }
    for (const id of touched.tasks) {
      const task = taskOf(state, id);
      if (task === null) {
        this.#placing.taskGone(id);
        continue;
      }
      this.#taskChanged(task);
      this.#inventories.taskChanged(state, task);
    }
    for (const name of this.#placing.takeUnblocked()) {
      const vm = vmOf(state, name);
      if (vm !== null) this.#vmChanged(vm);
    }
  }

  /** A proposal was applied or refused. Its subject was left alone meanwhile, and is looked at again. */
  settled(key: string): void {
    const inFlight = this.#proposals.settle(key);
    if (inFlight === null) return;
    const { subject } = inFlight;
    switch (subject.kind) {
      case "vm": {
        const vm = vmOf(this.#state, subject.name);
        this.#settlePlacement(inFlight, vm === null ? [] : [vm.workerId, vm.targetId]);
        if (vm !== null) this.#vmChanged(vm);
        return;
      }
      case "task": {
        const task = taskOf(this.#state, subject.id);
        this.#settlePlacement(inFlight, task === null ? [] : [task.workerId]);
        if (task !== null) this.#taskChanged(task);
        return;
      }
      case "worker":
        this.#inventories.lookAgain(subject.workerId);
        return;
      case "lost": {
        // If it never came into the log: nothing was promised to that worker since, and its time begins anew.
        const worker = workerOf(this.#state, subject.workerId);
        if (worker !== null) this.#workerChanged(worker);
        return;
      }
    }
  }

  /** `takers`: the workers where its subject has room now. */
  #settlePlacement({ placement }: InFlight, takers: readonly (number | null)[]): void {
    if (placement !== null) this.#placing.settled(this.#state, placement, takers);
  }

  /** A report has come. Its sender is authenticated, and trusted in what it says of its host. */
  hear(report: Report, nowMs: number): void {
    this.#nowMs = nowMs;
    const { workerId, bootId, facts } = report;
    const isBeingLost = this.#leases.isBeingLost(workerId);
    if (!isBeingLost && this.#inventories.isKnown(report)) {
      this.#leases.renew(workerId, nowMs);
      return;
    }
    // Nothing that a removed worker says is believed.
    if (this.#isRemoved(workerId)) {
      mark("lease/report-of-removed-worker");
      return;
    }
    const worker = workerOf(this.#state, workerId);
    // One too many: the log would fill with refusals.
    if (worker === null && this.#state.workerCount >= this.#state.limits.workers) return;
    const isCurrent = worker?.isOnline === true && worker.bootId === bootId;
    if (facts !== null && !(isCurrent && sameFacts(worker, facts))) {
      const command = { kind: "registerWorker", workerId, bootId, facts } as const;
      this.#proposals.propose({ kind: "worker", workerId }, command);
    }
    if (!isCurrent || isBeingLost) {
      mark(isBeingLost ? "lease/report-while-being-lost" : "lease/report-of-unregistered-process");
      return;
    }
    this.#leases.renew(workerId, nowMs);
    this.#inventories.hear(report);
  }

  /** What a report is answered with. The state must be one that was the newest of all after the report had come. */
  directive(report: Report, servers: readonly number[], nowMs: number): Directive {
    const state = this.#state;
    const { workerId, bootId, sequence } = report;
    const worker = workerOf(state, workerId);
    if (worker === null && this.#isRemoved(workerId)) return { kind: "removed", workerId, bootId, sequence };
    if (worker === null || !worker.isOnline || worker.bootId !== bootId || this.#leases.isBeingLost(workerId))
      return { kind: "register", workerId, bootId, sequence };
    // The report may have come before its process was registered, when its lease was not counted.
    this.#leases.renew(workerId, nowMs);
    return {
      kind: "granted",
      workerId,
      bootId,
      sequence,
      leaseTtlMs: LEASE_TTL_MS,
      assignment: report.assignedIndex === worker.assignedIndex ? null : assignmentOf(state, worker),
      details: detailsFor(state, worker, report),
      inventoryVersion: this.#inventories.heardVersion(workerId, bootId),
      servers,
    };
  }

  #isRemoved(workerId: number): boolean {
    return nodeOf(this.#state, workerId)?.role === "removed";
  }

  /** What is to be proposed now. */
  step(nowMs: number): readonly Proposal[] {
    this.#nowMs = nowMs;
    const state = this.#state;
    this.#inventories.step(state);
    this.#leases.step(state, nowMs);
    this.#recovery.step(state, nowMs);
    const triedToPlace = this.#placing.step(state);
    const triedToDrain = this.#draining.step(state, nowMs);
    this.#triedAll = triedToPlace && triedToDrain;
    return this.#proposals.takeFresh();
  }

  /** When `step` wants to be called next at the latest. */
  get deadlineMs(): number {
    // What else is due goes on when a proposal is settled.
    if (this.#proposals.isFull) return Math.min(this.#leases.nextMs, this.#draining.nextMs);
    if (!this.#triedAll) return this.#nowMs;
    return Math.min(this.#leases.nextMs, this.#recovery.nextMs, this.#draining.nextMs);
  }

  // ---- What has changed

  #workerChanged(worker: WorkerRecord): void {
    this.#room.workerChanged(worker);
    this.#placing.workerChanged(worker);
    this.#inventories.workerChanged(worker);
    this.#leases.workerChanged(worker, this.#nowMs);
    this.#draining.workerChanged(this.#state, worker, this.#nowMs);
  }

  #workerGone(id: number): void {
    this.#room.workerGone(id);
    this.#placing.workerGone(id);
    this.#inventories.workerGone(id);
    this.#leases.workerGone(id);
    this.#draining.workerGone(id);
  }

  #vmChanged(vm: VmRecord): void {
    const isInFlight = this.#proposals.has({ kind: "vm", name: vm.name });
    this.#placing.vmChanged(vm, isInFlight);
    this.#recovery.vmChanged(vm, this.#nowMs);
    this.#draining.vmChanged(vm, isInFlight);
  }

  #vmGone(name: string): void {
    this.#placing.vmGone(name);
    this.#recovery.vmGone(name);
    this.#draining.vmGone(name);
  }

  #taskChanged(task: TaskRecord): void {
    this.#placing.taskChanged(task);
  }

  // ---- As a value

  capture() {
    return {
      proposals: this.#proposals.capture(),
      inventories: this.#inventories.capture(),
      leases: this.#leases.capture(),
      recovery: this.#recovery.capture(),
      room: this.#room.capture(),
      placing: this.#placing.capture(),
      draining: this.#draining.capture(),
      state: this.#state,
      nowMs: this.#nowMs,
      triedAll: this.#triedAll,
    };
  }

  /** One that goes on where the captured one stood. */
  static restored(driftBound: number, captured: OrchestratorState): Orchestrator {
    const orchestrator = new Orchestrator(driftBound, emptyState(), captured.nowMs);
    orchestrator.#proposals.restore(captured.proposals);
    orchestrator.#inventories.restore(captured.inventories);
    orchestrator.#leases.restore(captured.leases);
    orchestrator.#recovery.restore(captured.recovery);
    orchestrator.#room.restore(captured.room);
    orchestrator.#placing.restore(captured.placing);
    orchestrator.#draining.restore(captured.draining);
    orchestrator.#state = captured.state;
    orchestrator.#triedAll = captured.triedAll;
    return orchestrator;
  }
}
