/**
 * Finds what `chosen(explain(...))` would say of all workers, without asking all of them.
 *
 * Whoever uses it puts a worker again whenever anything of it has changed, or how many VMs are in its domains; all else is read from the context.
 */
import { chosen, explain } from "./explain.ts";
import { costLimit, domainsRefusal } from "./judge.ts";
import { PlacementTree, Search } from "./placement-tree.ts";
import type { PlacementContext, PlacementRequest, WorkerView } from "./types.ts";

/** Workers that have no place in the tree yet, and are asked one by one: the tree is built anew when they are more. */
const NEWCOMERS_MAX = 64;

export class PlacementIndex {
  readonly #workers = new Map<number, WorkerView>();
  #tree: PlacementTree | null = null;
  readonly #newcomers = new Map<number, WorkerView>();

  put(worker: WorkerView): void {
    const before = this.#workers.get(worker.id);
    this.#workers.set(worker.id, worker);
    if (this.#tree !== null && !this.#tree.put(worker, before)) this.#newcomers.set(worker.id, worker);
  }

  clear(): void {
    this.#workers.clear();
    this.#tree = null;
    this.#newcomers.clear();
  }

  workers(): Iterable<WorkerView> {
    return this.#workers.values();
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
    return best.id === Number.POSITIVE_INFINITY ? null : best.id;
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
}
