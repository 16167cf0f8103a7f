/**
 * What tenants and operators of a fleet ask for: each wish is drawn at random, by the weights of the scenario, and
 * becomes a command. It remembers which VMs and workers somebody has asked something of.
 */
import {
  CLUSTER_LIMITS,
  type ClusterState,
  type Command,
  DEFAULT_QUOTA,
  DEFAULT_RECOVERY,
  FAILURE_DOMAINS,
  type HealthCheck,
  type NetworkAttachment,
  POOL_STRATEGIES,
  STRATEGIES,
  type VmSpec,
  vmOf,
  vmSpec,
} from "../../core/index.ts";
import { drawRange, type Range, type Stream } from "../random/index.ts";
import type { Fleet } from "./fleet.ts";
import { createPool } from "./set-up.ts";
import { WISHES, type Wish } from "./shape.ts";
import type { SimWorker } from "./sim-worker.ts";

interface VmMove {
  readonly name: string;
  readonly epoch: number;
  readonly to: number;
}

export interface WishedFor {
  readonly command: Command;
  /** The worker whose death the command confirms: it stays unplugged until that is in the log. */
  readonly confirmed: SimWorker | null;
}

/** Most VMs that were ever asked for are gone: so many names are tried for one that there is. */
const TRIES_MAX = 6;

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

/** One VM in this many has the longest name and the most metadata that the cluster takes. */
const LONG_ONE_IN = 16;

function isLong(number: number): boolean {
  return number % LONG_ONE_IN === 0;
}

/** One VM in this many has less time to power off than guests need on average, and little time to boot. */
const HASTY_ONE_IN = 8;
const HASTY = { bootTimeoutMs: 30_000, stopTimeoutMs: 100 } as const;

function vmName(number: number): string {
  const name = `vm-${number}`;
  return isLong(number) ? `${"x".repeat(CLUSTER_LIMITS.labelLength - name.length - 1)}-${name}` : name;
}

function labelsOf(count: number): readonly string[] {
  return Array.from({ length: count }, (_, at) => `label-${at}`);
}

function metadataOf(pairs: number): VmSpec["metadata"] {
  return Object.fromEntries(labelsOf(pairs).map((label) => [label, ""]));
}

export class Wishes {
  readonly #fleet: Fleet;
  readonly #rng: Stream;
  readonly #weights: readonly { readonly wish: Wish; readonly weight: number }[];
  /** VMs and tasks that were asked for so far. */
  #created = 0;
  #tasks = 0;
  /** VMs that somebody has asked something of: what becomes of them is not the cluster's own doing. */
  readonly touched = new Set<string>();
  /** Workers that somebody has asked something of. */
  readonly disturbed = new Set<number>();

  constructor(fleet: Fleet, rng: Stream) {
    this.#fleet = fleet;
    this.#rng = rng;
    this.#weights = WISHES.flatMap((wish) => {
      const weight = fleet.shape.wishes[wish] ?? 0;
      return weight > 0 ? [{ wish, weight }] : [];
    });
  }

  get isEmpty(): boolean {
    return this.#weights.length === 0;
  }

  /** The next request, drawn at random; null: there is nothing it could be about. */
  draw(): WishedFor | null {
    const state = this.#fleet.newestState;
    if (state === null) return null;
    const { wish } = this.#rng.pickWeighted(this.#weights);
    const worker = this.#rng.pick(this.#fleet.workers);
    const name = this.#someVm(state);
    if (wish === "confirmDead") return this.#confirmDead();
    const command = this.#commandOf(wish, state, worker, name);
    return command === null ? null : { command, confirmed: null };
  }

  #commandOf(wish: Exclude<Wish, "confirmDead">, state: ClusterState, worker: SimWorker, name: string): Command | null {
    switch (wish) {
      case "create":
        return state.vmCount >= this.#fleet.shape.vmsMax ? null : this.create();
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
        // Refused while the VM is placed: what runs keeps its addresses.
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
      case "unlimit":
        return { kind: "setQuota", tenant: this.#tenant(), quota: null };
      case "changeRules": {
        const vm = vmOf(state, name);
        if (vm === null) return null;
        const spec = { ...vm.spec, ...this.#otherRules() };
        return this.#touching(name, { kind: "updateVm", name, expectedGeneration: vm.generation, spec });
      }
      case "setStrategy": {
        const settings = {
          ...state.scheduler,
          strategy: this.#rng.pick(STRATEGIES),
          preemption: this.#rng.chance(0.7),
          spreadScope: this.#rng.pick(FAILURE_DOMAINS),
          minDomains: this.#rng.integer(1, 2),
        };
        return { kind: "configureScheduler", settings, expectedGeneration: state.schedulerGeneration };
      }
      case "enablePool":
      case "disablePool":
        return { kind: "setPoolEnabled", name: this.#pool(), enabled: wish === "enablePool" };
      case "createPool": {
        const { pools, poolSize } = this.#fleet.shape;
        return createPool(this.#rng.integer(1, pools + 1), Math.max(1, Math.floor(poolSize / pools)));
      }
      case "deletePool":
        return { kind: "deletePool", name: this.#pool() };
      case "createPicky":
        return state.vmCount >= this.#fleet.shape.vmsMax ? null : this.#createPicky(worker);
      case "overLimit":
        return this.#overLimit();
    }
  }

  #confirmDead(): WishedFor | null {
    // Only of a host that is off: a wrong confirmation may let a VM run twice.
    const dead = this.#fleet.workers.filter(({ isDown, isUnplugged }) => isDown && !isUnplugged);
    if (dead.length === 0) return null;
    const worker = this.#rng.pick(dead);
    // And it stays off until the log has that: a confirmation that arrives late would not be true any more.
    worker.unplug();
    return { command: { kind: "confirmWorkerDead", workerId: worker.id }, confirmed: worker };
  }

  #touching(name: string, command: Command): Command {
    this.touched.add(name);
    return command;
  }

  /** Mostly one that there is. */
  #someVm(state: ClusterState): string {
    let name = "";
    for (let tries = 0; tries < TRIES_MAX && vmOf(state, name) === null; tries += 1)
      name = vmName(this.#rng.integer(1, Math.max(1, this.#created)));
    return name;
  }

  #pool(): string {
    return `pool-${this.#rng.integer(1, this.#fleet.shape.pools)}`;
  }

  /** One of the rules that decide where a VM may be, or who gives way to whom. */
  #otherRules(): Partial<VmSpec> {
    switch (this.#rng.integer(0, 5)) {
      case 0:
        return { antiAffinity: this.#antiAffinity() };
      case 1:
        return { priority: this.#rng.integer(0, 1000), preemptible: this.#rng.chance(0.5) };
      case 2:
        return this.#rng.chance(0.5)
          ? { features: this.#rng.chance(0.5) ? ["gpu"] : [] }
          : { hypervisor: this.#rng.pick(["any", "qemu", "cloud-hypervisor"] as const) };
      case 3:
        return { workerId: this.#rng.chance(0.5) ? this.#rng.pick(this.#fleet.workers).id : null };
      case 4:
        return { tenant: this.#tenant() };
      default:
        return { onWorkerLost: this.#rng.pick(["wait", "restart"] as const) };
    }
  }

  #antiAffinity(): VmSpec["antiAffinity"] {
    const rng = this.#rng;
    if (!rng.chance(this.#fleet.shape.groupShare)) return [];
    return [
      {
        group: `group-${rng.integer(1, 3)}`,
        softWeight: rng.chance(0.3) ? rng.integer(1, 10) : null,
        maxPerDomain: rng.integer(1, 2),
        scope: rng.pick(["node", "rack", "zone"] as const),
      },
    ];
  }

  #tenant(): string {
    return `tenant-${this.#rng.integer(1, Math.max(1, this.#fleet.shape.tenants))}`;
  }

  #draw(range: Range): number {
    return drawRange(range, this.#rng, true);
  }

  #someMoves(state: ClusterState): readonly VmMove[] {
    const moves: VmMove[] = [];
    for (let n = 0; n < 3; n += 1) {
      const vm = vmOf(state, this.#someVm(state));
      if (vm === null) continue;
      this.touched.add(vm.name);
      moves.push({ name: vm.name, epoch: vm.epoch, to: this.#rng.pick(this.#fleet.workers).id });
    }
    return moves;
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

  /** A VM that few workers can take, or none: it waits where there is no place, and says why. */
  #createPicky(worker: SimWorker): Command {
    const command = this.create();
    this.touched.add(command.name);
    return { ...command, spec: { ...command.spec, ...this.#demand(worker) } };
  }

  #demand(worker: SimWorker): Partial<VmSpec> {
    const rng = this.#rng;
    const locality = { preferredDatacenter: null, preferredZone: null, strict: false, excludedDatacenters: [] };
    switch (rng.integer(0, 3)) {
      case 0:
        return rng.chance(0.5) ? { features: ["gpu"] } : { hypervisor: "cloud-hypervisor" };
      case 1:
        return { workerId: worker.id };
      case 2:
        return { locality: { ...locality, preferredDatacenter: this.#datacenter(), strict: true } };
      default:
        return { locality: { ...locality, excludedDatacenters: [this.#datacenter()] } };
    }
  }

  /** Mostly one that there is. */
  #datacenter(): string {
    return `dc-${this.#rng.integer(0, this.#fleet.shape.datacenters)}`;
  }

  /** One beyond what the cluster takes. */
  #overLimit(): Command {
    const { labelLength, listLength, metadataPairs, vcpus } = CLUSTER_LIMITS;
    switch (this.#rng.integer(0, 3)) {
      case 0:
        return { kind: "createVm", name: "x".repeat(labelLength + 1), spec: vmSpec() };
      case 1:
        return { kind: "createVm", name: "too-many", spec: vmSpec({ metadata: metadataOf(metadataPairs + 1) }) };
      case 2:
        return { kind: "createVm", name: "too-many", spec: vmSpec({ features: labelsOf(listLength + 1) }) };
      default:
        return { kind: "createVm", name: "too-large", spec: vmSpec({ vcpus: vcpus + 1 }) };
    }
  }

  #network(): NetworkAttachment {
    const { pools, openShare } = this.#fleet.shape;
    if (openShare > 0 && this.#rng.chance(openShare))
      return { pool: null, tags: this.#rng.pick([[], ["all"], ["first"], ["all", "other"]]) };
    return { pool: pools > 1 ? `pool-${this.#rng.integer(1, pools)}` : "pool-1" };
  }

  /** Another VM. */
  create(): Extract<Command, { readonly kind: "createVm" }> {
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
      antiAffinity: this.#antiAffinity(),
      networks: shape.poolSize > 0 ? [this.#network()] : [],
      healthChecks: rng.chance(shape.healthShare) ? HEALTH_CHECKS : [],
      recovery: { ...DEFAULT_RECOVERY, ...shape.recovery },
      onWorkerLost: rng.chance(shape.waitShare) ? "wait" : "restart",
      metadata: isLong(this.#created) ? metadataOf(CLUSTER_LIMITS.metadataPairs) : {},
      ...(this.#created % HASTY_ONE_IN === 1 ? HASTY : {}),
    });
    return { kind: "createVm", name: vmName(this.#created), spec };
  }
}
