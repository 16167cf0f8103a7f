/**
 * For tests: what the state machine does with workers, VMs, tasks, tenants and addresses, the slow and obvious way.
 * Plain objects that change, and whatever can be counted is counted anew each time it is asked for: no indexes, no
 * tables, no batches.
 */

import type {
  IpPoolSpec,
  JobObservation,
  MachineObservation,
  Overcommit,
  PoolStrategy,
  Quota,
  Resources,
  TaskSpec,
  VmSpec,
  WorkerFacts,
} from "../../domain/index.ts";
import type { Command } from "../index.ts";

export type ModelCommand = Exclude<
  Command,
  { readonly kind: "openSession" | "closeSession" | "deletePool" | "createToken" | "revokeToken" | "admitNode" }
>;

interface ModelVm {
  spec: VmSpec;
  state: string;
  desired: string;
  generation: number;
  epoch: number;
  workerId: number | null;
  placed: Resources | null;
  eviction: string | null;
  targetId: number | null;
  avoidId: number | null;
  restarts: number;
  relocations: number;
  runningSinceMs: number;
  addresses: readonly Address[];
  updatedIndex: number;
}

interface ModelWorker {
  bootId: number;
  facts: WorkerFacts;
  availability: string;
  isOnline: boolean;
}

interface ModelPool {
  readonly number: number;
  readonly size: number;
  readonly tags: readonly string[];
  readonly datacenter: string | null;
  cursor: number;
  enabled: boolean;
}

interface Address {
  readonly pool: string;
  readonly index: number;
}

interface ModelTask {
  spec: TaskSpec;
  state: string;
  attempt: number;
  workerId: number | null;
  isCancelled: boolean;
}

/** What comes of a command: "ok", or the kind of the refusal, with what does not fit. */
type Outcome = string;
const OK = "ok";

const ZERO: Resources = { vcpus: 0, memoryMiB: 0, diskGiB: 0 };
const KEYS = ["vcpus", "memoryMiB", "diskGiB"] as const;

function add(a: Resources, b: Resources): Resources {
  return { vcpus: a.vcpus + b.vcpus, memoryMiB: a.memoryMiB + b.memoryMiB, diskGiB: a.diskGiB + b.diskGiB };
}

function specResources({ vcpus, memoryMiB, diskGiB, volumes }: VmSpec): Resources {
  return { vcpus, memoryMiB, diskGiB: volumes.reduce((sum, { sizeGiB }) => sum + sizeGiB, diskGiB) };
}

const larger = (a: Resources, b: Resources): Resources => ({
  vcpus: Math.max(a.vcpus, b.vcpus),
  memoryMiB: Math.max(a.memoryMiB, b.memoryMiB),
  diskGiB: Math.max(a.diskGiB, b.diskGiB),
});

const heldByModel = (vm: ModelVm): Resources =>
  vm.placed === null ? specResources(vm.spec) : larger(specResources(vm.spec), vm.placed);

const intent = ({ desired, eviction }: ModelVm): "gone" | "stop" | "run" =>
  desired === "deleted" || eviction !== null ? "gone" : desired === "stopped" ? "stop" : "run";

const domain = (scope: string, id: number, { topology: { datacenter, zone, rack } }: WorkerFacts): string => {
  const all = { node: `${id}`, rack: `${datacenter}/${zone}/${rack}`, zone: `${datacenter}/${zone}`, datacenter };
  return scope === "node" || scope === "rack" || scope === "zone" ? all[scope] : all.datacenter;
};

/** Of a pool whose range lies within one byte, and holds nobody else's addresses. */
function sizeOf({ rangeFirst, rangeLast }: IpPoolSpec): number {
  const [first, last] = [rangeFirst, rangeLast].map((address) => Number(address?.split(".").at(-1)));
  return (last ?? 0) - (first ?? 0) + 1;
}

interface Wanting {
  readonly tenant: string;
  readonly resources: Resources;
  readonly features: readonly string[];
  readonly spec: VmSpec | null;
  readonly targetId: number | null;
  /** Counts as not there. */
  readonly except: ModelVm | null;
}

export class OrchestrationModel {
  readonly vms = new Map<string, ModelVm>();
  readonly workers = new Map<number, ModelWorker>();
  readonly tasks = new Map<string, ModelTask>();
  readonly nodes = new Set<number>();
  /** Ids of workers that were removed. */
  readonly removed = new Set<number>();
  readonly quotas = new Map<string, Quota>();
  /** Units: a token is 60,000 of them. */
  readonly buckets = new Map<string, { units: number; atMs: number }>();
  readonly pools = new Map<string, ModelPool>();
  schedulerGeneration = 1;
  poolStrategy: PoolStrategy = "least-used";
  /** Number of the pool whose turn was last. */
  poolCursor = 0;
  overcommit: Overcommit = { cpu: 1, memory: 1, disk: 1, reservePercent: 10 };
  rebalancedAtMs: number | null = null;
  timeMs = 0;
  index = 0;

  // ---- What can be counted

  vmsOn(id: number): [string, ModelVm][] {
    return [...this.vms].filter(([, { workerId }]) => workerId === id).sort(([a], [b]) => (a < b ? -1 : 1));
  }

  nominees(id: number): [string, ModelVm][] {
    const named = [...this.vms].filter(([, { workerId, targetId }]) => targetId === id && workerId !== id);
    return named.sort(([a], [b]) => (a < b ? -1 : 1));
  }

  tasksOn(id: number): string[] {
    return [...this.tasks].flatMap(([name, { workerId }]) => (workerId === id ? [name] : [])).sort();
  }

  used(id: number): Resources {
    let sum = ZERO;
    for (const [, vm] of this.vmsOn(id)) sum = add(sum, heldByModel(vm));
    for (const name of this.tasksOn(id)) sum = add(sum, this.tasks.get(name)?.spec.resources ?? ZERO);
    return sum;
  }

  reserved(id: number): Resources {
    return this.nominees(id).reduce((sum, [, vm]) => add(sum, specResources(vm.spec)), ZERO);
  }

  usage(tenant: string): { vms: number; usage: Resources } {
    const own = [...this.vms.values()].filter(({ spec }) => spec.tenant === tenant);
    return { vms: own.length, usage: own.reduce((sum, { spec }) => add(sum, specResources(spec)), ZERO) };
  }

  promisable(id: number): Resources {
    const { cpu, memory, disk, reservePercent } = this.overcommit;
    const { vcpus, memoryMiB, diskGiB } = this.workers.get(id)?.facts.capacity ?? ZERO;
    const part = (amount: number, factor: number): number =>
      Math.floor((amount * factor * (100 - reservePercent)) / 100);
    return { vcpus: part(vcpus, cpu), memoryMiB: part(memoryMiB, memory), diskGiB: part(diskGiB, disk) };
  }

  inDomain(group: string, scope: string, wanted: string, except: ModelVm | null): number {
    let count = 0;
    for (const vm of this.vms.values()) {
      const worker = vm.workerId === null ? undefined : this.workers.get(vm.workerId);
      if (vm === except || vm.workerId === null || worker === undefined) continue;
      if (!vm.spec.antiAffinity.some((rule) => rule.group === group)) continue;
      if (domain(scope, vm.workerId, worker.facts) === wanted) count++;
    }
    return count;
  }

  /** Why it may not go there. */
  unfit(id: number, wanting: Wanting, lessUsed: Resources = ZERO, ignoresStatus = false): string | null {
    const worker = this.workers.get(id);
    if (worker === undefined) return "unknown";
    const status = worker.isOnline ? worker.availability : "offline";
    if (status !== "online" && !ignoresStatus) return status;
    const { tenant, resources, features, spec, targetId, except } = wanting;
    const pinned = spec?.workerId ?? null;
    if (pinned !== null && pinned !== id) return "notTheNamedWorker";
    if (features.some((feature) => !worker.facts.features.includes(feature))) return "missingFeatures";
    const promised = this.promisable(id);
    const used = this.used(id);
    const reserved = this.reserved(id);
    for (const key of KEYS) {
      const kept = Math.max(0, reserved[key] - (targetId === id ? resources[key] : 0));
      if (resources[key] > promised[key] - used[key] + lessUsed[key] - kept) return "insufficient";
    }
    const most = this.quotas.get(tenant)?.vmsPerWorker ?? Number.POSITIVE_INFINITY;
    const there = this.vmsOn(id).filter(([, vm]) => vm.spec.tenant === tenant && vm !== except).length;
    if (there >= most) return "tenantQuota";
    for (const { group, softWeight, scope, maxPerDomain } of spec?.antiAffinity ?? []) {
      if (softWeight !== null) continue;
      if (this.inDomain(group, scope, domain(scope, id, worker.facts), except) >= maxPerDomain) return "antiAffinity";
    }
    return null;
  }

  wantingOf(vm: ModelVm, except: ModelVm | null = null): Wanting {
    return {
      tenant: vm.spec.tenant,
      resources: heldByModel(vm),
      features: vm.spec.hypervisor === "any" ? vm.spec.features : [...vm.spec.features, vm.spec.hypervisor],
      spec: vm.spec,
      targetId: vm.workerId === null ? vm.targetId : null,
      except,
    };
  }

  needsPlace(vm: ModelVm): boolean {
    return (vm.state === "Pending" || vm.state === "Lost") && vm.workerId === null && intent(vm) === "run";
  }

  // ---- Tenants

  takesToken(tenant: string, which: string, perMinute: number, burst: number): boolean {
    const key = `${tenant} ${which}`;
    const bucket = this.buckets.get(key) ?? { units: 0, atMs: 0 };
    const units = Math.min(burst * 60_000, bucket.units + Math.max(0, this.timeMs - bucket.atMs) * perMinute);
    if (units < 60_000) return false;
    this.buckets.set(key, { units: units - 60_000, atMs: this.timeMs });
    return true;
  }

  overQuota(tenant: string, extra: { readonly vms: number } & Resources): boolean {
    const quota = this.quotas.get(tenant);
    if (quota === undefined) return false;
    const { vms, usage } = this.usage(tenant);
    const has = { vms, ...usage };
    return (["vms", ...KEYS] as const).some((key) => extra[key] > 0 && has[key] + extra[key] > quota[key]);
  }

  // ---- Addresses

  isTaken(pool: string, index: number): boolean {
    return [...this.vms.values()].some((vm) => vm.addresses.some((one) => one.pool === pool && one.index === index));
  }

  freeIn(pool: string): number {
    let free = 0;
    for (let index = 0; index < (this.pools.get(pool)?.size ?? 0); index++) if (!this.isTaken(pool, index)) free++;
    return free;
  }

  carries(pool: string, tags: readonly string[]): boolean {
    return tags.every((tag) => this.pools.get(pool)?.tags.includes(tag));
  }

  allocate({ networks, locality }: VmSpec, kept: readonly (Address | null)[] = []): { addresses: Address[] } | Outcome {
    const names = networks.map(({ pool }, at) => (kept[at] ? null : pool));
    const wanted = (pool: string): number => names.filter((name) => name === pool).length;
    for (const name of names) {
      if (name === null) continue;
      const known = this.pools.get(name);
      if (known === undefined) return "poolNotFound";
      if (!known.enabled) return "poolDisabled";
      if (this.freeIn(name) < wanted(name)) return "poolExhausted";
    }
    let cursor = this.poolCursor;
    const choices = networks.flatMap((network, at) => {
      if (network.pool !== null || kept[at]) return [];
      return [{ at, pools: [...this.pools.keys()].filter((name) => this.carries(name, network.tags)) }];
    });
    for (const { at, pools } of choices.sort((a, b) => a.pools.length - b.pools.length || a.at - b.at)) {
      if (pools.length === 0) return "noPoolWithTags";
      const enabled = pools.filter((name) => this.pools.get(name)?.enabled);
      if (enabled.length === 0) return "poolsDisabled";
      const left = (name: string): number => this.freeIn(name) - wanted(name);
      const ranked = enabled
        .filter((name) => left(name) > 0)
        .map((name) => ({ name, rank: this.#rankOf(name, left(name), cursor, locality) }))
        .sort((a, b) => a.rank - b.rank || (a.name < b.name ? -1 : 1));
      const [first] = ranked;
      if (first === undefined) return "poolsExhausted";
      if (this.poolStrategy === "round-robin") cursor = this.pools.get(first.name)?.number ?? 0;
      names[at] = first.name;
    }
    this.poolCursor = cursor;
    const addresses: Address[] = [];
    for (const [at, pool] of names.entries()) {
      const known = this.pools.get(pool ?? "");
      const own = kept[at] ?? null;
      if (own !== null || pool === null || known === undefined) {
        if (own !== null) addresses.push(own);
        continue;
      }
      do known.cursor = (known.cursor + 1) % known.size;
      while (
        this.isTaken(pool, known.cursor) ||
        addresses.some((one) => one.pool === pool && one.index === known.cursor)
      );
      addresses.push({ pool, index: known.cursor });
    }
    return { addresses };
  }

  /** The lowest is chosen. */
  #rankOf(name: string, left: number, cursor: number, locality: VmSpec["locality"]): number {
    const { size = 1, number = 0, datacenter = null } = this.pools.get(name) ?? {};
    const used = (size - left) / size;
    const wish = locality?.preferredDatacenter ?? null;
    const fit = wish === null || datacenter === null ? 1 : datacenter === wish ? 2 : 0;
    const ranks = {
      "least-used": used,
      "most-used": -used,
      "round-robin": number > cursor ? number : number + 1000,
      "topology-aware": used - 10 * fit,
    };
    return ranks[this.poolStrategy];
  }

  /** What a VM keeps of its addresses when its networks become others. */
  keptBy(vm: ModelVm, networks: VmSpec["networks"]): (Address | null)[] {
    const claimed = new Set<Address>();
    const kept: (Address | null)[] = networks.map(() => null);
    const words = (network: unknown): string => JSON.stringify(network);
    for (const isSame of [true, false]) {
      for (const [at, network] of networks.entries()) {
        if (kept[at]) continue;
        for (const [was, address] of vm.addresses.entries()) {
          const stays = words(vm.spec.networks[was]) === words(network);
          const serves =
            network.pool === null ? this.carries(address.pool, network.tags) : network.pool === address.pool;
          if (claimed.has(address) || !(isSame ? stays : serves)) continue;
          claimed.add(address);
          kept[at] = address;
          break;
        }
      }
    }
    return kept;
  }

  // ---- Commands

  apply(command: ModelCommand, index: number, wallMs: number): Outcome {
    this.index = index;
    this.timeMs = Math.max(this.timeMs, wallMs);
    const tenant = this.#asker(command);
    const quota = tenant === null ? undefined : this.quotas.get(tenant);
    if (tenant !== null && quota !== undefined) {
      const { requestsPerSecond, requestsBurst } = quota;
      if (!this.takesToken(tenant, "requests", requestsPerSecond * 60, requestsBurst)) return "tooManyRequests";
    }
    return this.#execute(command);
  }

  #asker(command: ModelCommand): string | null {
    if (command.kind === "createVm" || command.kind === "submitTask") return command.spec.tenant;
    if (command.kind === "cancelTask") return this.tasks.get(command.id)?.spec.tenant ?? null;
    const owned = ["updateVm", "deleteVm", "setVmDesired", "restartVm", "migrateVm"];
    if (!owned.includes(command.kind) || !("name" in command)) return null;
    return this.vms.get(command.name)?.spec.tenant ?? null;
  }

  #execute(command: ModelCommand): Outcome {
    switch (command.kind) {
      case "announceNode":
        if (this.removed.has(command.nodeId)) return "nodeIdTaken";
        this.nodes.add(command.nodeId);
        return OK;
      case "registerWorker":
        return this.#register(command.workerId, command.bootId, command.facts);
      case "workerLost": {
        const worker = this.workers.get(command.workerId);
        if (worker === undefined) return "workerNotFound";
        if (!worker.isOnline || worker.bootId !== command.bootId) return "workerHasChanged";
        return this.#lose(command.workerId, worker, false);
      }
      case "confirmWorkerDead": {
        const worker = this.workers.get(command.workerId);
        return worker === undefined ? "workerNotFound" : this.#lose(command.workerId, worker, true);
      }
      case "removeWorker": {
        const { workerId: id } = command;
        const worker = this.workers.get(id);
        if (worker === undefined) return "workerNotFound";
        if (this.vmsOn(id).length + this.tasksOn(id).length > 0) return "workerInUse";
        if (worker.isOnline && worker.availability === "online") return "workerIsOnline";
        for (const [, vm] of this.nominees(id)) this.#set(vm, { targetId: null });
        this.workers.delete(id);
        this.removed.add(id);
        return OK;
      }
      case "setAvailability": {
        const worker = this.workers.get(command.workerId);
        if (worker === undefined) return "workerNotFound";
        worker.availability = command.availability;
        return OK;
      }
      case "observe": {
        const worker = this.workers.get(command.workerId);
        if (worker === undefined) return "workerNotFound";
        if (!worker.isOnline || worker.bootId !== command.bootId) return "workerHasChanged";
        for (const seen of command.machines) this.#seeMachine(command.workerId, seen);
        for (const seen of command.jobs) this.#seeJob(command.workerId, seen);
        return OK;
      }
      case "setQuota": {
        const { tenant, quota } = command;
        if (quota === null) this.quotas.delete(tenant);
        else {
          this.quotas.set(tenant, quota);
          const full = {
            creates: quota.createsPerMinute,
            deletes: quota.deletesPerMinute,
            requests: quota.requestsBurst,
          };
          for (const [which, tokens] of Object.entries(full))
            this.buckets.set(`${tenant} ${which}`, { units: tokens * 60_000, atMs: this.timeMs });
        }
        return OK;
      }
      case "createPool":
        this.pools.set(command.spec.name, {
          number: this.pools.size + 1,
          size: sizeOf(command.spec),
          tags: command.spec.tags,
          datacenter: command.spec.datacenter,
          cursor: -1,
          enabled: command.spec.enabled,
        });
        return OK;
      case "setPoolStrategy":
        this.poolStrategy = command.strategy;
        return OK;
      case "setPoolEnabled": {
        const pool = this.pools.get(command.name);
        if (pool === undefined) return "poolNotFound";
        pool.enabled = command.enabled;
        return OK;
      }
      case "configureScheduler":
        if (![null, this.schedulerGeneration].includes(command.expectedGeneration)) return "generationMismatch";
        this.schedulerGeneration += 1;
        this.overcommit = command.settings.overcommit;
        return OK;
      case "submitTask":
        if (this.tasks.has(command.id)) return "taskExists";
        this.tasks.set(command.id, {
          spec: command.spec,
          state: "Pending",
          attempt: 0,
          workerId: null,
          isCancelled: false,
        });
        return OK;
      case "cancelTask": {
        const task = this.tasks.get(command.id);
        if (task === undefined) return "taskNotFound";
        if (task.state === "Pending") task.state = "Cancelled";
        else if (task.state !== "Running") this.tasks.delete(command.id);
        task.isCancelled = true;
        return OK;
      }
      case "placeTask": {
        const task = this.tasks.get(command.id);
        if (task === undefined) return "taskNotFound";
        if (task.state !== "Pending" || task.attempt !== command.attempt) return "taskHasChanged";
        if (!this.workers.has(command.workerId)) return "workerNotFound";
        const { tenant, resources, features } = task.spec;
        const unfit = this.unfit(command.workerId, {
          tenant,
          resources,
          features,
          spec: null,
          targetId: null,
          except: null,
        });
        if (unfit !== null) return `doesNotFit ${unfit}`;
        Object.assign(task, { state: "Running", attempt: task.attempt + 1, workerId: command.workerId });
        return OK;
      }
      case "rebalance": {
        if (this.rebalancedAtMs !== null && this.timeMs < this.rebalancedAtMs + 600_000) return "tooSoon";
        let hasMoved = false;
        for (const { name, epoch, to } of command.moves) {
          const vm = this.vms.get(name);
          if (vm !== undefined && this.#evict(vm, epoch, "rebalance", to) === OK) hasMoved = true;
        }
        if (hasMoved) this.rebalancedAtMs = this.timeMs;
        return hasMoved || command.moves.length === 0 ? OK : "vmHasChanged";
      }
      case "createVm":
        return this.#create(command.name, command.spec);
      default: {
        const vm = this.vms.get(command.name);
        return vm === undefined ? "vmNotFound" : this.#changeVm(vm, command.name, command);
      }
    }
  }

  #changeVm(vm: ModelVm, name: string, command: Extract<ModelCommand, { readonly name: string }>): Outcome {
    switch (command.kind) {
      case "updateVm":
        return this.#update(vm, command.expectedGeneration, command.spec);
      case "deleteVm":
        return this.#delete(vm, name, command.expectedGeneration);
      case "setVmDesired":
        return this.#desire(vm, command.desired);
      case "restartVm":
        if (vm.desired === "deleted") return "vmIsBeingDeleted";
        if (vm.workerId === null || vm.eviction !== null || vm.state === "Lost") return "vmIsNotPlaced";
        vm.desired = "running";
        vm.restarts = 0;
        return this.#again(vm);
      case "migrateVm": {
        if (vm.desired === "deleted") return "vmIsBeingDeleted";
        if (vm.workerId === null || vm.eviction !== null || vm.state === "Lost") return "vmIsNotPlaced";
        const { to } = command;
        if (to === vm.workerId) return "doesNotFit it is there already";
        if (to !== null) {
          if (!this.workers.has(to)) return "workerNotFound";
          const unfit = this.unfit(to, this.wantingOf(vm));
          if (unfit !== null) return `doesNotFit ${unfit}`;
        }
        return this.#set(vm, { state: "Stopping", eviction: "migrate", targetId: to, avoidId: vm.workerId });
      }
      case "placeVm": {
        if (!this.needsPlace(vm) || vm.epoch !== command.epoch) return "vmHasChanged";
        if (!this.workers.has(command.workerId)) return "workerNotFound";
        const unfit = this.unfit(command.workerId, this.wantingOf(vm));
        if (unfit !== null) return `doesNotFit ${unfit}`;
        const { workerId } = command;
        return this.#set(vm, {
          state: "Scheduled",
          workerId,
          targetId: null,
          epoch: this.index,
          placed: specResources(vm.spec),
        });
      }
      case "preempt":
        return this.#preempt(vm, command);
      case "evictVm":
        return this.#evict(vm, command.epoch, command.cause, command.to);
      case "recoverVm":
        if (vm.state !== "Failed" || vm.epoch !== command.epoch || vm.workerId === null || intent(vm) !== "run")
          return "vmHasChanged";
        vm.restarts++;
        return this.#again(vm);
      case "dropNomination":
        if (!this.needsPlace(vm) || vm.epoch !== command.epoch || vm.targetId === null) return "vmHasChanged";
        return this.#set(vm, { targetId: null });
      default:
        throw new Error(`the model knows no ${command.kind}`);
    }
  }

  #set(vm: ModelVm, changes: Partial<ModelVm>): Outcome {
    const { state = vm.state } = changes;
    const placed = vm.state === "Scheduled" && state !== "Scheduled" ? heldByModel(vm) : vm.placed;
    Object.assign(vm, { placed }, changes, { updatedIndex: this.index });
    return OK;
  }

  #again(vm: ModelVm): Outcome {
    return this.#set(vm, { state: "Scheduled", epoch: this.index, placed: heldByModel(vm) });
  }

  #create(name: string, spec: VmSpec): Outcome {
    if (this.vms.has(name)) return "vmExists";
    const quota = this.quotas.get(spec.tenant);
    const { createsPerMinute = 0 } = quota ?? {};
    if (quota !== undefined && !this.takesToken(spec.tenant, "creates", createsPerMinute, createsPerMinute))
      return "tooManyRequests";
    if (this.overQuota(spec.tenant, { vms: 1, ...specResources(spec) })) return "quotaExceeded";
    const allocation = this.allocate(spec);
    if (typeof allocation === "string") return allocation;
    this.vms.set(name, {
      spec,
      state: "Pending",
      desired: "running",
      generation: 1,
      epoch: 0,
      workerId: null,
      placed: null,
      eviction: null,
      targetId: null,
      avoidId: null,
      restarts: 0,
      relocations: 0,
      runningSinceMs: 0,
      addresses: allocation.addresses,
      updatedIndex: this.index,
    });
    return OK;
  }

  #update(vm: ModelVm, expected: number, spec: VmSpec): Outcome {
    if (vm.desired === "deleted") return "vmIsBeingDeleted";
    if (vm.generation !== expected) return "generationMismatch";
    const [from, to] = [specResources(vm.spec), specResources(spec)];
    const isOthers = spec.tenant !== vm.spec.tenant;
    const grown = {
      vms: isOthers ? 1 : 0,
      vcpus: isOthers ? to.vcpus : to.vcpus - from.vcpus,
      memoryMiB: isOthers ? to.memoryMiB : to.memoryMiB - from.memoryMiB,
      diskGiB: isOthers ? to.diskGiB : to.diskGiB - from.diskGiB,
    };
    if (this.overQuota(spec.tenant, grown)) return "quotaExceeded";
    const hasOtherNetworks = JSON.stringify(vm.spec.networks) !== JSON.stringify(spec.networks);
    const next = { ...vm, spec };
    if (vm.workerId !== null) {
      if (hasOtherNetworks) return "vmIsPlaced";
      const [had, has] = [heldByModel(vm), heldByModel(next)];
      const rules = ({ spec: { antiAffinity, locality, workerId } }: ModelVm): string =>
        JSON.stringify([antiAffinity, locality, workerId]);
      const needed = new Set(this.wantingOf(vm).features);
      const needsMore = this.wantingOf(next).features.some((feature) => !needed.has(feature));
      const hasGrown = KEYS.some((key) => has[key] > had[key]);
      const asksForNothing = !hasGrown && !needsMore && rules(vm) === rules(next) && !isOthers;
      const unfit = asksForNothing ? null : this.unfit(vm.workerId, this.wantingOf(next, vm), had, true);
      if (unfit !== null) return `doesNotFit ${unfit}`;
    }
    if (hasOtherNetworks) {
      const allocation = this.allocate(spec, this.keptBy(vm, spec.networks));
      if (typeof allocation === "string") return allocation;
      vm.addresses = allocation.addresses;
    }
    if (vm.state === "Scheduled") vm.placed = heldByModel(vm);
    this.#set(vm, { spec, generation: vm.generation + 1 });
    this.#leaveLostWorker(vm);
    return OK;
  }

  /** It need not wait for a worker that is lost any longer. */
  #leaveLostWorker(vm: ModelVm): boolean {
    const isLost = vm.state === "Lost" && vm.workerId !== null && this.workers.get(vm.workerId)?.isOnline === false;
    if (!isLost || vm.desired !== "running" || vm.spec.onWorkerLost !== "restart") return false;
    this.#set(vm, { workerId: null, eviction: null, placed: null });
    return true;
  }

  #delete(vm: ModelVm, name: string, expected: number | null): Outcome {
    if (expected !== null && expected !== vm.generation) return "generationMismatch";
    if (vm.desired === "deleted") return OK;
    const quota = this.quotas.get(vm.spec.tenant);
    const { deletesPerMinute = 0 } = quota ?? {};
    if (quota !== undefined && !this.takesToken(vm.spec.tenant, "deletes", deletesPerMinute, deletesPerMinute))
      return "tooManyRequests";
    if (vm.workerId === null) this.vms.delete(name);
    else {
      const state = vm.state === "Lost" ? "Lost" : "Stopping";
      this.#set(vm, { desired: "deleted", state, targetId: null, eviction: null });
    }
    return OK;
  }

  #desire(vm: ModelVm, desired: "running" | "stopped"): Outcome {
    if (vm.desired === "deleted") return "vmIsBeingDeleted";
    const hasFailed = desired === "running" && vm.state === "Failed";
    if (vm.desired === desired && !hasFailed) return OK;
    if (desired === "stopped") {
      const state = vm.workerId === null ? "Stopped" : vm.state === "Lost" ? "Lost" : "Stopping";
      return this.#set(vm, { desired, state, targetId: null });
    }
    this.#set(vm, { desired });
    if (vm.workerId === null || this.#leaveLostWorker(vm)) {
      if (vm.state === "Stopped") vm.state = "Pending";
      return this.#set(vm, { restarts: 0, relocations: 0 });
    }
    if (vm.eviction !== null || (vm.state !== "Stopped" && vm.state !== "Failed")) return OK;
    vm.restarts = 0;
    return this.#again(vm);
  }

  #preempt(vm: ModelVm, command: Extract<ModelCommand, { readonly kind: "preempt" }>): Outcome {
    if (!this.needsPlace(vm) || vm.epoch !== command.epoch) return "vmHasChanged";
    const { workerId } = command;
    if (!this.workers.has(workerId)) return "workerNotFound";
    const victims: ModelVm[] = [];
    for (const name of new Set(command.victims)) {
      const victim = this.vms.get(name);
      if (victim === undefined || victim.workerId !== workerId || intent(victim) !== "run") return "vmHasChanged";
      if (!victim.spec.preemptible || victim.spec.priority >= vm.spec.priority) return "vmHasChanged";
      victims.push(victim);
    }
    const given = victims.reduce((sum, victim) => add(sum, heldByModel(victim)), ZERO);
    const unfit = this.unfit(workerId, this.wantingOf(vm), given);
    if (unfit !== null) return `doesNotFit ${unfit}`;
    for (const victim of victims) this.#set(victim, { state: "Stopping", eviction: "preempted", targetId: null });
    return this.#set(vm, { targetId: workerId });
  }

  #evict(vm: ModelVm, epoch: number, cause: string, to: number | null): Outcome {
    if (vm.epoch !== epoch || vm.workerId === null || intent(vm) === "gone") return "vmHasChanged";
    const { workerId } = vm;
    const target = to === workerId ? null : to;
    if (target !== null) {
      if (!this.workers.has(target)) return "workerNotFound";
      // Whoever says where to is not bound by where it wants to be.
      const wanting = this.wantingOf(vm);
      const unfit = this.unfit(target, { ...wanting, spec: { ...vm.spec, workerId: null } });
      if (unfit !== null) return `doesNotFit ${unfit}`;
    }
    const state = vm.state === "Lost" ? "Lost" : "Stopping";
    this.#set(vm, { state, eviction: cause, targetId: target });
    if (cause === "recovery") this.#set(vm, { avoidId: workerId, restarts: 0, relocations: vm.relocations + 1 });
    return OK;
  }

  #register(id: number, bootId: number, facts: WorkerFacts): Outcome {
    if (!this.nodes.has(id)) return "nodeNotFound";
    if (this.removed.has(id)) return "workerRemoved";
    const availability = this.workers.get(id)?.availability ?? "online";
    this.workers.set(id, { bootId, facts, availability, isOnline: true });
    return OK;
  }

  #lose(id: number, worker: ModelWorker, isConfirmed: boolean): Outcome {
    worker.isOnline = false;
    for (const [, vm] of this.nominees(id)) this.#set(vm, { targetId: null });
    for (const [name, vm] of this.vmsOn(id)) {
      if (vm.desired === "deleted" && isConfirmed) this.vms.delete(name);
      else if (vm.desired === "stopped" && isConfirmed) this.#set(vm, { state: "Stopped" });
      else if (vm.state !== "Lost") this.#set(vm, { state: "Lost" });
      const isFree = isConfirmed || (vm.desired === "running" && vm.spec.onWorkerLost === "restart");
      if (isFree) this.#set(vm, { workerId: null, eviction: null, placed: null });
    }
    for (const name of this.tasksOn(id)) {
      const task = this.tasks.get(name);
      if (task !== undefined) this.#attemptEnded(task, "Failed");
    }
    return OK;
  }

  #attemptEnded(task: ModelTask, how: string): void {
    task.workerId = null;
    task.state = task.isCancelled ? "Cancelled" : task.attempt >= task.spec.attemptsMax ? how : "Pending";
  }

  #seeJob(workerId: number, { id, attempt, phase, exitCode, output }: JobObservation): void {
    const task = this.tasks.get(id);
    if (task === undefined || task.state !== "Running" || task.workerId !== workerId || task.attempt !== attempt)
      return;
    if (phase === "exited" && exitCode === 0) Object.assign(task, { state: "Succeeded", workerId: null });
    else this.#attemptEnded(task, phase === "failed" && output === "timed out" ? "TimedOut" : "Failed");
  }

  #seeMachine(workerId: number, { name, epoch, phase }: MachineObservation): void {
    const vm = this.vms.get(name);
    if (vm === undefined || vm.workerId !== workerId || vm.epoch !== epoch) return;
    const wants = intent(vm);
    if (wants === "gone") {
      if (phase !== "absent") return;
      if (vm.desired === "deleted") this.vms.delete(name);
      else {
        const state = vm.desired === "stopped" ? "Stopped" : "Pending";
        this.#set(vm, { state, workerId: null, eviction: null, placed: null });
      }
      return;
    }
    if (wants === "stop") {
      if (phase === "failed") this.#set(vm, { state: "Stopped" });
      if (phase === "stopped" || phase === "absent") this.#set(vm, { state: "Stopped", placed: null });
      return;
    }
    const hasEnded = phase === "stopped" || phase === "failed" || phase === "unhealthy" || phase === "absent";
    // It was asked to stop and then to start.
    if (vm.state === "Stopping" && hasEnded) {
      if (phase === "stopped" || phase === "absent") vm.placed = null;
      this.#again(vm);
    } else if (phase === "stopped") this.#set(vm, { state: "Stopped", desired: "stopped", placed: null });
    else if (hasEnded) this.#fail(vm, phase === "absent");
    else this.#run(vm, phase);
  }

  #fail(vm: ModelVm, isAbsent: boolean): void {
    // Not there yet; over already.
    if ((isAbsent && vm.state === "Scheduled") || vm.state === "Failed" || vm.state === "Stopped") return;
    const wasWell = vm.state === "Running" && this.timeMs - vm.runningSinceMs >= vm.spec.recovery.resetAfterMs;
    this.#set(vm, { state: "Failed", ...this.#seenAtFirst(vm), ...(wasWell ? { restarts: 0, relocations: 0 } : {}) });
  }

  #run(vm: ModelVm, phase: string): void {
    const state = phase === "building" ? "Building" : phase === "starting" ? "Starting" : "Running";
    const from = {
      Building: ["Scheduled", "Starting"],
      Starting: ["Scheduled", "Building"],
      Running: ["Scheduled", "Building", "Starting", "Stopping", "Lost"],
    };
    if (!from[state].includes(vm.state)) return;
    this.#set(vm, { state, ...this.#seenAtFirst(vm) });
    if (state === "Running") this.#set(vm, { runningSinceMs: this.timeMs, avoidId: null });
  }

  #seenAtFirst(vm: ModelVm): Partial<ModelVm> {
    const isUnchanged = vm.state === "Scheduled" && vm.updatedIndex === vm.epoch;
    return isUnchanged ? { placed: specResources(vm.spec) } : {};
  }
}
