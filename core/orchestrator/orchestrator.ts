/**
 * What the leader does about workers, VMs and tasks: it hears reports, proposes what they say and what follows, and lets the log decide. All that it remembers
 * itself is who reported when, and what it has proposed; when it leads no more it forgets that, and its successor begins with a look at the whole state.
 *
 * It acts on what has changed. Nothing here is asked of every VM or worker at every turn.
 */

import { type Directive, LEASE_TTL_MS, type Report, waitForLeaseMs } from "../agent/index.ts";
import {
  Batch,
  type ClusterState,
  needsPlace,
  nodeOf,
  type OwnCommand,
  occupants,
  placementContext,
  type Touched,
  tableValues,
  taskOf,
  taskRequest,
  vmOf,
  vmRequest,
  workerOf,
  workerView,
} from "../cluster/index.ts";
import {
  CLUSTER_LIMITS,
  intentOf,
  isOver,
  type Resources,
  sameFacts,
  statusOf,
  type TaskRecord,
  type VmRecord,
  type WorkerRecord,
} from "../domain/index.ts";
import {
  chosen,
  explain,
  judge,
  type PlacementContext,
  PlacementIndex,
  type PlacementRequest,
  type WorkerView,
} from "../scheduler/index.ts";
import { assignmentOf, detailsFor } from "./assignment.ts";
import { Deadlines } from "./deadlines.ts";
import { Drains } from "./drains.ts";
import { type Heard, indexed, newsIn, newsOfTask, newsOfVm } from "./observations.ts";
import { Prospects } from "./prospects.ts";
import { WaitingList } from "./waiting-list.ts";

export interface Proposal {
  /** Names the proposal: there is one of a key at a time. */
  readonly key: string;
  readonly command: OwnCommand;
}

/** Proposals under way at a time. The log takes them in batches; what is decided too far ahead is decided on an old state. */
const PROPOSALS_MAX = 256;
/** Requests that are tried at one turn, so that a turn stays short however many wait. */
const TRIES_PER_TURN = 64;
/** How many of them go to whoever was tried the longest ago, however unimportant. */
const TRIES_OF_OLDEST = 16;
/** Moves to other workers before a VM that keeps failing is left alone. */
const RELOCATIONS_MAX = 3;

export class Orchestrator {
  readonly #waitMs: number;
  #isLeading = false;
  #state: ClusterState | null = null;
  #context: PlacementContext | null = null;
  #nowMs = 0;
  #out: Proposal[] = [];
  readonly #proposed = new Map<string, PlacementInFlight | null>();
  /** When each worker's lease is surely over. */
  readonly #leases = new Deadlines<number>();
  readonly #heard = new Map<number, Heard>();
  /** Workers that have said something, or of which something has changed, since the last step. */
  readonly #toLookAt = new Set<number>();
  readonly #index = new PlacementIndex();
  /** Room that placements under way will take. */
  readonly #promised = new Map<number, Resources>();
  /** When room that was promised last came back without having been taken: after the entry of that index, and before the next one. */
  #roomBackIndex = 0;
  readonly #prospects = new Prospects();
  readonly #vms = new WaitingList();
  readonly #tasks = new WaitingList();
  /** When a failed VM is to run again, or move. */
  readonly #recoveries = new Deadlines<string>();
  readonly #drains = new Drains();
  #triedAll = true;

  /** `driftBound`: largest relative rate error between any two monotonic clocks. */
  constructor(driftBound: number) {
    this.#waitMs = waitForLeaseMs(driftBound);
  }

  get isLeading(): boolean {
    return this.#isLeading;
  }

  /** Of a leader that has applied an entry of its own term: what its predecessors did is known, and none of them can do more. */
  startLeading(state: ClusterState, nowMs: number): void {
    this.stopLeading();
    this.#isLeading = true;
    this.#nowMs = nowMs;
    this.#setState(state);
    for (const worker of tableValues(state.workers)) this.#workerChanged(worker);
    // The same order as if they had come one after the other.
    const vms = tableValues(state.vms).sort((a, b) => a.createdIndex - b.createdIndex);
    for (const vm of vms) this.#vmChanged(vm);
    for (const task of tableValues(state.tasks)) this.#taskChanged(task);
  }

  stopLeading(): void {
    this.#isLeading = false;
    this.#state = null;
    this.#context = null;
    this.#out = [];
    this.#proposed.clear();
    this.#leases.clear();
    this.#heard.clear();
    this.#toLookAt.clear();
    this.#index.clear();
    this.#promised.clear();
    this.#roomBackIndex = 0;
    this.#prospects.clear();
    this.#vms.clear();
    this.#tasks.clear();
    this.#recoveries.clear();
    this.#drains.clear();
  }

  /** Entries have been applied. */
  applied(state: ClusterState, touched: Touched, nowMs: number): void {
    this.#nowMs = nowMs;
    this.#setState(state);
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
      this.#lookAtIf(vm.workerId, (heard, worker) => newsOfVm(heard, worker, vm) !== null);
    }
    for (const id of touched.tasks) {
      const task = taskOf(state, id);
      if (task === null) {
        this.#tasks.delete(id);
        continue;
      }
      this.#taskChanged(task);
      this.#lookAtIf(task.workerId, (heard, worker) => newsOfTask(heard, worker, task) !== null);
    }
    for (const name of this.#prospects.takeReadmitted()) {
      const vm = vmOf(state, name);
      if (vm !== null) this.#vmChanged(vm);
    }
  }

  /** One of its own proposals has been applied, or was refused: whoever it was about was left alone meanwhile, and is looked at again. */
  settled(key: string): void {
    const inFlight = this.#proposed.get(key);
    if (!this.#proposed.delete(key) || this.#state === null) return;
    const at = key.indexOf(":");
    const [what, name] = [key.slice(0, at), key.slice(at + 1)];
    if (what === "vm") {
      const vm = vmOf(this.#state, name);
      this.#unpromise(inFlight, vm?.workerId, vm?.targetId);
      if (vm !== null) this.#vmChanged(vm);
    } else if (what === "task") {
      const task = taskOf(this.#state, name);
      this.#unpromise(inFlight, task?.workerId);
      if (task !== null) this.#taskChanged(task);
    } else if (what === "worker") {
      this.#toLookAt.add(Number(name));
    } else if (what === "lost") {
      // It never came into the log. Until now nothing was heard of that worker, and nothing promised to it: its time begins anew.
      const worker = workerOf(this.#state, Number(name));
      if (worker !== null) this.#workerChanged(worker);
    }
  }

  /** A report has come. Its sender is authenticated, and what it says of its host is so. */
  hear(report: Report, nowMs: number): void {
    this.#nowMs = nowMs;
    const { workerId, bootId, facts, inventoryVersion } = report;
    const heard = this.#heard.get(workerId);
    if (facts === null && heard?.bootId === bootId && !this.#isBeingLost(workerId)) {
      // Nearly all reports say nothing new.
      const isNew = inventoryVersion > heard.inventoryVersion || report.assignedIndex > heard.assignedIndex;
      if (!isNew) {
        this.#leases.set(workerId, nowMs + this.#waitMs);
        return;
      }
    }
    // Whatever it says, it is not believed.
    if (this.#isRemoved(workerId)) return;
    const worker = this.#state === null ? null : workerOf(this.#state, workerId);
    const isCurrent = worker?.isOnline === true && worker.bootId === bootId;
    if (facts !== null && !(isCurrent && sameFacts(worker, facts)))
      this.#propose(`worker:${workerId}`, { kind: "registerWorker", workerId, bootId, facts });
    if (!isCurrent || this.#isBeingLost(workerId)) return;
    this.#leases.set(workerId, nowMs + this.#waitMs);
    const before = heard?.bootId === bootId ? heard : null;
    // Overtaken by a later one.
    if (before !== null && inventoryVersion < before.inventoryVersion) return;
    const assignedIndex = Math.max(report.assignedIndex, before?.assignedIndex ?? 0);
    const isKnown = before?.inventoryVersion === inventoryVersion;
    if (isKnown && before.assignedIndex === assignedIndex) return;
    const inventory = isKnown ? before.inventory : report.inventory === null ? null : indexed(report.inventory);
    if (inventory === null) return;
    this.#heard.set(workerId, { bootId, inventoryVersion, inventory, assignedIndex });
    this.#toLookAt.add(workerId);
  }

  /** What a report is answered with, in a state that was the newest of all after the report had come. Null: nobody may answer it now. */
  directive(report: Report, servers: readonly number[], nowMs: number): Directive | null {
    const state = this.#state;
    if (state === null) return null;
    const { workerId, bootId, sequence } = report;
    const worker = workerOf(state, workerId);
    if (worker === null && this.#isRemoved(workerId)) return { kind: "removed", workerId, bootId, sequence };
    if (worker === null || !worker.isOnline || worker.bootId !== bootId || this.#isBeingLost(workerId))
      return { kind: "register", workerId, bootId, sequence };
    // The report may have come before its process was registered, when nothing was kept for it.
    this.#leases.set(workerId, nowMs + this.#waitMs);
    const heard = this.#heard.get(workerId);
    return {
      kind: "granted",
      workerId,
      bootId,
      sequence,
      leaseTtlMs: LEASE_TTL_MS,
      assignment: report.assignedIndex === worker.assignedIndex ? null : assignmentOf(state, worker),
      details: detailsFor(state, worker, report),
      inventoryVersion: heard?.bootId === bootId ? heard.inventoryVersion : 0,
      servers,
    };
  }

  /** What is to be proposed now. */
  step(nowMs: number): readonly Proposal[] {
    this.#nowMs = nowMs;
    if (!this.#isLeading) return NO_PROPOSALS;
    for (const id of this.#toLookAt) this.#lookAt(id);
    this.#toLookAt.clear();
    this.#loseWorkers();
    this.#recover();
    this.#placeAll();
    this.#drain();
    if (this.#out.length === 0) return NO_PROPOSALS;
    const out = this.#out;
    this.#out = [];
    return out;
  }

  /** When `step` wants to be called next at the latest. */
  get deadlineMs(): number {
    if (!this.#isLeading) return Number.POSITIVE_INFINITY;
    // Whatever else is due goes on when the log has taken something.
    if (this.#isFull) return Math.min(this.#leases.nextMs, this.#drains.nextMs);
    if (!this.#triedAll) return this.#nowMs;
    return Math.min(this.#leases.nextMs, this.#recoveries.nextMs, this.#drains.nextMs);
  }

  get #isFull(): boolean {
    return this.#proposed.size >= PROPOSALS_MAX;
  }

  #setState(state: ClusterState): void {
    if (state.scheduler !== this.#state?.scheduler) this.#prospects.rulesChanged();
    this.#state = state;
    this.#context = null;
  }

  #placement(state: ClusterState): PlacementContext {
    this.#context ??= placementContext(new Batch(state));
    return this.#context;
  }

  #propose(key: string, command: OwnCommand, placement: PlacementInFlight | null = null): boolean {
    if (this.#proposed.has(key)) return false;
    this.#proposed.set(key, placement);
    this.#out.push({ key, command });
    if (placement !== null) this.#promise(placement);
    return true;
  }

  // ---- Workers

  #workerChanged(worker: WorkerRecord): void {
    const { id } = worker;
    this.#putView(worker);
    this.#prospects.workerChanged(worker);
    if (this.#heard.get(id)?.bootId !== worker.bootId) this.#heard.delete(id);
    if (!worker.isOnline) {
      this.#leases.delete(id);
      this.#heard.delete(id);
    } else if (!this.#leases.has(id)) {
      // Somebody else may have heard of it a moment ago.
      this.#leases.set(id, this.#nowMs + this.#waitMs);
    }
    if (statusOf(worker) === "draining") this.#drains.begin(id, this.#leaving(worker), this.#nowMs);
    else this.#drains.end(id);
  }

  #workerGone(id: number): void {
    this.#index.delete(id);
    this.#prospects.workerGone(id);
    this.#leases.delete(id);
    this.#heard.delete(id);
    this.#drains.end(id);
  }

  #putView(worker: WorkerRecord): void {
    this.#index.put(this.#viewOf(worker));
  }

  /** With what is promised there and not in the state yet. */
  #viewOf(worker: WorkerRecord): WorkerView {
    const view = workerView(worker);
    const promised = this.#promised.get(worker.id);
    return promised === undefined ? view : { ...view, used: added(view.used, promised, 1) };
  }

  #viewsOf(state: ClusterState, ids: readonly number[]): readonly WorkerView[] {
    return ids.flatMap((id) => workerOf(state, id) ?? []).map((worker) => this.#viewOf(worker));
  }

  #promise({ workerId, resources }: PlacementInFlight): void {
    this.#promised.set(workerId, added(this.#promised.get(workerId) ?? NOTHING, resources, 1));
    const worker = this.#state === null ? null : workerOf(this.#state, workerId);
    if (worker !== null) this.#putView(worker);
  }

  /** `takers`: the workers where whoever it was promised to has room now. */
  #unpromise(inFlight: PlacementInFlight | null | undefined, ...takers: readonly (number | null | undefined)[]): void {
    if (inFlight === null || inFlight === undefined) return;
    const { workerId, resources } = inFlight;
    const left = added(this.#promised.get(workerId) ?? NOTHING, resources, -1);
    if (left.vcpus === 0 && left.memoryMiB === 0 && left.diskGiB === 0) this.#promised.delete(workerId);
    else this.#promised.set(workerId, left);
    const worker = this.#state === null ? null : workerOf(this.#state, workerId);
    if (worker !== null) this.#putView(worker);
    this.#prospects.roomCameBack(workerId);
    // Others may have found none for that alone.
    if (!takers.includes(workerId)) this.#roomBackIndex = (this.#state?.appliedIndex ?? 0) + 0.5;
  }

  #isRemoved(workerId: number): boolean {
    return this.#state !== null && nodeOf(this.#state, workerId)?.role === "removed";
  }

  /** The last change after which something may fit that did not before. */
  #roomIndex(state: ClusterState): number {
    return Math.max(state.roomIndex, this.#roomBackIndex);
  }

  #isBeingLost(workerId: number): boolean {
    return this.#proposed.has(`lost:${workerId}`);
  }

  #loseWorkers(): void {
    for (;;) {
      const workerId = this.#leases.take(this.#nowMs);
      if (workerId === undefined) return;
      const worker = this.#state === null ? null : workerOf(this.#state, workerId);
      if (worker?.isOnline === true)
        this.#propose(`lost:${workerId}`, { kind: "workerLost", workerId, bootId: worker.bootId });
    }
  }

  /** What a worker had told before may be news now that a VM or task of its has changed. Of those that have not, nothing becomes news by that. */
  #lookAtIf(workerId: number | null, hasNews: (heard: Heard, worker: WorkerRecord) => boolean): void {
    const heard = workerId === null ? undefined : this.#heard.get(workerId);
    if (heard === undefined || workerId === null || this.#state === null) return;
    const worker = workerOf(this.#state, workerId);
    if (worker !== null && hasNews(heard, worker)) this.#toLookAt.add(workerId);
  }

  /** Whether its last inventory says what the state does not know. */
  #lookAt(workerId: number): void {
    const heard = this.#heard.get(workerId);
    const state = this.#state;
    if (heard === undefined || state === null || this.#proposed.has(`worker:${workerId}`)) return;
    const worker = workerOf(state, workerId);
    if (worker === null || !worker.isOnline || worker.bootId !== heard.bootId) return;
    const news = newsIn(heard, state, worker);
    if (news !== null)
      this.#propose(`worker:${workerId}`, { kind: "observe", workerId, bootId: heard.bootId, ...news });
  }

  // ---- Placing

  #vmGone(name: string): void {
    this.#prospects.vmGone(name);
    this.#vms.delete(name);
    this.#recoveries.delete(name);
    this.#drains.settled(name);
  }

  #vmChanged(vm: VmRecord): void {
    const { name } = vm;
    const placement = this.#proposed.get(`vm:${name}`);
    this.#prospects.vmChanged(vm);
    if (!needsPlace(vm)) this.#vms.delete(name);
    else if (placement === undefined) this.#vms.add(name, vm.spec.priority);
    // Whoever is more important may have it give way.
    if (vm.state === "Scheduled" && vm.spec.preemptible) this.#vms.changedAbove(vm.spec.priority, vm.updatedIndex);
    if (isToRecover(vm)) {
      if (!this.#recoveries.has(name)) this.#recoveries.set(name, this.#nowMs + backoffMs(vm));
    } else {
      this.#recoveries.delete(name);
    }
    // It runs elsewhere, or need not, or never ran; or the log refused to move it.
    const isOnItsWay =
      hasRun(vm) && (vm.eviction !== null || (vm.workerId !== this.#drains.originOf(name) && vm.state !== "Running"));
    if (placement === undefined && !(isOnItsWay && vm.desired === "running")) this.#drains.settled(name);
  }

  #taskChanged(task: TaskRecord): void {
    if (task.state === "Pending") this.#tasks.add(task.id, 0);
    else this.#tasks.delete(task.id);
  }

  #placeAll(): void {
    const state = this.#state;
    this.#triedAll = true;
    if (state === null) return;
    for (const [list, place] of [
      [this.#vms, this.#placeVm],
      [this.#tasks, this.#placeTask],
    ] as const) {
      for (let tries = TRIES_PER_TURN; ; ) {
        if (this.#isFull) return;
        const roomIndex = this.#roomIndex(state);
        const key = tries > TRIES_OF_OLDEST ? list.next(roomIndex) : list.oldest(roomIndex);
        if (key === null) break;
        if (tries-- === 0) {
          this.#triedAll = false;
          break;
        }
        if (place.call(this, state, key)) list.delete(key);
        else list.failed(key, Math.max(state.appliedIndex, roomIndex));
      }
    }
  }

  #placeVm(state: ClusterState, name: string): boolean {
    const vm = vmOf(state, name);
    if (vm === null || !needsPlace(vm)) return true;
    const context = this.#placement(state);
    // Then it waits elsewhere.
    if (vm.targetId === null && this.#prospects.isShutOut(context, name, vm.spec.antiAffinity)) return true;
    const request = vmRequest(vm);
    const { epoch } = vm;
    if (vm.targetId !== null) {
      const target = workerOf(state, vm.targetId);
      const refusal = target === null ? OFFLINE : judge(context, workerView(target), request).refusal;
      if (refusal === null) return this.#proposePlacement(request, epoch, vm.targetId);
      // Those who leave have not left yet.
      if (refusal.kind === "insufficient" && target !== null && isBeingLeft(state, target)) return false;
      return this.#propose(`vm:${name}`, { kind: "dropNomination", name, epoch });
    }
    const candidates = this.#prospects.candidates(context, request);
    const workerId =
      candidates === null
        ? this.#index.choose(context, request)
        : chosen(explain(context, this.#viewsOf(state, candidates), request));
    if (workerId !== null) return this.#proposePlacement(request, epoch, workerId);
    if (this.#preempt(state, vm, request, context, candidates)) return true;
    this.#prospects.refused(name);
    return false;
  }

  #proposePlacement(request: PlacementRequest, epoch: number, workerId: number): boolean {
    const { name, resources } = request;
    this.#propose(`vm:${name}`, { kind: "placeVm", name, epoch, workerId }, { workerId, resources });
    return true;
  }

  #preempt(
    state: ClusterState,
    vm: VmRecord,
    request: PlacementRequest,
    context: PlacementContext,
    among: readonly number[] | null,
  ): boolean {
    if (!this.#prospects.hasVictims(request.priority)) return false;
    const occupantsOf = (workerId: number) => occupants(state, workerId);
    const plan = this.#index.planPreemption(context, occupantsOf, request, among);
    if (plan === null || plan.victims.length === 0 || plan.victims.length > CLUSTER_LIMITS.observations) return false;
    const { name, epoch } = vm;
    const { workerId, victims } = plan;
    this.#propose(`vm:${name}`, { kind: "preempt", name, epoch, workerId, victims });
    return true;
  }

  #placeTask(state: ClusterState, id: string): boolean {
    const task = taskOf(state, id);
    if (task === null || isOver(task) || task.state !== "Pending") return true;
    const request = taskRequest(task);
    const workerId = this.#index.choose(this.#placement(state), request);
    if (workerId === null) return false;
    const { attempt, resources } = task;
    this.#propose(`task:${id}`, { kind: "placeTask", id, attempt, workerId }, { workerId, resources });
    return true;
  }

  // ---- Recovery

  #recover(): void {
    const state = this.#state;
    while (state !== null && !this.#isFull) {
      const name = this.#recoveries.take(this.#nowMs);
      if (name === undefined) return;
      const vm = vmOf(state, name);
      if (vm === null || !isToRecover(vm)) continue;
      const { epoch, spec, restarts, relocations } = vm;
      // What is proposed about it already comes first: it is looked at again when that is settled.
      if (restarts < spec.recovery.restartsMax) this.#propose(`vm:${name}`, { kind: "recoverVm", name, epoch });
      // One that may run nowhere else would lose its disk, and gain nothing.
      else if (relocations < RELOCATIONS_MAX && spec.workerId === null)
        this.#propose(`vm:${name}`, { kind: "evictVm", name, epoch, cause: "recovery", to: null });
    }
  }

  // ---- Draining

  /** Those that are leaving a worker because it is drained, and are missed meanwhile. */
  #leaving({ vms }: WorkerRecord): readonly string[] {
    const state = this.#state;
    return vms.filter((name) => {
      const vm = state === null ? null : vmOf(state, name);
      return vm?.eviction === "drain" && vm.desired === "running" && hasRun(vm);
    });
  }

  /** Moves what is there, a tenth at a time: one that it moved counts until it runs elsewhere. */
  #drain(): void {
    const state = this.#state;
    if (state === null) return;
    this.#drains.advance(this.#nowMs, this.#roomIndex(state));
    for (let left = TRIES_PER_TURN; left > 0; ) {
      const workerId = this.#isFull ? null : this.#drains.next();
      if (workerId === null) return;
      const worker = workerOf(state, workerId);
      if (worker !== null) left -= this.#drainWorker(state, worker);
    }
    this.#triedAll = false;
  }

  /** How many VMs it has tried to find a place for. */
  #drainWorker(state: ClusterState, { id, vms }: WorkerRecord): number {
    const budget = Math.max(1, Math.floor(vms.length / 10));
    let tries = 0;
    for (const name of vms) {
      if (this.#drains.movingFrom(id) >= budget) return tries;
      if (this.#isFull) {
        this.#drains.again(id);
        return tries;
      }
      const vm = vmOf(state, name);
      if (vm === null || intentOf(vm) === "gone" || vm.state === "Lost" || this.#proposed.has(`vm:${name}`)) continue;
      const { epoch, desired } = vm;
      // One that is stopped needs no room anywhere until somebody starts it.
      if (desired === "stopped") {
        this.#propose(`vm:${name}`, { kind: "evictVm", name, epoch, cause: "drain", to: null });
        continue;
      }
      tries += 1;
      const request = vmRequest(vm);
      const to = this.#index.choose(this.#placement(state), request);
      if (to === null) continue;
      const { resources } = request;
      const command = { kind: "evictVm", name, epoch, cause: "drain", to } as const;
      this.#propose(`vm:${name}`, command, { workerId: to, resources });
      this.#drains.moves(id, name, this.#nowMs);
    }
    // Whoever is left finds no room now.
    this.#drains.blocked(id);
    return tries;
  }
}

interface PlacementInFlight {
  readonly workerId: number;
  readonly resources: Resources;
}

const NO_PROPOSALS: readonly Proposal[] = [];
const NOTHING: Resources = { vcpus: 0, memoryMiB: 0, diskGiB: 0 };
const OFFLINE = { kind: "offline" } as const;

function isBeingLeft(state: ClusterState, worker: WorkerRecord): boolean {
  return worker.vms.some((name) => {
    const vm = vmOf(state, name);
    return vm !== null && intentOf(vm) === "gone";
  });
}

function added(a: Resources, b: Resources, sign: 1 | -1): Resources {
  return {
    vcpus: a.vcpus + sign * b.vcpus,
    memoryMiB: a.memoryMiB + sign * b.memoryMiB,
    diskGiB: a.diskGiB + sign * b.diskGiB,
  };
}

/** Nobody misses one that never did: moving it is no disruption. */
function hasRun({ runningSinceMs }: VmRecord): boolean {
  return runningSinceMs > 0;
}

function isToRecover(vm: VmRecord): boolean {
  return vm.state === "Failed" && vm.workerId !== null && intentOf(vm) === "run";
}

function backoffMs({ spec: { recovery }, restarts }: VmRecord): number {
  let ms = recovery.backoffMs;
  for (let n = 0; n < restarts && ms < recovery.backoffMaxMs; n++) ms *= recovery.backoffFactor;
  return Math.min(ms, recovery.backoffMaxMs);
}
