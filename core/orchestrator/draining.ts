/**
 * Empties workers that are to be drained: moves their VMs to other workers, a tenth of them at a time. A VM counts as
 * moving until it runs elsewhere. A VM that finds no place stays until there may be room for it.
 */
import { type ClusterState, vmOf, vmRequest, workerOf } from "../cluster/index.ts";
import { intentOf, statusOf, type VmRecord, type WorkerRecord } from "../domain/index.ts";
import { mark } from "../marks.ts";
import { Drains } from "./drains.ts";
import type { Proposals } from "./proposals.ts";
import type { Room } from "./room.ts";

/** VMs that it tries to find a place for in one step, so that a step stays short. */
const TRIES_PER_STEP = 64;
/** One of so many VMs of a worker is moved at a time, and one at least. */
const VMS_PER_MOVE = 10;

export class Draining {
  readonly #proposals: Proposals;
  readonly #room: Room;
  readonly #drains = new Drains();

  constructor(proposals: Proposals, room: Room) {
    this.#proposals = proposals;
    this.#room = room;
  }

  workerChanged(state: ClusterState, worker: WorkerRecord, nowMs: number): void {
    if (statusOf(worker) === "draining") this.#drains.begin(worker.id, () => this.#leaving(state, worker), nowMs);
    else this.#drains.end(worker.id);
  }

  workerGone(workerId: number): void {
    this.#drains.end(workerId);
  }

  /** @param isInFlight whether something is proposed about it already. */
  vmChanged(vm: VmRecord, isInFlight: boolean): void {
    if (isInFlight) return;
    // Otherwise it runs elsewhere, or need not, or never ran; or the log refused to move it.
    const isMoving =
      hasRun(vm) &&
      (vm.eviction !== null || (vm.workerId !== this.#drains.originOf(vm.name) && vm.state !== "Running"));
    if (!(isMoving && vm.desired === "running")) this.#drains.settled(vm.name);
  }

  vmGone(name: string): void {
    this.#drains.settled(name);
  }

  /** False: there is more to do at once. */
  step(state: ClusterState, nowMs: number): boolean {
    this.#drains.advance(nowMs, this.#room.changedIndex(state));
    for (let left = TRIES_PER_STEP; left > 0; ) {
      const workerId = this.#proposals.isFull ? null : this.#drains.next();
      if (workerId === null) return true;
      const worker = workerOf(state, workerId);
      if (worker !== null) left -= this.#drainWorker(state, worker, nowMs);
    }
    return false;
  }

  /** How many VMs it has tried to find a place for. */
  #drainWorker(state: ClusterState, { id, vms }: WorkerRecord, nowMs: number): number {
    const movingMax = Math.max(1, Math.floor(vms.length / VMS_PER_MOVE));
    let tries = 0;
    for (const name of vms) {
      if (this.#drains.movingFrom(id) >= movingMax) {
        mark("drain/budget-used-up");
        return tries;
      }
      if (this.#proposals.isFull) {
        this.#drains.again(id);
        return tries;
      }
      const subject = { kind: "vm", name } as const;
      const vm = vmOf(state, name);
      if (vm === null || intentOf(vm) === "gone" || vm.state === "Lost" || this.#proposals.has(subject)) continue;
      const { epoch, desired } = vm;
      // One that is stopped needs no room anywhere until somebody starts it.
      if (desired === "stopped") {
        mark("drain/stopped-vm");
        this.#proposals.propose(subject, { kind: "evictVm", name, epoch, cause: "drain", to: null });
        continue;
      }
      tries += 1;
      const request = vmRequest(vm);
      const to = this.#room.choose(state, request);
      if (to === null) {
        mark("drain/no-place");
        continue;
      }
      mark("drain/moved");
      const command = { kind: "evictVm", name, epoch, cause: "drain", to } as const;
      this.#room.propose(state, subject, command, { workerId: to, resources: request.resources });
      this.#drains.moves(id, name, nowMs);
    }
    // Those that are left find no place now.
    this.#drains.blocked(id);
    return tries;
  }

  /**
   * Those that leave the worker because it is drained, and do not run elsewhere yet. What is proposed about one may be
   * to move it, for a drain that was called off meanwhile.
   */
  #leaving(state: ClusterState, { vms }: WorkerRecord): readonly string[] {
    return vms.filter((name) => {
      const vm = vmOf(state, name);
      if (vm === null || vm.desired !== "running" || !hasRun(vm)) return false;
      return vm.eviction === "drain" || this.#proposals.has({ kind: "vm", name });
    });
  }

  /** When a VM has been moving for so long that the drain goes on without it; Infinity: none is moving. */
  get nextMs(): number {
    return this.#drains.nextMs;
  }

  capture() {
    return this.#drains.capture();
  }

  restore(captured: ReturnType<Draining["capture"]>): void {
    this.#drains.restore(captured);
  }
}

/** To move one that never ran is no disruption. */
function hasRun({ runningSinceMs }: VmRecord): boolean {
  return runningSinceMs > 0;
}
