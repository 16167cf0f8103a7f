/**
 * A cache of unschedulable requests: those that every worker has refused. Each is tried again only with the workers
 * that have changed since. The others would refuse again, so the cache saves time and changes no result.
 */
import type { PlacementContext, PlacementRequest } from "../scheduler/index.ts";

/** Changes of workers that are remembered. */
const CHANGES_MAX = 1024;
/** If more have changed, all are asked. */
const CANDIDATES_MAX = 64;

export class UnschedulableRequests {
  /** Ids of the workers that changed last, in a ring, and how many changes there ever were. */
  #changed: number[] = [];
  #changes = 0;
  /** By name of the VM, how many changes there had been when all workers refused it last. */
  #refusedAt = new Map<string, number>();

  /** There may be more room on a worker than there was, or it may judge otherwise. */
  workerChanged(workerId: number): void {
    this.#changed[this.#changes % CHANGES_MAX] = workerId;
    this.#changes += 1;
  }

  /** The scheduler has other settings: any worker may judge otherwise. */
  settingsChanged(): void {
    this.#refusedAt.clear();
  }

  /** The request is another one, or there is none any more. */
  forget(name: string): void {
    this.#refusedAt.delete(name);
  }

  /**
   * All workers were asked and refused, and it would not help if others had to leave. Not remembered where they may
   * judge otherwise without any change of their own, as when a limit of the tenant is lifted.
   */
  refused(context: PlacementContext, request: PlacementRequest): void {
    if (dependsOnWorkersAlone(context, request)) this.#refusedAt.set(request.name, this.#changes);
    else this.#refusedAt.delete(request.name);
  }

  /** The workers that may take a VM now; null: all have to be asked. */
  candidates(context: PlacementContext, request: PlacementRequest): readonly number[] | null {
    const since = this.#refusedAt.get(request.name);
    if (since === undefined || !dependsOnWorkersAlone(context, request)) return null;
    if (this.#changes - since > CHANGES_MAX) return null;
    const ids = new Set<number>();
    for (let at = since; at < this.#changes; at++) {
      const id = this.#changed[at % CHANGES_MAX];
      if (id !== undefined) ids.add(id);
      if (ids.size > CANDIDATES_MAX) return null;
    }
    return [...ids];
  }

  capture() {
    return { changed: [...this.#changed], changes: this.#changes, refusedAt: new Map(this.#refusedAt) };
  }

  restore(captured: ReturnType<UnschedulableRequests["capture"]>): void {
    this.#changed = [...captured.changed];
    this.#changes = captured.changes;
    this.#refusedAt = new Map(captured.refusedAt);
  }
}

/** Whether the judgement of a worker changes with that worker alone, and not with what happens on others. */
function dependsOnWorkersAlone(
  { settings, tenantPerWorkerMax }: PlacementContext,
  { tenant, antiAffinity }: PlacementRequest,
): boolean {
  if (settings.strategy === "cost" || settings.strategy === "spread") return false;
  if (antiAffinity.some(({ softWeight, scope }) => softWeight === null && scope !== "node")) return false;
  return tenantPerWorkerMax(tenant) === Number.POSITIVE_INFINITY;
}
