/**
 * Tenants and operators of a fleet: they announce the workers, set the cluster up, and then send one request after
 * another to any node. A request without a clear answer is not repeated, except those of the set-up: without it there
 * is nothing to see.
 */
import {
  type ClientAnswer,
  type ClusterState,
  type Command,
  DEFAULT_QUOTA,
  DEFAULT_RECOVERY,
  DEFAULT_SCHEDULER,
  type HealthCheck,
  type NetworkAttachment,
  POOL_STRATEGIES,
  type VmSpec,
  vmOf,
  vmSpec,
} from "../../core/index.ts";
import { drawRange, type Range, type Stream } from "../random/index.ts";
import type { Caller, World } from "../world/index.ts";
import type { Fleet } from "./fleet.ts";
import { WISHES, type Wish } from "./shape.ts";
import type { SimWorker } from "./sim-worker.ts";

/**
 * Set-up requests under way at a time, more if there are more than so many VMs for each; and how long one waits before
 * it is asked again elsewhere.
 */
const SETUP_PARALLEL = 32;
const SETUP_VMS_EACH = 80;
const PATIENCE_US = 3_000_000;

export class Tenants implements Caller {
  readonly #world: World;
  readonly #fleet: Fleet;
  readonly #rng: Stream;
  readonly #everyUs: number;
  readonly #wishes: readonly (readonly [Wish, number])[];
  /** What is still to be set up, and what of it has been asked for: by attempt. */
  readonly #setup: Command[][];
  readonly #pending = new Map<number, Command>();
  #attempt = 0;
  /** Hosts whose death has been confirmed, and that is not known to be in the log: by attempt. */
  readonly #confirmed = new Map<number, SimWorker>();
  #stopped = false;
  #created = 0;
  #tasks = 0;
  #moves: { readonly name: string; readonly epoch: number; readonly to: number }[] = [];
  /** VMs that somebody has asked something of: what becomes of them is not the cluster's own doing. */
  readonly touched = new Set<string>();
  /** Workers that somebody has asked something of. */
  readonly disturbed = new Set<number>();
  readonly outcomes = { asked: 0, applied: 0, refused: 0, unknown: 0 };

  constructor(world: World, fleet: Fleet) {
    this.#world = world;
    this.#fleet = fleet;
    this.#rng = world.streams.stream("tenants");
    const { shape } = fleet;
    this.#everyUs = shape.askEveryMs === null ? 0 : drawRange(shape.askEveryMs, this.#rng, false) * 1000;
    this.#wishes = WISHES.flatMap((wish) => {
      const weight = shape.wishes[wish] ?? 0;
      return weight > 0 ? [[wish, weight] as const] : [];
    });
    this.#setup = this.#setupCommands();
    world.loop.after(1_500_000, () => this.#proceed());
    if (this.#everyUs > 0 && this.#wishes.length > 0) this.#askLater();
  }

  /** In steps: settings come before the VMs that they are for. */
  #setupCommands(): Command[][] {
    const { shape, workers } = this.#fleet;
    const commands: Command[] = workers.map(({ id, peerId }) => ({
      kind: "announceNode",
      nodeId: id,
      peerId,
      addresses: [`worker-${id}:7001`],
    }));
    const overcommit = shape.overcommit ?? DEFAULT_SCHEDULER.overcommit;
    commands.push({ kind: "configureScheduler", settings: { ...DEFAULT_SCHEDULER, overcommit, ...shape.scheduler } });
    if (shape.quota !== null) {
      for (let tenant = 1; tenant <= shape.tenants; tenant += 1) {
        const fast = {
          createsPerMinute: 100_000,
          deletesPerMinute: 100_000,
          requestsPerSecond: 100_000,
          requestsBurst: 100_000,
        };
        const quota = { ...DEFAULT_QUOTA, ...fast, ...shape.quota };
        commands.push({ kind: "setQuota", tenant: `tenant-${tenant}`, quota });
      }
    }
    for (let pool = 1; shape.poolSize > 0 && pool <= shape.pools; pool += 1) {
      // A gateway, and the two ends of the subnet, are nobody's.
      const size = Math.floor(shape.poolSize / shape.pools);
      const net = `10.${pool - 1}`;
      const last = `${net}.${(size + 1) >> 8}.${(size + 1) & 255}`;
      commands.push({
        kind: "createPool",
        spec: {
          name: `pool-${pool}`,
          subnet: `${net}.0.0/16`,
          gateway: `${net}.0.1`,
          dns: [],
          rangeFirst: `${net}.0.2`,
          rangeLast: last,
          vlan: null,
          reserved: [],
          datacenter: null,
          zone: null,
          // Tags overlap: the first pool has one of its own, the others another.
          tags: ["all", pool === 1 ? "first" : "other"],
          enabled: true,
        },
      });
    }
    const vms = Array.from({ length: shape.vms }, () => this.#create());
    return [commands.reverse(), vms.reverse()];
  }

  /**
   * Nothing more is asked for, but the set-up goes on; and a death that was confirmed is confirmed until the log has
   * it: before that the host must not come back.
   */
  stop(): void {
    this.#stopped = true;
    const workers = new Set(this.#confirmed.values());
    this.#confirmed.clear();
    for (const { id } of workers) this.#insist({ kind: "confirmWorkerDead", workerId: id });
  }

  get waitsFor(): string | null {
    let left = this.#pending.size;
    for (const step of this.#setup) left += step.length;
    return left === 0 ? null : `${left} requests that somebody insists on have not been answered`;
  }

  #proceed(): void {
    const parallel = Math.max(SETUP_PARALLEL, Math.ceil(this.#fleet.shape.vms / SETUP_VMS_EACH));
    while (this.#pending.size < parallel) {
      const command = this.#setup[0]?.pop();
      if (command !== undefined) this.#insist(command);
      else if (this.#setup.length === 0 || this.#pending.size > 0) return;
      else this.#setup.shift();
    }
  }

  #insist(command: Command): void {
    const attempt = this.#send(command);
    this.#pending.set(attempt, command);
    this.#world.loop.after(PATIENCE_US, () => this.#again(attempt));
  }

  #again(attempt: number): void {
    const command = this.#pending.get(attempt);
    if (command === undefined) return;
    this.#pending.delete(attempt);
    this.#insist(command);
  }

  #send(command: Command): number {
    const attempt = ++this.#attempt;
    const host = this.#fleet.anyMember(this.#rng);
    this.#world.gateway.request(host, { kind: "propose", request: { session: null, command } }, this, attempt);
    return attempt;
  }

  answered(attempt: number, answer: ClientAnswer | null): void {
    const insistedOn = this.#pending.get(attempt);
    if (answer?.kind === "applied") {
      const confirmed = insistedOn?.kind === "confirmWorkerDead" ? this.#hostOf(insistedOn.workerId) : null;
      (confirmed ?? this.#confirmed.get(attempt))?.plugIn(this.#fleet.servers);
      this.#confirmed.delete(attempt);
      if (answer.result.ok) this.outcomes.applied += 1;
      else this.outcomes.refused += 1;
      if (insistedOn !== undefined) {
        this.#pending.delete(attempt);
        this.#proceed();
      }
      return;
    }
    this.outcomes.unknown += 1;
    if (insistedOn !== undefined) this.#world.loop.after(this.#rng.exponential(100_000), () => this.#again(attempt));
  }

  #hostOf(id: number): SimWorker | null {
    return this.#fleet.workers.find((worker) => worker.id === id) ?? null;
  }

  #askLater(): void {
    this.#world.loop.after(this.#rng.exponential(this.#everyUs), () => {
      if (this.#stopped) return;
      const command = this.#wish();
      if (command !== null) {
        this.outcomes.asked += 1;
        this.#send(command);
      }
      this.#askLater();
    });
  }

  // ---- Wishes

  #wish(): Command | null {
    const state = this.#fleet.newestState;
    if (state === null) return null;
    const wish = this.#pickWish();
    const worker = this.#rng.pick(this.#fleet.workers);
    const name = this.#someVm();
    switch (wish) {
      case "create":
        return state.vmCount >= this.#fleet.shape.vmsMax ? null : this.#create();
      case "delete":
        return this.#touching(name, { kind: "deleteVm", name, expectedGeneration: null });
      case "stop":
        return this.#touching(name, { kind: "setVmDesired", name, desired: "stopped" });
      case "start":
        return this.#touching(name, { kind: "setVmDesired", name, desired: "running" });
      case "restart":
        return this.#touching(name, { kind: "restartVm", name });
      case "resize": {
        const vm = vmOf(state, name);
        if (vm === null) return null;
        const spec = {
          ...vm.spec,
          vcpus: this.#draw(this.#fleet.shape.vmVcpus),
          memoryMiB: this.#draw(this.#fleet.shape.vmMemoryMiB),
        };
        return this.#touching(name, { kind: "updateVm", name, expectedGeneration: vm.generation, spec });
      }
      case "rewire": {
        // Refused while it is placed: what runs keeps what it answers to.
        const vm = vmOf(state, name);
        if (vm === null) return null;
        const networks = this.#rng.chance(0.5) ? [...vm.spec.networks, this.#network()] : [this.#network()];
        const spec = { ...vm.spec, networks: networks.slice(-2) };
        return this.#touching(name, { kind: "updateVm", name, expectedGeneration: vm.generation, spec });
      }
      case "setPoolStrategy":
        return { kind: "setPoolStrategy", strategy: this.#rng.pick(POOL_STRATEGIES) };
      case "migrate":
        return this.#touching(name, { kind: "migrateVm", name, to: this.#rng.chance(0.5) ? worker.id : null });
      case "drain":
      case "cordon":
      case "uncordon": {
        this.disturbed.add(worker.id);
        const availability = wish === "drain" ? "draining" : wish === "cordon" ? "cordoned" : "online";
        return { kind: "setAvailability", workerId: worker.id, availability };
      }
      case "rebalance":
        return { kind: "rebalance", moves: this.#someMoves(state) };
      case "submitTask":
        return this.#submit();
      case "cancelTask":
        return { kind: "cancelTask", id: `task-${this.#rng.integer(1, Math.max(1, this.#tasks))}` };
      case "setQuota": {
        const tenant = this.#tenant();
        const quota = { ...DEFAULT_QUOTA, ...this.#fleet.shape.quota, vms: this.#rng.integer(2, 20) };
        return { kind: "setQuota", tenant, quota };
      }
      case "confirmDead": {
        // Only of a host that is off: an operator who says so of another may run a VM twice.
        const dead = this.#fleet.workers.filter(({ isDown, isUnplugged }) => isDown && !isUnplugged);
        if (dead.length === 0) return null;
        const worker = this.#rng.pick(dead);
        // And it stays off until that is in the log: a word that comes late would not be true any more.
        worker.unplug();
        this.#confirmed.set(this.#attempt + 1, worker);
        return { kind: "confirmWorkerDead", workerId: worker.id };
      }
    }
  }

  #pickWish(): Wish {
    let total = 0;
    for (const [, weight] of this.#wishes) total += weight;
    let at = this.#rng.nextUnit() * total;
    for (const [wish, weight] of this.#wishes) {
      at -= weight;
      if (at < 0) return wish;
    }
    return this.#wishes[0]?.[0] ?? "create";
  }

  #touching(name: string, command: Command): Command {
    this.touched.add(name);
    return command;
  }

  #someVm(): string {
    return `vm-${this.#rng.integer(1, Math.max(1, this.#created))}`;
  }

  #tenant(): string {
    return `tenant-${this.#rng.integer(1, Math.max(1, this.#fleet.shape.tenants))}`;
  }

  #draw(range: Range): number {
    return drawRange(range, this.#rng, true);
  }

  #someMoves(state: ClusterState): readonly { readonly name: string; readonly epoch: number; readonly to: number }[] {
    this.#moves = [];
    for (let n = 0; n < 3; n += 1) {
      const vm = vmOf(state, this.#someVm());
      if (vm === null) continue;
      this.touched.add(vm.name);
      this.#moves.push({ name: vm.name, epoch: vm.epoch, to: this.#rng.pick(this.#fleet.workers).id });
    }
    return this.#moves;
  }

  #submit(): Command {
    this.#tasks += 1;
    return {
      kind: "submitTask",
      id: `task-${this.#tasks}`,
      spec: {
        command: "/bin/work",
        args: [String(this.#tasks)],
        resources: { vcpus: 1, memoryMiB: 256, diskGiB: 1 },
        features: [],
        tenant: this.#tenant(),
        timeoutMs: this.#rng.integer(500, 20_000),
        attemptsMax: this.#rng.integer(1, 4),
      },
    };
  }

  #network(): NetworkAttachment {
    const { pools, openShare } = this.#fleet.shape;
    if (openShare > 0 && this.#rng.chance(openShare))
      return { pool: null, tags: this.#rng.pick([[], ["all"], ["first"], ["all", "other"]]) };
    return { pool: pools > 1 ? `pool-${this.#rng.integer(1, pools)}` : "pool-1" };
  }

  #create(): Command {
    const { shape } = this.#fleet;
    const rng = this.#rng;
    this.#created += 1;
    const spec: VmSpec = vmSpec({
      vcpus: this.#draw(shape.vmVcpus),
      memoryMiB: this.#draw(shape.vmMemoryMiB),
      diskGiB: rng.integer(1, 10),
      tenant: this.#tenant(),
      priority: this.#draw(shape.vmPriority),
      preemptible: rng.chance(0.8),
      antiAffinity: rng.chance(shape.groupShare)
        ? [
            {
              group: `group-${rng.integer(1, 3)}`,
              softWeight: rng.chance(0.3) ? rng.integer(1, 10) : null,
              maxPerDomain: rng.integer(1, 2),
              scope: rng.pick(["node", "rack", "zone"] as const),
            },
          ]
        : [],
      networks: shape.poolSize > 0 ? [this.#network()] : [],
      healthChecks: rng.chance(shape.healthShare) ? HEALTH_CHECKS : [],
      recovery: { ...DEFAULT_RECOVERY, ...shape.recovery },
      onWorkerLost: rng.chance(shape.waitShare) ? "wait" : "restart",
    });
    return { kind: "createVm", name: `vm-${this.#created}`, spec };
  }
}

const HEALTH_CHECKS: readonly HealthCheck[] = [
  {
    name: "alive",
    probe: { kind: "tcp", port: 80 },
    intervalMs: 1000,
    timeoutMs: 500,
    initialDelayMs: 1000,
    failures: 3,
    successes: 2,
    weight: 1,
    critical: true,
  },
];
