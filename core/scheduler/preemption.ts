/**
 * Which VMs have to stop so that a more important request fits, and where: the least disruptive set on one worker.
 *
 * Least disruptive means: the highest priority among the victims is as low as possible; then there are few of them;
 * then the worker id is low. Only preemptible VMs of lower priority are victims, and none without need: with any one of
 * them left, the request would not fit. (The smallest set of all would mean trying every set. A set is found wherever
 * there is one.)
 *
 * Preemption makes room, and nothing else. A worker that refuses because of a tenant's quota or a hard anti-affinity
 * rule is skipped, even if a VM of lower priority is the cause: room is reserved for the request while the victims
 * leave, but a place in a group is not, and could be taken meanwhile.
 */
import { assert, NO_RESOURCES, RESOURCES, type Resources } from "../domain/index.ts";
import { judge, roomFor } from "./judge.ts";
import type { Occupant, PlacementContext, PlacementRequest, PreemptionPlan, WorkerView } from "./types.ts";

/** Those on one worker that may be made to go, as far as it does not depend on the request. */
export interface Candidates {
  /** The lowest priority first. */
  readonly occupants: readonly Occupant[];
  /** The most that any one of them holds. */
  readonly largest: Resources;
}

export function candidatesOf(occupants: readonly Occupant[]): Candidates {
  const preemptible = occupants.filter((one) => one.preemptible).sort((a, b) => a.priority - b.priority);
  const largest = { vcpus: 0, memoryMiB: 0, diskGiB: 0 };
  for (const { resources } of preemptible) {
    for (const resource of RESOURCES) largest[resource] = Math.max(largest[resource], resources[resource]);
  }
  return { occupants: preemptible, largest };
}

export function planPreemption(
  context: PlacementContext,
  workers: Iterable<WorkerView>,
  candidatesOn: (workerId: number) => Candidates,
  request: PlacementRequest,
): PreemptionPlan | null {
  if (!context.settings.preemption) return null;
  let best: Choice | null = null;
  for (const worker of workers) {
    const candidates = candidatesOn(worker.id);
    // Most workers are passed over here: the others cost a hundred times as much.
    const missing = missingOn(context, worker, request);
    if (!mayBeLessDisruptive(missing, candidates, request, worker.id, best)) continue;
    // As if all that is used could go: what still refuses then is another rule, or a worker that is too small.
    if (judge(context, { ...worker, used: NO_RESOURCES }, request).refusal !== null) continue;
    const victims = victimsFor(missing, candidates.occupants, request.priority);
    if (victims === null) continue;
    const choice = { workerId: worker.id, victims, highest: Math.max(...victims.map(({ priority }) => priority)) };
    if (best === null || isLessDisruptive(choice.highest, victims.length, worker.id, best)) best = choice;
  }
  if (best === null) return null;
  for (const { name, preemptible, priority } of best.victims)
    assert(preemptible && priority < request.priority, "a VM is about to be preempted that must not be", name);
  return { workerId: best.workerId, victims: best.victims.map(({ name }) => name).sort() };
}

interface Choice {
  readonly workerId: number;
  readonly victims: readonly Occupant[];
  readonly highest: number;
}

function isLessDisruptive(highest: number, count: number, workerId: number, than: Choice): boolean {
  if (highest !== than.highest) return highest < than.highest;
  if (count !== than.victims.length) return count < than.victims.length;
  return workerId < than.workerId;
}

/**
 * False: whatever is found there is no better than what there is; or nothing is. Without a look at who exactly would
 * go.
 */
function mayBeLessDisruptive(
  missing: Resources,
  { occupants, largest }: Candidates,
  { priority }: PlacementRequest,
  workerId: number,
  best: Choice | null,
): boolean {
  const highest = highestToGo(missing, occupants, Math.min(priority - 1, best?.highest ?? priority));
  if (highest === null) return false;
  let countMin = 0;
  for (const resource of RESOURCES) {
    if (missing[resource] > 0) countMin = Math.max(countMin, Math.ceil(missing[resource] / largest[resource]));
  }
  return best === null || isLessDisruptive(highest, countMin, workerId, best);
}

/** The priority up to which all would have to go at the least; null: it is above `max`, or nothing is missing. */
function highestToGo(missing: Resources, occupants: readonly Occupant[], max: number): number | null {
  let { vcpus, memoryMiB, diskGiB } = missing;
  if (vcpus <= 0 && memoryMiB <= 0 && diskGiB <= 0) return null;
  for (const { priority, resources } of occupants) {
    if (priority > max) return null;
    vcpus -= resources.vcpus;
    memoryMiB -= resources.memoryMiB;
    diskGiB -= resources.diskGiB;
    if (vcpus <= 0 && memoryMiB <= 0 && diskGiB <= 0) return priority;
  }
  return null;
}

/** What the worker would need to have free beyond what it has. */
function missingOn(context: PlacementContext, worker: WorkerView, request: PlacementRequest): Resources {
  const room = roomFor(context, worker, request);
  const missing = (resource: keyof Resources): number => Math.max(0, request.resources[resource] - room[resource]);
  return { vcpus: missing("vcpus"), memoryMiB: missing("memoryMiB"), diskGiB: missing("diskGiB") };
}

function victimsFor(missing: Resources, occupants: readonly Occupant[], priority: number): readonly Occupant[] | null {
  const lower = occupants.filter((one) => one.priority < priority);
  // Lowest priority first. Within one priority those that give most of what is missing, so that few have to go.
  lower.sort((a, b) => a.priority - b.priority || give(b, missing) - give(a, missing) || (a.name < b.name ? -1 : 1));
  let victims: Occupant[] = [];
  for (const candidate of lower) {
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
