/**
 * Finds places for the VMs and tasks that wait for one. Which of them are tried, and in which order, is decided here;
 * which worker takes them, by the scheduler. A VM that no worker takes may preempt others of lower priority. Their
 * room is kept for it until it fits.
 */
import {
  type ClusterState,
  needsPlace,
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
  type TaskRecord,
  type VmRecord,
  type WorkerRecord,
} from "../domain/index.ts";
import { mark } from "../marks.ts";
import { judge, type PlacementRequest } from "../scheduler/index.ts";
import { BlockedGroups } from "./blocked-groups.ts";
import { PreemptibleVms } from "./preemptible-vms.ts";
import type { Placement, Proposals } from "./proposals.ts";
import type { Room } from "./room.ts";
import { UnschedulableRequests } from "./unschedulable.ts";
import { WaitingList } from "./waiting-list.ts";

/** Requests of each list that are tried in one step, so that a step stays short however many wait. */
export const TRIES_PER_STEP = 64;
/** How many of them go to those that were tried the longest ago, whatever their priority. */
const TRIES_OF_OLDEST = 16;

export class Placing {
  readonly #proposals: Proposals;
  readonly #room: Room;
  readonly #vms = new WaitingList();
  readonly #tasks = new WaitingList();
  readonly #unschedulable = new UnschedulableRequests();
  readonly #blocked = new BlockedGroups();
  readonly #preemptible = new PreemptibleVms();

  constructor(proposals: Proposals, room: Room) {
    this.#proposals = proposals;
    this.#room = room;
  }

  settingsChanged(): void {
    this.#unschedulable.settingsChanged();
  }

  workerChanged(worker: WorkerRecord): void {
    this.#unschedulable.workerChanged(worker.id);
    this.#blocked.workerChanged(worker);
  }

  workerGone(workerId: number): void {
    this.#blocked.workerGone(workerId);
  }

  /** @param isInFlight whether something is proposed about it already. */
  vmChanged(vm: VmRecord, isInFlight: boolean): void {
    const { name, spec, state, updatedIndex } = vm;
    this.#unschedulable.forget(name);
    this.#blocked.vmChanged(vm);
    this.#preemptible.vmChanged(vm);
    if (!needsPlace(vm)) this.#vms.delete(name);
    else if (!isInFlight) this.#vms.add(name, spec.priority);
    // Those of a higher priority may preempt it.
    if (state === "Scheduled" && spec.preemptible) this.#vms.changedAbove(spec.priority, updatedIndex);
  }

  vmGone(name: string): void {
    this.#unschedulable.forget(name);
    this.#blocked.vmGone(name);
    this.#preemptible.vmGone(name);
    this.#vms.delete(name);
  }

  taskChanged({ id, state }: TaskRecord): void {
    if (state === "Pending") this.#tasks.add(id, 0);
    else this.#tasks.delete(id);
  }

  taskGone(id: string): void {
    this.#tasks.delete(id);
  }

  /** A placement is settled. `takers`: the workers where its subject has room now. */
  settled(state: ClusterState, placement: Placement, takers: readonly (number | null)[]): void {
    this.#room.settled(state, placement, takers);
    this.#unschedulable.workerChanged(placement.workerId);
  }

  /** VMs that were blocked by their group and may find a place again. */
  takeUnblocked(): readonly string[] {
    return this.#blocked.takeUnblocked();
  }

  /** False: there are more to be tried at once. */
  step(state: ClusterState): boolean {
    const triedVms = this.#tryAll(state, this.#vms);
    const triedTasks = this.#tryAll(state, this.#tasks);
    return triedVms && triedTasks;
  }

  #tryAll(state: ClusterState, list: WaitingList): boolean {
    for (let tries = TRIES_PER_STEP; !this.#proposals.isFull; tries--) {
      const roomIndex = this.#room.changedIndex(state);
      const key = tries > TRIES_OF_OLDEST ? list.next(roomIndex) : list.oldest(roomIndex);
      if (key === null) return true;
      if (tries === 0) return false;
      const isPlaced = list === this.#vms ? this.#placeVm(state, key) : this.#placeTask(state, key);
      if (isPlaced) list.delete(key);
      else list.failed(key, Math.max(state.appliedIndex, roomIndex));
    }
    // The others are tried when something is settled.
    return true;
  }

  #placeVm(state: ClusterState, name: string): boolean {
    const vm = vmOf(state, name);
    if (vm === null || !needsPlace(vm)) return true;
    if (vm.targetId !== null) return this.#placeNominated(state, vm, vm.targetId);
    const context = this.#room.contextOf(state);
    if (this.#blocked.block(context, name, vm.spec.antiAffinity)) {
      mark("placement/blocked-by-group");
      return true;
    }
    const request = vmRequest(vm);
    const candidates = this.#unschedulable.candidates(context, request);
    const workerId = this.#room.choose(state, request, candidates);
    if (workerId !== null) return this.#proposePlacement(state, vm, request, workerId);
    if (this.#preempt(state, vm, request, candidates)) return true;
    mark("placement/no-place");
    this.#unschedulable.refused(context, request);
    return false;
  }

  /** Room is kept for it on that worker. */
  #placeNominated(state: ClusterState, vm: VmRecord, targetId: number): boolean {
    const { name, epoch } = vm;
    const request = vmRequest(vm);
    const target = workerOf(state, targetId);
    const refusal = target === null ? OFFLINE : judge(this.#room.contextOf(state), workerView(target), request).refusal;
    if (refusal === null) {
      mark("preemption/room-taken-by-nominee");
      return this.#proposePlacement(state, vm, request, targetId);
    }
    // Those who leave have not left yet.
    if (refusal.kind === "insufficient" && target !== null && isBeingLeft(state, target)) {
      mark("preemption/waits-for-victims");
      return false;
    }
    mark("preemption/nomination-dropped");
    return this.#proposals.propose({ kind: "vm", name }, { kind: "dropNomination", name, epoch });
  }

  #proposePlacement(state: ClusterState, vm: VmRecord, { resources }: PlacementRequest, workerId: number): true {
    const { name, epoch } = vm;
    const command = { kind: "placeVm", name, epoch, workerId } as const;
    this.#room.propose(state, { kind: "vm", name }, command, { workerId, resources });
    return true;
  }

  #preempt(
    state: ClusterState,
    { name, epoch }: VmRecord,
    request: PlacementRequest,
    among: readonly number[] | null,
  ): boolean {
    if (!this.#preemptible.hasBelow(request.priority)) return false;
    const plan = this.#room.planPreemption(state, request, among);
    if (plan === null || plan.victims.length === 0 || plan.victims.length > CLUSTER_LIMITS.observations) return false;
    const { workerId, victims } = plan;
    mark(victims.length === 1 ? "preemption/one-victim" : "preemption/many-victims");
    this.#proposals.propose({ kind: "vm", name }, { kind: "preempt", name, epoch, workerId, victims });
    return true;
  }

  #placeTask(state: ClusterState, id: string): boolean {
    const task = taskOf(state, id);
    if (task === null || isOver(task) || task.state !== "Pending") return true;
    const workerId = this.#room.choose(state, taskRequest(task));
    if (workerId === null) {
      mark("placement/no-place-for-task");
      return false;
    }
    const { attempt, resources } = task;
    const command = { kind: "placeTask", id, attempt, workerId } as const;
    this.#room.propose(state, { kind: "task", id }, command, { workerId, resources });
    return true;
  }

  capture() {
    return {
      vms: this.#vms.capture(),
      tasks: this.#tasks.capture(),
      unschedulable: this.#unschedulable.capture(),
      blocked: this.#blocked.capture(),
      preemptible: this.#preemptible.capture(),
    };
  }

  restore(captured: ReturnType<Placing["capture"]>): void {
    this.#vms.restore(captured.vms);
    this.#tasks.restore(captured.tasks);
    this.#unschedulable.restore(captured.unschedulable);
    this.#blocked.restore(captured.blocked);
    this.#preemptible.restore(captured.preemptible);
  }
}

const OFFLINE = { kind: "offline" } as const;

function isBeingLeft(state: ClusterState, worker: WorkerRecord): boolean {
  return worker.vms.some((name) => {
    const vm = vmOf(state, name);
    return vm !== null && intentOf(vm) === "gone";
  });
}
