/** Moves that even out how full workers are. A plan: nothing moves by itself. */
import { sum } from "../domain/index.ts";
import { judge, promisable } from "./judge.ts";
import type { PlacementContext, PlacementRequest, WorkerView } from "./types.ts";

export interface RebalanceStep {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  /** How much lower the imbalance is after it. */
  readonly gain: number;
}

export interface RebalancePlan {
  /** Imbalance: the standard deviation of how full the online workers are, 0 to 1. */
  readonly before: number;
  readonly after: number;
  readonly moves: readonly RebalanceStep[];
}

/** A move that gains less is not worth an outage. */
const GAIN_MIN = 0.005;

/**
 * At most `movesMax` moves, each VM once, from the fullest worker to wherever the judge allows. `requestsOf` returns
 * the VMs that may move.
 */
export function planRebalance(
  context: PlacementContext,
  workers: Iterable<WorkerView>,
  requestsOf: (workerId: number) => readonly PlacementRequest[],
  movesMax: number,
): RebalancePlan {
  const views = new Map<number, WorkerView>();
  for (const worker of workers) if (worker.status === "online") views.set(worker.id, worker);
  const before = imbalance(context, views);
  const moved = new Set<string>();
  const moves: RebalanceStep[] = [];
  let now = before;
  while (moves.length < movesMax) {
    const step = bestMove(context, views, requestsOf, moved, now);
    if (step === null) break;
    const { move, from, to } = step;
    views.set(from.id, from);
    views.set(to.id, to);
    moved.add(move.name);
    moves.push(move);
    now -= move.gain;
  }
  return { before, after: imbalance(context, views), moves };
}

function bestMove(
  context: PlacementContext,
  views: Map<number, WorkerView>,
  requestsOf: (workerId: number) => readonly PlacementRequest[],
  moved: ReadonlySet<string>,
  now: number,
): { readonly move: RebalanceStep; readonly from: WorkerView; readonly to: WorkerView } | null {
  const byFill = [...views.values()].sort((a, b) => fill(context, b) - fill(context, a) || a.id - b.id);
  const fullest = byFill[0];
  if (fullest === undefined) return null;
  let best: { readonly move: RebalanceStep; readonly from: WorkerView; readonly to: WorkerView } | null = null;
  for (const request of requestsOf(fullest.id)) {
    if (moved.has(request.name)) continue;
    // The emptiest that takes it: whoever is fuller gains less.
    for (let at = byFill.length - 1; at > 0; at--) {
      const target = byFill[at];
      if (target === undefined || judge(context, target, request).refusal !== null) continue;
      const from = { ...fullest, used: sum(fullest.used, request.resources, -1) };
      const to = { ...target, used: sum(target.used, request.resources, 1) };
      const gain = now - imbalance(context, new Map(views).set(from.id, from).set(to.id, to));
      if (gain >= GAIN_MIN && (best === null || gain > best.move.gain))
        best = { move: { name: request.name, from: from.id, to: to.id, gain }, from, to };
      break;
    }
  }
  return best;
}

function fill(context: PlacementContext, worker: WorkerView): number {
  const promised = promisable(context, worker);
  const share = (used: number, total: number): number => (total <= 0 ? 1 : used / total);
  return Math.max(
    share(worker.used.vcpus, promised.vcpus),
    share(worker.used.memoryMiB, promised.memoryMiB),
    share(worker.used.diskGiB, promised.diskGiB),
  );
}

function imbalance(context: PlacementContext, views: ReadonlyMap<number, WorkerView>): number {
  if (views.size === 0) return 0;
  let total = 0;
  let squares = 0;
  for (const worker of views.values()) {
    const full = fill(context, worker);
    total += full;
    squares += full * full;
  }
  const mean = total / views.size;
  return Math.sqrt(Math.max(0, squares / views.size - mean * mean));
}
