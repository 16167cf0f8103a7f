/**
 * Finds what `chosen(explain(...))` would answer without asking every worker, and what `planPreemption` would answer
 * without counting what runs on each.
 *
 * The caller must `put` a worker again whenever anything about it changes, or which VMs are on it, or how many VMs
 * are in its domains. Everything else is read from the context.
 */
import { assert } from "../domain/index.ts";
import { chosen, explain } from "./explain.ts";
import { costLimit, domainsRefusal, judge } from "./judge.ts";
import { PlacementTree, Search } from "./placement-tree.ts";
import { type Candidates, candidatesOf, planPreemption } from "./preemption.ts";
import type { Occupant, PlacementContext, PlacementRequest, PreemptionPlan, WorkerView } from "./types.ts";

/** Workers that have no place in the tree yet, and are asked one by one: the tree is built anew when they are more. */
const NEWCOMERS_MAX = 64;

export class PlacementIndex {
  readonly #workers = new Map<number, WorkerView>();
  #tree: PlacementTree | null = null;
  readonly #newcomers = new Map<number, WorkerView>();
  /** By worker, as far as somebody has asked since it was put. */
  readonly #candidates = new Map<number, Candidates>();

  put(worker: WorkerView): void {
    const before = this.#workers.get(worker.id);
    this.#workers.set(worker.id, worker);
    this.#candidates.delete(worker.id);
    if (this.#tree !== null && !this.#tree.put(worker, before)) this.#newcomers.set(worker.id, worker);
  }

  /** As it was put last. */
  get(workerId: number): WorkerView | undefined {
    return this.#workers.get(workerId);
  }

  /** Rebuilds the tree when next asked: workers go seldom. */
  delete(workerId: number): void {
    if (!this.#workers.delete(workerId)) return;
    this.#candidates.delete(workerId);
    if (!this.#newcomers.delete(workerId)) this.#tree = null;
  }

  clear(): void {
    this.#workers.clear();
    this.#tree = null;
    this.#newcomers.clear();
    this.#candidates.clear();
  }

  choose(context: PlacementContext, request: PlacementRequest): number | null {
    if (request.pinnedTo !== null) {
      const pinned = this.#workers.get(request.pinnedTo);
      return pinned === undefined ? null : chosen(explain(context, [pinned], request));
    }
    if (domainsRefusal(context) !== null) return null;
    const tree = this.#refreshed(context);
    let costMax = Number.POSITIVE_INFINITY;
    if (context.settings.strategy === "cost") {
      const cheapest = -this.#search(tree, new Search(context, request, "price")).best.score;
      if (cheapest === Number.POSITIVE_INFINITY) return null;
      costMax = costLimit(context.settings, cheapest);
    }
    const { best } = this.#search(tree, new Search(context, request, { costMax }));
    if (best.id === Number.POSITIVE_INFINITY) return null;
    this.#check(context, best.id, request);
    return best.id;
  }

  /**
   * The tree finds the worker, and the worker as it was put last takes the request: so what is chosen never exceeds
   * what may be promised there, even if the tree were wrong.
   */
  #check(context: PlacementContext, workerId: number, request: PlacementRequest): void {
    const worker = this.#workers.get(workerId);
    const isTaken = worker !== undefined && judge(context, worker, request).refusal === null;
    assert(isTaken, `the chosen worker takes what is placed there: ${request.name} on worker`, workerId);
  }

  /** @param among only these workers; null: all. */
  planPreemption(
    context: PlacementContext,
    occupantsOf: (workerId: number) => readonly Occupant[],
    request: PlacementRequest,
    among: readonly number[] | null,
  ): PreemptionPlan | null {
    const workers = among?.flatMap((id) => this.#workers.get(id) ?? []) ?? this.#workers.values();
    const candidatesOn = (workerId: number): Candidates => {
      let candidates = this.#candidates.get(workerId);
      if (candidates === undefined) {
        candidates = candidatesOf(occupantsOf(workerId));
        this.#candidates.set(workerId, candidates);
      }
      return candidates;
    };
    return planPreemption(context, workers, candidatesOn, request);
  }

  #search(tree: PlacementTree, search: Search): Search {
    for (const worker of this.#newcomers.values()) search.consider(worker);
    // The one worker where it may find more room than others would.
    const nominated = search.request.nominatedTo === null ? undefined : this.#workers.get(search.request.nominatedTo);
    if (nominated !== undefined) search.consider(nominated);
    tree.search(search);
    return search;
  }

  #refreshed(context: PlacementContext): PlacementTree {
    let tree = this.#tree;
    if (tree === null || tree.settings !== context.settings || this.#newcomers.size > NEWCOMERS_MAX) {
      tree = new PlacementTree(context, this.#workers.values());
      this.#tree = tree;
      this.#newcomers.clear();
    } else {
      tree.refresh(context);
    }
    return tree;
  }

  /** All that was put. The tree follows from it, and chooses alike however it has grown. */
  capture() {
    return [...this.#workers.values()];
  }

  restore(captured: ReturnType<PlacementIndex["capture"]>): void {
    this.clear();
    for (const worker of captured) this.put(worker);
  }
}
