/**
 * Placements per second: the choice among all workers, and the update of the index. The fleet is kept four fifths full:
 * for each VM that is placed, one leaves. Also what it costs to judge every worker, and the whole path of a placement
 * through the leader's orchestrator and the replicated state.
 */
import {
  type AntiAffinity,
  applyEntries,
  type ClusterState,
  type Command,
  chosen,
  DEFAULT_SCHEDULER,
  domainOf,
  emptyState,
  encodeRequest,
  explain,
  type FailureDomain,
  type Occupant,
  type PlacementContext,
  PlacementIndex,
  type PlacementRequest,
  promisable,
  type Resources,
  type SchedulerSettings,
  STRATEGIES,
  stampRequest,
  vmSpec,
  type WorkerView,
} from "../core/index.ts";
import { Orchestrator } from "../core/orchestrator/index.ts";
import { type Stream, Streams } from "../runtime-sim/random/random.ts";
import { median, perSecond } from "./figures.ts";

const WORKERS = [100, 1000, 10_000];
const PER_RACK = 40;
const RACKS_PER_ZONE = 10;
const ZONES_PER_DATACENTER = 5;
const REPEATS = 5;
const SCOPES = ["rack", "zone", "datacenter", "node"] as const;

interface Placed {
  readonly request: PlacementRequest;
  readonly workerId: number;
}

/** Workers, what is placed on them, and the same derived counts as in the replicated state. */
class Fleet implements PlacementContext {
  readonly settings: SchedulerSettings;
  readonly workers = new Map<number, WorkerView>();
  readonly placed: Placed[] = [];
  readonly rng: Stream;
  readonly #counts = new Map<string, number>();
  readonly domainTotal = 1;
  cursor = 0;

  constructor(count: number, strategy: SchedulerSettings["strategy"]) {
    this.settings = { ...DEFAULT_SCHEDULER, strategy, costIncreasePercentMax: 10 };
    this.rng = new Streams(count).stream(strategy);
    for (let id = 1; id <= count; id++) this.workers.set(id, this.#worker(id));
  }

  #worker(id: number): WorkerView {
    const { rng } = this;
    const rack = Math.floor(id / PER_RACK);
    const zone = Math.floor(rack / RACKS_PER_ZONE);
    const size = rng.pick([1, 1, 2, 4]);
    return {
      id,
      status: rng.chance(0.02) ? "cordoned" : "online",
      capacity: { vcpus: 32 * size, memoryMiB: 131_072 * size, diskGiB: 2000 * size },
      used: NOTHING,
      reserved: NOTHING,
      features: rng.chance(0.05) ? ["gpu", "kvm"] : ["kvm"],
      topology: {
        datacenter: `dc-${Math.floor(zone / ZONES_PER_DATACENTER)}`,
        zone: `zone-${zone % ZONES_PER_DATACENTER}`,
        rack: `rack-${rack % RACKS_PER_ZONE}`,
      },
      costPerHour: rng.pick([100, 105, 120, 200]),
    };
  }

  /** Two thirds are plain; the others need a feature, have anti-affinity, or a preferred or required locality. */
  request(nth: number): PlacementRequest {
    const { rng } = this;
    const kind = rng.nextUnit();
    const size = rng.pick([1, 1, 2, 4]);
    const group = (scope: FailureDomain, softWeight: number | null): readonly AntiAffinity[] => [
      { group: `group-${rng.integer(0, 99)}`, softWeight, maxPerDomain: rng.pick([1, 4]), scope },
    ];
    return {
      name: `vm-${nth}`,
      tenant: `tenant-${rng.integer(0, 19)}`,
      resources: { vcpus: size, memoryMiB: 2048 * rng.pick([1, 2, 4]), diskGiB: 10 * size },
      features: kind < 0.1 ? ["gpu"] : ["kvm"],
      antiAffinity: kind < 0.1 || kind >= 0.25 ? [] : group(rng.pick(SCOPES), rng.chance(0.5) ? 5 : null),
      locality:
        kind < 0.25 || kind >= 0.35
          ? null
          : {
              preferredDatacenter: "dc-0",
              preferredZone: `zone-${rng.integer(0, 1)}`,
              strict: rng.chance(0.2),
              excludedDatacenters: [],
            },
      priority: 500,
      pinnedTo: null,
      avoid: null,
      nominatedTo: null,
    };
  }

  place(request: PlacementRequest, workerId: number): WorkerView {
    this.placed.push({ request, workerId });
    this.cursor = workerId;
    return this.#change(request, workerId, 1);
  }

  /** A random one of those that are placed. Null: there is none. */
  remove(): WorkerView | null {
    const { placed, rng } = this;
    const last = placed.pop();
    if (last === undefined) return null;
    const at = rng.integer(0, placed.length);
    const gone = placed[at] ?? last;
    if (at < placed.length) placed[at] = last;
    return this.#change(gone.request, gone.workerId, -1);
  }

  /** The share of the CPUs that is used: they run out first. */
  get full(): number {
    let [used, promised] = [0, 0];
    for (const worker of this.workers.values()) {
      used += worker.used.vcpus;
      promised += promisable(this, worker).vcpus;
    }
    return used / promised;
  }

  #change({ resources, tenant, antiAffinity }: PlacementRequest, workerId: number, sign: 1 | -1): WorkerView {
    const worker = this.workers.get(workerId);
    if (worker === undefined) throw new RangeError(`no worker ${workerId}`);
    const { used } = worker;
    const after = {
      ...worker,
      used: {
        vcpus: used.vcpus + sign * resources.vcpus,
        memoryMiB: used.memoryMiB + sign * resources.memoryMiB,
        diskGiB: used.diskGiB + sign * resources.diskGiB,
      },
    };
    this.workers.set(workerId, after);
    const count = (key: string) => this.#counts.set(key, (this.#counts.get(key) ?? 0) + sign);
    count(`t/${tenant}/${workerId}`);
    count(`d/${domainOf(this.settings.spreadScope, worker)}`);
    for (const { group } of antiAffinity)
      for (const scope of SCOPES) count(`g/${group}/${scope}/${domainOf(scope, worker)}`);
    return after;
  }

  groupCount(group: string, scope: FailureDomain, domain: string): number {
    return this.#counts.get(`g/${group}/${scope}/${domain}`) ?? 0;
  }

  tenantCount(tenant: string, workerId: number): number {
    return this.#counts.get(`t/${tenant}/${workerId}`) ?? 0;
  }

  tenantPerWorkerMax(): number {
    return 25;
  }

  domainCount(domain: string): number {
    return this.#counts.get(`d/${domain}`) ?? 0;
  }
}

const NOTHING: Resources = { vcpus: 0, memoryMiB: 0, diskGiB: 0 };

interface Row {
  readonly strategy: string;
  readonly workers: number;
  readonly placements_per_s: number;
  readonly nowhere_per_s: number;
  readonly asking_everybody_per_s: number;
}

function choices(count: number, strategy: SchedulerSettings["strategy"]): Row {
  const fleet = new Fleet(count, strategy);
  const index = new PlacementIndex();
  for (const worker of fleet.workers.values()) index.put(worker);
  let nth = 0;
  const place = (): void => {
    const request = fleet.request(nth++);
    const workerId = index.choose(fleet, request);
    if (workerId !== null) index.put(fleet.place(request, workerId));
  };
  while (fleet.full < 0.8) for (let more = 0; more < count; more++) place();
  const turnover = (rounds: number): number => {
    const startedMs = performance.now();
    for (let round = 0; round < rounds; round++) {
      const left = fleet.remove();
      if (left !== null) index.put(left);
      place();
    }
    return perSecond(rounds, performance.now() - startedMs);
  };
  turnover(2000);
  const rates = Array.from({ length: REPEATS }, () => turnover(4000));

  const huge = { ...fleet.request(nth++), resources: { vcpus: 100, memoryMiB: 400_000, diskGiB: 1 } };
  const nowhere = Array.from({ length: REPEATS }, () => {
    const startedMs = performance.now();
    for (let round = 0; round < 200; round++) index.choose(fleet, huge);
    return perSecond(200, performance.now() - startedMs);
  });

  const asked = Math.max(3, Math.floor(20_000 / count));
  const startedMs = performance.now();
  for (let round = 0; round < asked; round++) {
    const request = fleet.request(nth++);
    if (chosen(explain(fleet, fleet.workers.values(), request)) !== index.choose(fleet, request))
      throw new Error("the index chose another worker");
  }
  return {
    strategy,
    workers: count,
    placements_per_s: Math.round(median(rates)),
    nowhere_per_s: Math.round(median(nowhere)),
    asking_everybody_per_s: Math.round(perSecond(asked, performance.now() - startedMs)),
  };
}

/** A leader without consensus, wire and disk: it proposes placements, they are applied, it is told. */
class Leader {
  #state: ClusterState = emptyState();
  readonly #orchestrator = new Orchestrator(0.05, this.#state, 0);

  apply(commands: readonly Command[]): void {
    const entries = commands.map((command, at) => ({
      index: this.#state.appliedIndex + at + 1,
      term: 1,
      data: stampRequest(encodeRequest({ session: null, command }), { wallMs: 0, proposer: 1 }),
    }));
    const { state, touched } = applyEntries(this.#state, entries);
    this.#state = state;
    this.#orchestrator.applied(state, touched, 0);
  }

  /** Runs until it has nothing more to propose. Returns the number of commands. */
  run(): number {
    for (let count = 0; ; ) {
      const proposals = this.#orchestrator.step(0);
      if (proposals.length === 0 && this.#orchestrator.deadlineMs > 0) return count;
      this.apply(proposals.map(({ command }) => command));
      for (const { key } of proposals) this.#orchestrator.settled(key);
      count += proposals.length;
    }
  }
}

function throughState(count: number): { readonly workers: number; readonly placements_per_s: number } {
  const leader = new Leader();
  for (let id = 1; id <= count; id++) {
    const topology = { datacenter: "dc", zone: "zone", rack: `rack-${Math.floor(id / PER_RACK)}` };
    const capacity = { vcpus: 1000, memoryMiB: 1_000_000, diskGiB: 100_000 };
    const facts = { capacity, features: [], topology, costPerHour: 0, driver: "bench", guestsVia: [] };
    leader.apply([
      { kind: "announceNode", nodeId: id, peerId: `peer-${id}`, addresses: [`host-${id}:7000`] },
      { kind: "registerWorker", workerId: id, bootId: 1, facts },
    ]);
  }
  leader.run();
  const rates = Array.from({ length: REPEATS }, (_, repeat) => {
    const spec = (at: number) => vmSpec({ vcpus: 1 + (at % 5) });
    leader.apply(
      Array.from({ length: 2000 }, (_, at) => ({ kind: "createVm", name: `vm-${repeat}-${at}`, spec: spec(at) })),
    );
    const startedMs = performance.now();
    return perSecond(leader.run(), performance.now() - startedMs);
  });
  return { workers: count, placements_per_s: Math.round(median(rates)) };
}

/** What it costs to choose the VMs to preempt, in a fleet that is full of VMs of lower priority. */
function preemptions(count: number): {
  readonly workers: number;
  readonly first_ms: number;
  readonly plans_per_s: number;
} {
  const fleet = new Fleet(count, "most-available");
  const index = new PlacementIndex();
  for (const worker of fleet.workers.values()) index.put(worker);
  const occupants = new Map<number, Occupant[]>();
  for (let nth = 0, refused = 0; refused < 1000; nth++) {
    const request = { ...fleet.request(nth), priority: fleet.rng.integer(1, 800) };
    const workerId = index.choose(fleet, request);
    if (workerId === null) refused += 1;
    else {
      index.put(fleet.place(request, workerId));
      const { name, resources, priority } = request;
      const others = occupants.get(workerId) ?? [];
      occupants.set(workerId, [...others, { name, resources, priority, preemptible: fleet.rng.chance(0.9) }]);
    }
  }
  const plan = (nth: number): void => {
    const request = { ...fleet.request(nth), resources: { vcpus: 6, memoryMiB: 16_384, diskGiB: 10 }, priority: 900 };
    index.planPreemption(fleet, (id) => occupants.get(id) ?? [], request, null);
  };
  const firstMs = performance.now();
  plan(0);
  const startedMs = performance.now();
  const plans = 200;
  for (let nth = 0; nth < plans; nth++) plan(nth);
  const rate = perSecond(plans, performance.now() - startedMs);
  return { workers: count, first_ms: Math.round(startedMs - firstMs), plans_per_s: Math.round(rate) };
}

export function placement(): void {
  console.log("placements, choice and put");
  console.table(WORKERS.flatMap((count) => STRATEGIES.map((strategy) => choices(count, strategy))));
  console.log("placements by the orchestrator, through the replicated state");
  console.table(WORKERS.map(throughState));
  console.log("plans of preemption in a full fleet");
  console.table(WORKERS.map(preemptions));
}
