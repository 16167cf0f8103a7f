/**
 * The room of the workers as the orchestrator sees it: what the state says, less what is promised to placements in
 * flight. So room is promised once, however many placements are decided before the first of them is applied.
 */
import {
  Batch,
  type ClusterState,
  type OwnCommand,
  occupants,
  placementContext,
  taskOf,
  vmOf,
  workerOf,
  workerView,
} from "../cluster/index.ts";
import { assert, intentOf, type Resources, statusOf, type WorkerRecord } from "../domain/index.ts";
import {
  chosen,
  explain,
  type PlacementContext,
  PlacementIndex,
  type PlacementRequest,
  type PreemptionPlan,
  type WorkerView,
} from "../scheduler/index.ts";
import type { Placement, Proposals, Subject } from "./proposals.ts";

export class Room {
  readonly #proposals: Proposals;
  readonly #index = new PlacementIndex();
  /** By worker, what placements in flight will take there. */
  #promised = new Map<number, Resources>();
  /**
   * When promised room last came back untaken: after the entry of an index and before the next one. So it is that
   * index and a half.
   */
  #backIndex = 0;
  #context: { readonly of: ClusterState; readonly value: PlacementContext } | null = null;

  constructor(proposals: Proposals) {
    this.#proposals = proposals;
  }

  workerChanged(worker: WorkerRecord): void {
    this.#index.put(this.#viewOf(worker));
  }

  workerGone(workerId: number): void {
    this.#index.delete(workerId);
  }

  /** The last change after which something may fit that did not before. */
  changedIndex(state: ClusterState): number {
    return Math.max(state.roomIndex, this.#backIndex);
  }

  /** Reads that state; made once for each. */
  contextOf(state: ClusterState): PlacementContext {
    if (this.#context?.of !== state) this.#context = { of: state, value: placementContext(new Batch(state)) };
    return this.#context.value;
  }

  /** @param among only these workers; null: all. */
  choose(state: ClusterState, request: PlacementRequest, among: readonly number[] | null = null): number | null {
    const context = this.contextOf(state);
    if (among === null) return this.#index.choose(context, request);
    const views = among.flatMap((id) => workerOf(state, id) ?? []).map((worker) => this.#viewOf(worker));
    return chosen(explain(context, views, request));
  }

  /** @param among only these workers; null: all. */
  planPreemption(
    state: ClusterState,
    request: PlacementRequest,
    among: readonly number[] | null,
  ): PreemptionPlan | null {
    const occupantsOf = (workerId: number) => occupants(state, workerId);
    return this.#index.planPreemption(this.contextOf(state), occupantsOf, request, among);
  }

  /** Proposes a command that takes room on a worker, and promises that room to it. */
  propose(state: ClusterState, subject: Subject, command: OwnCommand, placement: Placement): void {
    const { workerId } = placement;
    assert(isToRun(state, subject), `room is promised to what is to run: a ${subject.kind}, ${command.kind}`);
    const worker = workerOf(state, workerId);
    assert(worker !== null && statusOf(worker) === "online", "room is promised on workers that are online", workerId);
    const isCurrent = sameResources(this.#index.get(workerId)?.used ?? null, this.#viewOf(worker).used);
    assert(isCurrent, "a place is chosen by what is used and promised on the worker by now", workerId);
    const isProposed = this.#proposals.propose(subject, command, placement);
    assert(
      isProposed,
      `there is one proposal in flight about a ${subject.kind}, and so one placement: ${command.kind}`,
    );
    this.#promise(state, placement, 1);
  }

  /** A placement is settled. `takers`: the workers where its subject has room now. */
  settled(state: ClusterState, placement: Placement, takers: readonly (number | null)[]): void {
    this.#promise(state, placement, -1);
    // The sum of what is in flight, where that costs nothing to say.
    if (this.#proposals.isEmpty)
      assert(this.#promised.size === 0, "nothing is promised but to what is in flight", placement.workerId);
    // Others may have found no room only because of this promise.
    if (!takers.includes(placement.workerId)) this.#backIndex = state.appliedIndex + 0.5;
  }

  #promise(state: ClusterState, { workerId, resources }: Placement, sign: 1 | -1): void {
    const promised = added(this.#promised.get(workerId) ?? NOTHING, resources, sign);
    const { vcpus, memoryMiB, diskGiB } = promised;
    assert(Math.min(vcpus, memoryMiB, diskGiB) >= 0, "no room is given back twice on worker", workerId);
    if (isNothing(promised)) this.#promised.delete(workerId);
    else this.#promised.set(workerId, promised);
    const worker = workerOf(state, workerId);
    if (worker !== null) this.#index.put(this.#viewOf(worker));
  }

  #viewOf(worker: WorkerRecord): WorkerView {
    const view = workerView(worker);
    const promised = this.#promised.get(worker.id);
    return promised === undefined ? view : { ...view, used: added(view.used, promised, 1) };
  }

  /** What is read through the context follows from the state. */
  capture() {
    return { workers: this.#index.capture(), promised: new Map(this.#promised), backIndex: this.#backIndex };
  }

  restore(captured: ReturnType<Room["capture"]>): void {
    this.#index.restore(captured.workers);
    this.#promised = new Map(captured.promised);
    this.#backIndex = captured.backIndex;
    this.#context = null;
  }
}

const NOTHING: Resources = { vcpus: 0, memoryMiB: 0, diskGiB: 0 };

function isNothing({ vcpus, memoryMiB, diskGiB }: Resources): boolean {
  return vcpus === 0 && memoryMiB === 0 && diskGiB === 0;
}

/** Not if it was deleted or stopped meanwhile, or is over. */
function isToRun(state: ClusterState, subject: Subject): boolean {
  if (subject.kind === "vm") {
    const vm = vmOf(state, subject.name);
    return vm !== null && intentOf(vm) === "run";
  }
  return subject.kind === "task" && taskOf(state, subject.id)?.state === "Pending";
}

function sameResources(a: Resources | null, b: Resources): boolean {
  return a !== null && a.vcpus === b.vcpus && a.memoryMiB === b.memoryMiB && a.diskGiB === b.diskGiB;
}

function added(a: Resources, b: Resources, sign: 1 | -1): Resources {
  return {
    vcpus: a.vcpus + sign * b.vcpus,
    memoryMiB: a.memoryMiB + sign * b.memoryMiB,
    diskGiB: a.diskGiB + sign * b.diskGiB,
  };
}
