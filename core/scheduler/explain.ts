/** What every worker says to a request, and what follows. */
import type { Resources } from "../domain/index.ts";
import { costLimit, judge } from "./judge.ts";
import type { Judgement, PlacementContext, PlacementRequest, WorkerView } from "./types.ts";

/**
 * The judgements of all workers: first those that take the request, best first; then those that refuse, by id. The
 * order of `workers` does not matter.
 *
 * With the strategy "cost", workers that cost more than `costIncreasePercentMax` above the cheapest refuse, and among
 * the others the most available wins.
 */
export function explain(
  context: PlacementContext,
  workers: Iterable<WorkerView>,
  request: PlacementRequest,
): readonly Judgement[] {
  let takers: Taker[] = [];
  const refusers: Judgement[] = [];
  for (const worker of workers) {
    const judgement = judge(context, worker, request);
    if (judgement.refusal === null) takers.push({ judgement, worker });
    else refusers.push(judgement);
  }
  if (context.settings.strategy === "cost") {
    const limit = costLimit(context.settings, Math.min(...takers.map(({ worker }) => worker.costPerHour)));
    for (const { worker } of takers) {
      const { id: workerId, costPerHour } = worker;
      if (costPerHour > limit)
        refusers.push({ workerId, score: null, refusal: { kind: "tooExpensive", costPerHour, limit } });
    }
    takers = takers.filter(({ worker }) => worker.costPerHour <= limit);
  }
  const accepted = takers.map(({ judgement }) => judgement);
  accepted.sort((a, b) => b.score - a.score || a.workerId - b.workerId);
  refusers.sort((a, b) => a.workerId - b.workerId);
  return [...accepted, ...refusers];
}

interface Taker {
  readonly judgement: Judgement & { readonly refusal: null };
  readonly worker: WorkerView;
}

/** The best of them; null: nobody takes it. */
export function chosen(judgements: readonly Judgement[]): number | null {
  const best = judgements[0];
  return best === undefined || best.refusal !== null ? null : best.workerId;
}

/** Why nobody takes it, counted: what a person wants to read first. */
export interface RefusalCount {
  readonly kind: string;
  readonly resource: keyof Resources | null;
  readonly count: number;
  /** Of an insufficient resource: what is needed, and the most that any of these workers has free. */
  readonly needed: number | null;
  readonly free: number | null;
}

export function countRefusals(judgements: readonly Judgement[]): readonly RefusalCount[] {
  const counts = new Map<string, RefusalCount>();
  for (const { refusal } of judgements) {
    if (refusal === null) continue;
    const resource = refusal.kind === "insufficient" ? refusal.resource : null;
    const key = `${refusal.kind} ${resource ?? ""}`;
    const before = counts.get(key);
    const free = refusal.kind === "insufficient" ? Math.max(refusal.free, before?.free ?? 0) : null;
    const needed = refusal.kind === "insufficient" ? refusal.needed : null;
    counts.set(key, { kind: refusal.kind, resource, count: (before?.count ?? 0) + 1, needed, free });
  }
  return [...counts.values()].sort((a, b) => b.count - a.count || (a.kind < b.kind ? -1 : 1));
}
