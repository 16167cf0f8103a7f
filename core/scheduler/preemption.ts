/**
 * Who has to go so that somebody more important fits: the least disruptive set on one worker.
 *
 * Least disruptive: the highest priority among those who go is as low as can be; then they are as few as can be; then the lower worker id. Only who is
 * preemptible and of lower priority goes, and nobody without need: with any one of them left where it is, the request would not fit.
 */
import { judge, promisable, RESOURCES } from "./judge.ts";
import type { Occupant, PlacementContext, PlacementRequest, PreemptionPlan, Resources, WorkerView } from "./types.ts";

export function planPreemption(
  context: PlacementContext,
  workers: Iterable<WorkerView>,
  occupantsOf: (workerId: number) => readonly Occupant[],
  request: PlacementRequest,
): PreemptionPlan | null {
  if (!context.settings.preemption) return null;
  let best: { readonly worker: WorkerView; readonly victims: readonly Occupant[]; readonly highest: number } | null =
    null;
  for (const worker of workers) {
    const missing = missingOn(context, worker, request);
    if (missing === null) continue;
    const victims = victimsFor(missing, occupantsOf(worker.id), request.priority);
    if (victims === null) continue;
    const highest = Math.max(...victims.map(({ priority }) => priority));
    const isBetter =
      best === null ||
      highest < best.highest ||
      (highest === best.highest &&
        (victims.length < best.victims.length ||
          (victims.length === best.victims.length && worker.id < best.worker.id)));
    if (isBetter) best = { worker, victims, highest };
  }
  if (best === null) return null;
  return { workerId: best.worker.id, victims: best.victims.map(({ name }) => name).sort() };
}

/** What the worker would need to have free beyond what it has; null: it lacks nothing, or something that nobody's leaving would give it. */
function missingOn(context: PlacementContext, worker: WorkerView, request: PlacementRequest): Resources | null {
  // As if all that is used could go: what still refuses then is another rule, or a worker that is too small.
  const { refusal } = judge(context, { ...worker, used: { vcpus: 0, memoryMiB: 0, diskGiB: 0 } }, request);
  if (refusal !== null) return null;
  const promised = promisable(context, worker);
  const missing = { vcpus: 0, memoryMiB: 0, diskGiB: 0 };
  let any = false;
  for (const resource of RESOURCES) {
    const free = promised[resource] - worker.used[resource] - worker.reserved[resource];
    missing[resource] = Math.max(0, request.resources[resource] - free);
    any ||= missing[resource] > 0;
  }
  return any ? missing : null;
}

function victimsFor(missing: Resources, occupants: readonly Occupant[], priority: number): readonly Occupant[] | null {
  const candidates = occupants.filter((one) => one.preemptible && one.priority < priority);
  // Lowest priority first. Within one priority those that give most of what is missing, so that few have to go.
  candidates.sort(
    (a, b) => a.priority - b.priority || give(b, missing) - give(a, missing) || (a.name < b.name ? -1 : 1),
  );
  let victims: Occupant[] = [];
  for (const candidate of candidates) {
    if (isEnough(victims, missing)) break;
    victims.push(candidate);
  }
  if (!isEnough(victims, missing)) return null;
  // The most important first: whoever turns out not to be needed stays.
  for (const victim of [...victims].reverse()) {
    const others = victims.filter((one) => one !== victim);
    if (isEnough(others, missing)) victims = others;
  }
  return victims;
}

/** The share of what is missing that one would give, summed over what is missing. */
function give({ resources }: Occupant, missing: Resources): number {
  let share = 0;
  for (const resource of RESOURCES) {
    if (missing[resource] > 0) share += Math.min(1, resources[resource] / missing[resource]);
  }
  return share;
}

function isEnough(victims: readonly Occupant[], missing: Resources): boolean {
  for (const resource of RESOURCES) {
    let given = 0;
    for (const victim of victims) given += victim.resources[resource];
    if (given < missing[resource]) return false;
  }
  return true;
}
