/**
 * Workers as the leaves of a balanced binary tree. Each node has bounds for what is below it: the best base score,
 * the most room of each resource, the features that exist at all. So the search skips subtrees that cannot contain
 * the best worker. `judge` alone decides in the end: a bound that is too high costs time, and one that is too low
 * would be a defect.
 *
 * Workers of one kind are next to each other: those with the same rare features, or the same cost. A request that
 * only some workers can serve finds them, and their bounds are not blurred by others. Within a kind, the workers of a
 * datacenter, a zone and a rack are one node each, because the rules of a request name these domains: a rack that is
 * full of its group is skipped as a whole, and one more VM in a domain changes the scores of all its workers at once.
 */
import { domainOf, RESOURCES, type Resources, type SchedulerSettings } from "../domain/index.ts";
import {
  baseScore,
  freeFraction,
  judge,
  preference,
  roomFor,
  roundRobinScore,
  rulesRefusal,
  SHARED,
  type Shared,
  spreadScore,
} from "./judge.ts";
import type { PlacementContext, PlacementRequest, WorkerView } from "./types.ts";

const NONE = -1;
/**
 * The best score of all is of no use where the best are those without room: so the best of those is kept that have
 * room for this many processors at least, and of those for this many GiB of memory. Most requests are of one of these
 * sizes.
 */
const SIZES: readonly number[] = [0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64];
const MEMORY_UNIT_MIB = 1024;
/** Features with a bit of their own; all others share the last one. */
const FEATURE_BITS = 31;
/** If more sets of features are there, they make no kinds: each kind splits racks apart. */
const FEATURE_SETS_MAX = 8;

/** The best so far. Of equals the lower id is better. */
export class Best {
  score = Number.NEGATIVE_INFINITY;
  id = Number.POSITIVE_INFINITY;

  offer(score: number, id: number): void {
    if (this.#isBeatenBy(score, id)) {
      this.score = score;
      this.id = id;
    }
  }

  /** Whether somebody with at most that score, and at least that id, might be better. */
  mayBeBeatenBy(scoreMax: number, idMin: number): boolean {
    return scoreMax !== Number.NEGATIVE_INFINITY && this.#isBeatenBy(scoreMax, idMin);
  }

  #isBeatenBy(score: number, id: number): boolean {
    return score > this.score || (score === this.score && id < this.id);
  }
}

/** Which worker is looked for: the best of those that take the request, or only the price of the cheapest. */
export class Search {
  readonly context: PlacementContext;
  readonly request: PlacementRequest;
  readonly costMax: number;
  readonly isForPrice: boolean;
  readonly best = new Best();
  readonly vcpuSize: number;
  readonly memorySize: number;
  /** Set by the tree. */
  features = 0;

  constructor(context: PlacementContext, request: PlacementRequest, goal: { readonly costMax: number } | "price") {
    this.context = context;
    this.request = request;
    this.isForPrice = goal === "price";
    this.vcpuSize = sizeOf(request.resources.vcpus);
    this.memorySize = SIZES.length + sizeOf(request.resources.memoryMiB / MEMORY_UNIT_MIB);
    this.costMax = goal === "price" ? Number.POSITIVE_INFINITY : goal.costMax;
  }

  consider(worker: WorkerView): void {
    if (worker.costPerHour > this.costMax) return;
    const { score } = judge(this.context, worker, this.request);
    if (score === null) return;
    if (this.isForPrice) this.best.offer(-worker.costPerHour, 0);
    else this.best.offer(score, worker.id);
  }
}

/** What is known of all workers below a node. */
interface Known {
  /** What the request adds to the score of each of them, at most. */
  readonly preferred: number;
  /** Of "spread": VMs in the domain that they are all in; none: they are in several, or it is in the bound. */
  readonly count: number;
}

export class PlacementTree {
  readonly settings: SchedulerSettings;
  /** In the order of the leaves. */
  readonly #workers: WorkerView[];
  readonly #order: Order;
  /** By id. */
  readonly #leaves = new Map<number, number>();
  readonly #dirty = new Set<number>();

  // By node. A node comes before those below it.
  readonly #left: Int32Array;
  readonly #right: Int32Array;
  readonly #parent: Int32Array;
  /** Its workers: from the first to before the last. */
  readonly #from: Int32Array;
  readonly #to: Int32Array;
  readonly #shared: Uint8Array;
  readonly #idMin: Float64Array;
  /** In turn by size of processors, and by size of memory. */
  readonly #base: Float64Array;
  readonly #room: Readonly<Record<keyof Resources, Float64Array>>;
  readonly #costMin: Float64Array;
  readonly #features: Int32Array;

  readonly #featureBits = new Map<string, number>();
  /** Of "spread": the nodes of each domain, one of each kind, and how many VMs are in it; none elsewhere. */
  readonly #domains = new Map<string, number[]>();
  readonly #count: Float64Array;
  /**
   * Of "round-robin": for each level of the tree the ids below each of its nodes, in order, where the node's workers
   * are.
   */
  readonly #ids: Float64Array[] = [];
  readonly #level: Uint8Array;

  constructor(context: PlacementContext, workers: Iterable<WorkerView>) {
    const { settings } = context;
    this.settings = settings;
    const views = [...workers];
    const featureSets = new Set(views.map(({ features }) => features.join()));
    const order = { byCost: settings.strategy === "cost", byFeatures: featureSets.size <= FEATURE_SETS_MAX };
    this.#order = order;
    this.#workers = views.sort((a, b) => inOrder(order, a, b));
    const nodes = Math.max(0, 2 * this.#workers.length - 1);
    this.#left = new Int32Array(nodes).fill(NONE);
    this.#right = new Int32Array(nodes).fill(NONE);
    this.#parent = new Int32Array(nodes).fill(NONE);
    this.#from = new Int32Array(nodes);
    this.#to = new Int32Array(nodes);
    this.#shared = new Uint8Array(nodes);
    this.#level = new Uint8Array(nodes);
    this.#idMin = new Float64Array(nodes);
    this.#base = new Float64Array(nodes * BASES);
    const room = () => new Float64Array(nodes);
    this.#room = { vcpus: room(), memoryMiB: room(), diskGiB: room() };
    this.#count = new Float64Array(nodes).fill(NONE);
    this.#costMin = new Float64Array(nodes);
    this.#features = new Int32Array(nodes);
    this.#build();
    for (let node = nodes - 1; node >= 0; node--) this.#update(context, node);
  }

  /**
   * @param before as it was put last, if ever.
   * @returns false: it has no leaf where it stands now. The tree knows it no more.
   */
  put(worker: WorkerView, before: WorkerView | undefined): boolean {
    // Its VMs count in the domain where it stood, and in the one where it stands.
    this.#domainChanged(worker);
    const leaf = this.#leaves.get(worker.id);
    if (leaf !== undefined && before !== undefined) {
      const stays = inOrder(this.#order, before, worker) === 0;
      this.#workers[this.#from[leaf] ?? NONE] = stays ? worker : { ...before, status: "offline" };
      this.#dirty.add(leaf);
      if (stays) return true;
      this.#leaves.delete(worker.id);
    }
    if (before !== undefined) this.#domainChanged(before);
    return false;
  }

  #domainChanged(worker: WorkerView): void {
    if (this.settings.strategy !== "spread") return;
    for (const node of this.#domains.get(domainOf(this.settings.spreadScope, worker)) ?? []) this.#dirty.add(node);
  }

  /** Takes in what was put. */
  refresh(context: PlacementContext): void {
    for (const changed of this.#dirty) {
      let node = changed;
      while (node !== NONE && this.#update(context, node)) node = this.#parent[node] ?? NONE;
    }
    this.#dirty.clear();
  }

  /** Considers whoever may be the best. */
  search(search: Search): void {
    if (this.#workers.length === 0) return;
    search.features = 0;
    for (const feature of search.request.features) {
      const bit = this.#featureBits.get(feature);
      if (bit === undefined) return;
      search.features |= bit;
    }
    this.#visit(search, 0, { preferred: this.#preference(search, 0), count: NONE });
  }

  // ---- Shape

  #build(): void {
    const workers = this.#workers;
    // What each has in common with the one before it; those of different kinds less than nothing, so that they are
    // parted first.
    const common = workers.map((worker, at) => {
      const before = workers[at - 1];
      if (before === undefined) return SHARED.nothing;
      return kindOrder(this.#order, before, worker) === 0 ? sharedBy(before, worker) : NONE;
    });
    let nodes = 0;
    const build = (from: number, to: number, parent: number, level: number): number => {
      const node = nodes++;
      this.#parent[node] = parent;
      this.#from[node] = from;
      this.#to[node] = to;
      this.#level[node] = level;
      this.#sortIds(from, to, level);
      if (to - from === 1) {
        this.#shared[node] = SHARED.node;
        this.#leaves.set(workers[from]?.id ?? NONE, node);
      } else {
        const split = splitOf(common, from, to);
        this.#shared[node] = Math.max(SHARED.nothing, common[split] ?? SHARED.nothing);
        this.#left[node] = build(from, split, node, level + 1);
        this.#right[node] = build(split, to, node, level + 1);
      }
      if (this.#isDomain(node)) {
        const domain = this.#domainOf(node);
        const nodesOfDomain = this.#domains.get(domain);
        if (nodesOfDomain === undefined) this.#domains.set(domain, [node]);
        else nodesOfDomain.push(node);
      }
      return node;
    };
    if (workers.length > 0) build(0, workers.length, NONE, 0);
  }

  #sortIds(from: number, to: number, level: number): void {
    if (this.settings.strategy !== "round-robin") return;
    let ids = this.#ids[level];
    if (ids === undefined) {
      ids = new Float64Array(this.#workers.length);
      this.#ids.push(ids);
    }
    for (let at = from; at < to; at++) ids[at] = this.#workers[at]?.id ?? NONE;
    ids.subarray(from, to).sort();
  }

  /** Whether it is all of one domain that "spread" counts in. */
  #isDomain(node: number): boolean {
    const { strategy, spreadScope } = this.settings;
    if (strategy !== "spread" || (this.#shared[node] ?? 0) < SHARED[spreadScope]) return false;
    const parent = this.#parent[node] ?? NONE;
    return parent === NONE || (this.#shared[parent] ?? 0) < SHARED[spreadScope];
  }

  #domainOf(node: number): string {
    return domainOf(this.settings.spreadScope, this.#workerOf(node));
  }

  /** The first of the node's workers. */
  #workerOf(node: number): WorkerView {
    const worker = this.#workers[this.#from[node] ?? NONE];
    if (worker === undefined) throw new RangeError(`no worker below node ${node}`);
    return worker;
  }

  // ---- Bounds

  /** Whether anything has changed. */
  #update(context: PlacementContext, node: number): boolean {
    const [left, right] = [this.#left[node] ?? NONE, this.#right[node] ?? NONE];
    if (this.#isDomain(node)) this.#count[node] = context.domainCount(this.#domainOf(node));
    if (left !== NONE) return this.#updateInner(node, left, right);
    this.#updateLeaf(context, node);
    return true;
  }

  #updateInner(node: number, left: number, right: number): boolean {
    let hasChanged = false;
    const set = (bounds: Float64Array | Int32Array, at: number, bound: number): void => {
      hasChanged ||= bounds[at] !== bound;
      bounds[at] = bound;
    };
    for (const resource of RESOURCES) {
      const room = this.#room[resource];
      set(room, node, Math.max(room[left] ?? 0, room[right] ?? 0));
    }
    set(this.#costMin, node, Math.min(this.#costMin[left] ?? 0, this.#costMin[right] ?? 0));
    set(this.#idMin, node, Math.min(this.#idMin[left] ?? 0, this.#idMin[right] ?? 0));
    set(this.#features, node, (this.#features[left] ?? 0) | (this.#features[right] ?? 0));
    const base = this.#base;
    for (let at = 0; at < BASES; at++) {
      const best = Math.max(base[left * BASES + at] ?? 0, base[right * BASES + at] ?? 0);
      set(base, node * BASES + at, this.#inDomain(node, best));
    }
    return hasChanged;
  }

  #updateLeaf(context: PlacementContext, node: number): void {
    const worker = this.#workerOf(node);
    const isOpen = worker.status === "online";
    const room = roomFor(context, worker, null);
    for (const resource of RESOURCES) this.#room[resource][node] = isOpen ? room[resource] : Number.NEGATIVE_INFINITY;
    this.#costMin[node] = isOpen ? worker.costPerHour : Number.POSITIVE_INFINITY;
    this.#idMin[node] = worker.id;
    let features = 0;
    for (const feature of worker.features) features |= this.#bitOf(feature);
    this.#features[node] = features;
    const base = this.settings.strategy === "spread" ? freeFraction(context, worker) : baseScore(context, worker);
    const score = this.#inDomain(node, base);
    const vcpuSize = sizeOf(this.#room.vcpus[node] ?? 0);
    const memorySize = sizeOf((this.#room.memoryMiB[node] ?? 0) / MEMORY_UNIT_MIB);
    for (let size = 0; size < SIZES.length; size++) {
      this.#base[node * BASES + size] = size <= vcpuSize ? score : Number.NEGATIVE_INFINITY;
      this.#base[node * BASES + SIZES.length + size] = size <= memorySize ? score : Number.NEGATIVE_INFINITY;
    }
  }

  /**
   * Of "spread": what follows from the domain of a worker is in the bounds of the domain's node and those above it;
   * below it is the room alone.
   */
  #inDomain(node: number, base: number): number {
    const count = this.#count[node] ?? NONE;
    return count === NONE ? base : spreadScore(count, base);
  }

  #bitOf(feature: string): number {
    let bit = this.#featureBits.get(feature);
    if (bit === undefined) {
      bit = 1 << Math.min(this.#featureBits.size, FEATURE_BITS);
      this.#featureBits.set(feature, bit);
    }
    return bit;
  }

  // ---- Search

  #visit(search: Search, node: number, above: Known): void {
    const [left, right] = [this.#left[node] ?? NONE, this.#right[node] ?? NONE];
    if (left === NONE) {
      search.consider(this.#workerOf(node));
      return;
    }
    const count = this.#count[node] ?? NONE;
    const known = count === NONE ? above : { ...above, count };
    const [ofLeft, ofRight] = [this.#bound(search, left, known), this.#bound(search, right, known)];
    const isLeftFirst =
      ofLeft > ofRight || (ofLeft === ofRight && (this.#idMin[left] ?? 0) < (this.#idMin[right] ?? 0));
    if (isLeftFirst) {
      this.#visitIfWorth(search, left, ofLeft, known);
      this.#visitIfWorth(search, right, ofRight, known);
    } else {
      this.#visitIfWorth(search, right, ofRight, known);
      this.#visitIfWorth(search, left, ofLeft, known);
    }
  }

  #visitIfWorth(search: Search, node: number, bound: number, above: Known): void {
    const idMin = search.isForPrice ? 0 : (this.#idMin[node] ?? 0);
    if (!search.best.mayBeBeatenBy(bound, idMin)) return;
    let known = above;
    const shared = this.#shared[node];
    // Those below have more in common than those above: the rules may say more of them.
    if (shared !== SHARED.node && shared !== this.#shared[this.#parent[node] ?? NONE]) {
      const preferred = this.#preference(search, node);
      if (preferred !== above.preferred) {
        known = { ...above, preferred };
        if (!search.best.mayBeBeatenBy(this.#bound(search, node, known), idMin)) return;
      }
    }
    this.#visit(search, node, known);
  }

  /** No worker below has more; minus infinity: none of them takes it. */
  #bound(search: Search, node: number, { preferred, count }: Known): number {
    const { resources } = search.request;
    const refuses =
      ((this.#features[node] ?? 0) & search.features) !== search.features ||
      (this.#room.vcpus[node] ?? 0) < resources.vcpus ||
      (this.#room.memoryMiB[node] ?? 0) < resources.memoryMiB ||
      (this.#room.diskGiB[node] ?? 0) < resources.diskGiB ||
      (this.#costMin[node] ?? 0) > search.costMax ||
      preferred === Number.NEGATIVE_INFINITY;
    if (refuses) return Number.NEGATIVE_INFINITY;
    if (search.isForPrice) return -(this.#costMin[node] ?? 0);
    if (this.#ids.length > 0) return this.#roundRobinBase(search.context.cursor, node) + preferred;
    const byVcpus = this.#base[node * BASES + search.vcpuSize] ?? 0;
    const byMemory = this.#base[node * BASES + search.memorySize] ?? 0;
    const base = Math.min(byVcpus, byMemory);
    return (count === NONE ? base : spreadScore(count, base)) + preferred;
  }

  /** What the request adds to the score of each worker below at most; minus infinity: all of them refuse it. */
  #preference({ context, request }: Search, node: number): number {
    const shared = this.#sharedOf(node);
    const worker = this.#workerOf(node);
    if (rulesRefusal(context, worker, request, shared) !== null) return Number.NEGATIVE_INFINITY;
    return preference(context, worker, request, shared);
  }

  #sharedOf(node: number): Shared {
    return STEPS[this.#shared[node] ?? 0] ?? SHARED.nothing;
  }

  #roundRobinBase(cursor: number, node: number): number {
    const ids = this.#ids[this.#level[node] ?? 0];
    const [from, to] = [this.#from[node] ?? 0, this.#to[node] ?? 0];
    if (ids === undefined) return Number.POSITIVE_INFINITY;
    let [low, high] = [from, to];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((ids[middle] ?? 0) <= cursor) low = middle + 1;
      else high = middle;
    }
    return roundRobinScore(cursor, ids[low < to ? low : from] ?? 0);
  }
}

const BASES = 2 * SIZES.length;

/** The largest size that is not above; below 0: there is no room at all. */
function sizeOf(amount: number): number {
  let size = SIZES.length - 1;
  while (size >= 0 && (SIZES[size] ?? 0) > amount) size--;
  return size;
}

const STEPS: readonly Shared[] = [SHARED.nothing, SHARED.datacenter, SHARED.zone, SHARED.rack, SHARED.node];

function sharedBy({ topology: a }: WorkerView, { topology: b }: WorkerView): Shared {
  if (a.datacenter !== b.datacenter) return SHARED.nothing;
  if (a.zone !== b.zone) return SHARED.datacenter;
  return a.rack === b.rack ? SHARED.rack : SHARED.zone;
}

/** What makes a kind of its own. */
interface Order {
  readonly byCost: boolean;
  readonly byFeatures: boolean;
}

/** Negative: `a` has its leaf before `b`; 0: they would have the same one. */
function inOrder(order: Order, a: WorkerView, b: WorkerView): number {
  const [one, two] = [a.topology, b.topology];
  return (
    kindOrder(order, a, b) ||
    compared(one.datacenter, two.datacenter) ||
    compared(one.zone, two.zone) ||
    compared(one.rack, two.rack) ||
    a.id - b.id
  );
}

/** 0: they are of one kind. */
function kindOrder({ byCost, byFeatures }: Order, a: WorkerView, b: WorkerView): number {
  if (byCost && a.costPerHour !== b.costPerHour) return a.costPerHour - b.costPerHour;
  if (!byFeatures) return 0;
  for (let at = 0; at < a.features.length && at < b.features.length; at++) {
    const order = compared(a.features[at] ?? "", b.features[at] ?? "");
    if (order !== 0) return order;
  }
  return a.features.length - b.features.length;
}

function compared(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** Where to part a range: between those that have the least in common, as near to the middle as can be. */
function splitOf(common: readonly number[], from: number, to: number): number {
  const middle = (from + to) / 2;
  let split = from + 1;
  for (let at = from + 2; at < to; at++) {
    const [least, now] = [common[split] ?? 0, common[at] ?? 0];
    if (now < least || (now === least && Math.abs(at - middle) < Math.abs(split - middle))) split = at;
  }
  return split;
}
