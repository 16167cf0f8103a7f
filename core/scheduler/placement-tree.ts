/**
 * Workers as the leaves of a balanced binary tree. Each node knows bounds of what is below it: the best base score, the most room of each resource, the
 * features that are there at all. So whole subtrees are passed over that cannot hold the best taker. What is found in the end is judged by `judge` alone:
 * a bound that is too high costs time, and one that is too low would be a defect.
 *
 * The workers of a datacenter, a zone and a rack are one node each, since the rules of a request speak of those: a rack that is full of its group is passed
 * over as a whole, and when one VM more counts in a domain, that changes the scores of all its workers at once.
 */
import {
  baseScore,
  domainOf,
  freeFraction,
  judge,
  preference,
  promisable,
  RESOURCES,
  roundRobinScore,
  rulesRefusal,
  SHARED,
  type Shared,
  spreadScore,
} from "./judge.ts";
import type { PlacementContext, PlacementRequest, Resources, SchedulerSettings, WorkerView } from "./types.ts";

const NONE = -1;
/** Features with a bit of their own; all others share the last one. */
const FEATURE_BITS = 31;

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
  /** Set by the tree. */
  features = 0;

  constructor(context: PlacementContext, request: PlacementRequest, goal: { readonly costMax: number } | "price") {
    this.context = context;
    this.request = request;
    this.isForPrice = goal === "price";
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

export class PlacementTree {
  readonly settings: SchedulerSettings;
  /** In the order of the leaves. */
  readonly #workers: WorkerView[];
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
  readonly #base: Float64Array;
  readonly #room: Readonly<Record<keyof Resources, Float64Array>>;
  readonly #costMin: Float64Array;
  readonly #features: Int32Array;

  readonly #featureBits = new Map<string, number>();
  /** Of "spread": the node of each domain. */
  readonly #domains = new Map<string, number>();
  /** Of "round-robin": for each level of the tree the ids below each of its nodes, in order, where the node's workers are. */
  readonly #ids: Float64Array[] = [];
  readonly #level: Uint8Array;

  constructor(context: PlacementContext, workers: Iterable<WorkerView>) {
    const { settings } = context;
    this.settings = settings;
    const isByCost = settings.strategy === "cost";
    this.#workers = [...workers].sort((a, b) => inOrder(a, b, isByCost));
    const nodes = Math.max(0, 2 * this.#workers.length - 1);
    this.#left = new Int32Array(nodes).fill(NONE);
    this.#right = new Int32Array(nodes).fill(NONE);
    this.#parent = new Int32Array(nodes).fill(NONE);
    this.#from = new Int32Array(nodes);
    this.#to = new Int32Array(nodes);
    this.#shared = new Uint8Array(nodes);
    this.#level = new Uint8Array(nodes);
    this.#idMin = new Float64Array(nodes);
    this.#base = new Float64Array(nodes);
    const room = () => new Float64Array(nodes);
    this.#room = { vcpus: room(), memoryMiB: room(), diskGiB: room() };
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
    const leaf = this.#leaves.get(worker.id);
    if (leaf !== undefined && before !== undefined) {
      const stays = inOrder(before, worker, this.settings.strategy === "cost") === 0;
      this.#workers[this.#from[leaf] ?? NONE] = stays ? worker : { ...before, status: "offline" };
      this.#dirty.add(leaf);
      if (stays) return true;
      this.#leaves.delete(worker.id);
    }
    // Its VMs count all the same in the domain where it stood, and in the one where it stands.
    this.#domainChanged(before);
    this.#domainChanged(worker);
    return false;
  }

  #domainChanged(worker: WorkerView | undefined): void {
    if (worker === undefined) return;
    const domain = this.#domains.get(domainOf(this.settings.spreadScope, worker));
    if (domain !== undefined) this.#dirty.add(domain);
  }

  /** Takes in what was put. */
  refresh(context: PlacementContext): void {
    for (const changed of this.#dirty) {
      for (let node = changed; node !== NONE; node = this.#parent[node] ?? NONE) this.#update(context, node);
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
    this.#visit(search, 0, this.#preference(search, 0));
  }

  // ---- Shape

  #build(): void {
    const workers = this.#workers;
    const isByCost = this.settings.strategy === "cost";
    // What each has in common with the one before it; those that cost differently less than nothing, so that they are parted first.
    const common = workers.map((worker, at) => {
      const before = workers[at - 1];
      if (before === undefined) return SHARED.nothing;
      return isByCost && before.costPerHour !== worker.costPerHour ? NONE : sharedBy(before, worker);
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
      if (this.#isDomain(node)) this.#domains.set(this.#domainOf(node), node);
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

  #update(context: PlacementContext, node: number): void {
    const [left, right] = [this.#left[node] ?? NONE, this.#right[node] ?? NONE];
    if (left === NONE) this.#updateLeaf(context, node);
    else {
      const max = (of: Float64Array) => Math.max(of[left] ?? 0, of[right] ?? 0);
      const min = (of: Float64Array) => Math.min(of[left] ?? 0, of[right] ?? 0);
      this.#base[node] = max(this.#base);
      for (const resource of RESOURCES) this.#room[resource][node] = max(this.#room[resource]);
      this.#costMin[node] = min(this.#costMin);
      this.#idMin[node] = min(this.#idMin);
      this.#features[node] = (this.#features[left] ?? 0) | (this.#features[right] ?? 0);
    }
    if (this.#isDomain(node))
      this.#base[node] = spreadScore(context.domainCount(this.#domainOf(node)), this.#base[node] ?? 0);
  }

  #updateLeaf(context: PlacementContext, node: number): void {
    const worker = this.#workerOf(node);
    const isOpen = worker.status === "online";
    const promised = promisable(context, worker);
    for (const resource of RESOURCES) {
      const room = promised[resource] - worker.used[resource] - Math.max(0, worker.reserved[resource]);
      this.#room[resource][node] = isOpen ? room : Number.NEGATIVE_INFINITY;
    }
    // Of "spread": what follows from the domain is added at its node.
    const base = this.settings.strategy === "spread" ? freeFraction(context, worker) : baseScore(context, worker);
    this.#base[node] = isOpen ? base : Number.NEGATIVE_INFINITY;
    this.#costMin[node] = isOpen ? worker.costPerHour : Number.POSITIVE_INFINITY;
    this.#idMin[node] = worker.id;
    let features = 0;
    for (const feature of worker.features) features |= this.#bitOf(feature);
    this.#features[node] = features;
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

  #visit(search: Search, node: number, preferred: number): void {
    const [left, right] = [this.#left[node] ?? NONE, this.#right[node] ?? NONE];
    if (left === NONE) {
      search.consider(this.#workerOf(node));
      return;
    }
    const [ofLeft, ofRight] = [this.#bound(search, left, preferred), this.#bound(search, right, preferred)];
    const isLeftFirst =
      ofLeft > ofRight || (ofLeft === ofRight && (this.#idMin[left] ?? 0) < (this.#idMin[right] ?? 0));
    if (isLeftFirst) {
      this.#visitIfWorth(search, left, ofLeft, preferred);
      this.#visitIfWorth(search, right, ofRight, preferred);
    } else {
      this.#visitIfWorth(search, right, ofRight, preferred);
      this.#visitIfWorth(search, left, ofLeft, preferred);
    }
  }

  #visitIfWorth(search: Search, node: number, bound: number, preferredAbove: number): void {
    const idMin = search.isForPrice ? 0 : (this.#idMin[node] ?? 0);
    if (!search.best.mayBeBeatenBy(bound, idMin)) return;
    let preferred = preferredAbove;
    const shared = this.#shared[node];
    // Those below have more in common than those above: the rules may say more of them.
    if (shared !== SHARED.node && shared !== this.#shared[this.#parent[node] ?? NONE]) {
      preferred = this.#preference(search, node);
      if (!search.best.mayBeBeatenBy(this.#bound(search, node, preferred), idMin)) return;
    }
    this.#visit(search, node, preferred);
  }

  /** No worker below has more; minus infinity: none of them takes it. */
  #bound(search: Search, node: number, preferred: number): number {
    const { resources } = search.request;
    const refuses =
      (this.#room.vcpus[node] ?? 0) < resources.vcpus ||
      (this.#room.memoryMiB[node] ?? 0) < resources.memoryMiB ||
      (this.#room.diskGiB[node] ?? 0) < resources.diskGiB ||
      ((this.#features[node] ?? 0) & search.features) !== search.features ||
      (this.#costMin[node] ?? 0) > search.costMax ||
      preferred === Number.NEGATIVE_INFINITY;
    if (refuses) return Number.NEGATIVE_INFINITY;
    if (search.isForPrice) return -(this.#costMin[node] ?? 0);
    const base = this.#ids.length > 0 ? this.#roundRobinBase(search.context.cursor, node) : (this.#base[node] ?? 0);
    return base + preferred;
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

const STEPS: readonly Shared[] = [SHARED.nothing, SHARED.datacenter, SHARED.zone, SHARED.rack, SHARED.node];

function sharedBy({ topology: a }: WorkerView, { topology: b }: WorkerView): Shared {
  if (a.datacenter !== b.datacenter) return SHARED.nothing;
  if (a.zone !== b.zone) return SHARED.datacenter;
  return a.rack === b.rack ? SHARED.rack : SHARED.zone;
}

/** Negative: `a` has its leaf before `b`; 0: they would have the same one. */
function inOrder(a: WorkerView, b: WorkerView, isByCost: boolean): number {
  if (isByCost && a.costPerHour !== b.costPerHour) return a.costPerHour - b.costPerHour;
  const [one, two] = [a.topology, b.topology];
  return (
    compared(one.datacenter, two.datacenter) ||
    compared(one.zone, two.zone) ||
    compared(one.rack, two.rack) ||
    a.id - b.id
  );
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
