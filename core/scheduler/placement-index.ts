/** Everything that `explain` would say, kept so that the best is found without asking everybody. */
import { chosen, explain } from "./explain.ts";
import type { PlacementContext, PlacementRequest, WorkerView } from "./types.ts";

export class PlacementIndex {
  readonly #workers = new Map<number, WorkerView>();

  put(worker: WorkerView): void {
    this.#workers.set(worker.id, worker);
  }

  clear(): void {
    this.#workers.clear();
  }

  workers(): Iterable<WorkerView> {
    return this.#workers.values();
  }

  choose(context: PlacementContext, request: PlacementRequest): number | null {
    return chosen(explain(context, this.#workers.values(), request));
  }
}
