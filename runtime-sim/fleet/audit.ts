/**
 * What must hold of a fleet: looked at from outside, on the hosts themselves and in the replicated state. The rules about hosts are checked whenever what
 * executes somewhere changes; those about the state now and then, and at the end.
 *
 * Not checked here: that replicas agree on the state. That is the business of the oracles of consensus.
 */
import {
  addressOf,
  Batch,
  bucketValues,
  type ClusterState,
  domainOf,
  explainVm,
  placementContext,
  promisable,
  taskOf,
  type VmRecord,
  vmOf,
  type WorkerRecord,
  workerOf,
  workerView,
} from "../../core/index.ts";
import type { Violate } from "../oracle.ts";
import type { Fleet } from "./fleet.ts";
import type { RunningMachine } from "./hypervisor.ts";
import type { Tenants } from "./tenants.ts";
import type { WorkerHost } from "./worker-host.ts";

/** Every rule, for reports. */
export const FLEET_ORACLES = [
  "one-place",
  "one-attempt",
  "host-capacity",
  "quotas",
  "anti-affinity",
  "addresses",
  "legal-moves",
  "no-orphans",
  "desired-runs",
  "healing-target",
] as const;
export type FleetOracle = (typeof FLEET_ORACLES)[number];

/** SPEC section 2, and what the lifecycle's own page allows beyond it. Written down again on purpose. */
const LEGAL: Readonly<Record<string, string>> = {
  Pending: "Scheduled Stopped",
  Scheduled: "Scheduled Building Starting Running Stopping Stopped Failed Lost Pending",
  Building: "Scheduled Starting Running Stopping Stopped Failed Lost Pending",
  Starting: "Scheduled Building Running Stopping Stopped Failed Lost Pending",
  Running: "Scheduled Stopping Stopped Failed Lost Pending",
  Stopping: "Scheduled Running Stopped Failed Lost Pending",
  Stopped: "Scheduled Stopping Lost Pending",
  Failed: "Scheduled Stopping Stopped Lost Pending",
  Lost: "Pending Scheduled Running Stopping Stopped Failed",
};

export class FleetAudit {
  readonly checks: Record<FleetOracle, number> = {
    "one-place": 0,
    "one-attempt": 0,
    "host-capacity": 0,
    quotas: 0,
    "anti-affinity": 0,
    addresses: 0,
    "legal-moves": 0,
    "no-orphans": 0,
    "desired-runs": 0,
    "healing-target": 0,
  };
  /** VMs that ran twice although clocks left the bound: expected there, and counted. */
  seenTwice = 0;
  readonly #violate: Violate;
  readonly #fleet: Fleet;
  readonly #tenants: Tenants;
  readonly #running = new Map<WorkerHost, readonly RunningMachine[]>();
  /** Hosts on which a VM executes now. */
  readonly #places = new Map<string, Set<WorkerHost>>();
  readonly #orphans = new Set<string>();
  #eventsSeen = 0;

  constructor(fleet: Fleet, tenants: Tenants, violate: Violate) {
    this.#fleet = fleet;
    this.#tenants = tenants;
    this.#violate = violate;
  }

  /** A machine that a fault put there is nobody's VM, though it may bear its name. */
  planted(host: WorkerHost, name: string, epoch: number): void {
    this.#orphans.add(`${host.id} ${name} ${epoch}`);
  }

  // ---- Hosts

  /** What executes on a host has changed. */
  changed(host: WorkerHost, state: ClusterState | null): void {
    const running = host.hypervisor
      .running()
      .filter(({ name, epoch }) => !this.#orphans.has(`${host.id} ${name} ${epoch}`));
    const before = this.#running.get(host) ?? [];
    this.#running.set(host, running);
    for (const { name } of before) this.#places.get(name)?.delete(host);
    for (const { name } of running) {
      const places = this.#places.get(name) ?? new Set();
      this.#places.set(name, places);
      places.add(host);
      this.checks["one-place"] += 1;
      if (places.size > 1) this.#twice(name, places);
    }
    this.#capacityOf(host, running, state);
    this.#attempts(host);
  }

  #twice(name: string, places: ReadonlySet<WorkerHost>): void {
    if (this.#fleet.shape.clocksLie) {
      this.seenTwice += 1;
      return;
    }
    const where = [...places].map(({ id }) => `worker ${id}`).join(" and ");
    this.#violate("one-place", () => `VM ${name} executes on ${where} at once`);
  }

  #capacityOf(host: WorkerHost, running: readonly RunningMachine[], state: ClusterState | null): void {
    if (state === null) return;
    this.checks["host-capacity"] += 1;
    let vcpus = 0;
    let memoryMiB = 0;
    for (const { spec } of running) {
      vcpus += spec?.vcpus ?? 0;
      memoryMiB += spec?.memoryMiB ?? 0;
    }
    const worker = workerOf(state, host.id);
    if (worker === null) return;
    const most = promisable(placementContext(new Batch(state)), workerView(worker));
    // What runs twice has room once.
    if (!this.#fleet.shape.clocksLie && (vcpus > most.vcpus || memoryMiB > most.memoryMiB))
      this.#violate(
        "host-capacity",
        () =>
          `worker ${host.id} executes ${vcpus} vcpus and ${memoryMiB} MiB, but may at most ${most.vcpus} and ${most.memoryMiB}`,
      );
  }

  #attempts(host: WorkerHost): void {
    for (const { id } of host.hypervisor.runningJobs) {
      this.checks["one-attempt"] += 1;
      let count = 0;
      for (const other of this.#fleet.hosts) {
        for (const job of other.hypervisor.runningJobs) if (job.id === id) count += 1;
      }
      if (count > 1 && !this.#fleet.shape.clocksLie)
        this.#violate("one-attempt", () => `task ${id} is run by ${count} attempts at once`);
    }
  }

  // ---- The state

  audit(state: ClusterState): void {
    this.#newEvents(state);
    const batch = new Batch(state);
    const context = placementContext(batch);
    const used = new Map<number, { vcpus: number; memoryMiB: number; diskGiB: number }>();
    const tenants = new Map<string, { vms: number; vcpus: number; memoryMiB: number; diskGiB: number }>();
    const addresses = new Map<string, string>();
    for (const vm of everyVm(state)) {
      addTo(used, vm.workerId ?? -1, vm);
      const tenant = tenants.get(vm.tenant) ?? { vms: 0, vcpus: 0, memoryMiB: 0, diskGiB: 0 };
      tenants.set(vm.tenant, tenant);
      tenant.vms += 1;
      tenant.vcpus += vm.spec.vcpus;
      tenant.memoryMiB += vm.spec.memoryMiB;
      for (const { pool: name, index } of vm.addresses) {
        this.checks.addresses += 1;
        const pool = batch.pools.get(name);
        if (pool === null) continue;
        const { address, mac } = addressOf(pool.spec, pool.number, index);
        for (const key of [`${pool.number} ${address}`, mac]) {
          const owner = addresses.get(key);
          if (owner !== undefined) this.#violate("addresses", () => `${key} belongs to ${owner} and to ${vm.name}`);
          addresses.set(key, vm.name);
        }
      }
    }
    for (const bucket of state.workers) {
      for (const worker of bucketValues(bucket))
        this.#roomOf(worker, used.get(worker.id), promisable(context, workerView(worker)));
    }
    this.#quotas(state, tenants);
    this.#antiAffinity(state);
  }

  #roomOf(
    worker: WorkerRecord,
    used: { vcpus: number; memoryMiB: number; diskGiB: number } | undefined,
    most: { vcpus: number; memoryMiB: number; diskGiB: number },
  ): void {
    this.checks["host-capacity"] += 1;
    if (used === undefined) return;
    if (used.vcpus > most.vcpus || used.memoryMiB > most.memoryMiB || used.diskGiB > most.diskGiB)
      this.#violate(
        "host-capacity",
        () => `worker ${worker.id} has promised ${JSON.stringify(used)} of ${JSON.stringify(most)}`,
      );
  }

  #quotas(state: ClusterState, used: ReadonlyMap<string, { vms: number; vcpus: number; memoryMiB: number }>): void {
    // A quota that is lowered leaves what is there.
    if ((this.#fleet.shape.wishes.setQuota ?? 0) > 0) return;
    for (const bucket of state.tenants) {
      for (const { name, quota } of bucketValues(bucket)) {
        const have = used.get(name);
        if (quota === null || have === undefined) continue;
        this.checks.quotas += 1;
        if (have.vms > quota.vms || have.vcpus > quota.vcpus || have.memoryMiB > quota.memoryMiB)
          this.#violate("quotas", () => `tenant ${name} has ${JSON.stringify(have)} of ${JSON.stringify(quota)}`);
      }
    }
  }

  /** Of those that are placed, each hard rule of each, counted anew. */
  #antiAffinity(state: ClusterState): void {
    const groups = new Map<string, Map<string, number>>();
    const placed: (readonly [VmRecord, WorkerRecord])[] = [];
    for (const vm of everyVm(state)) {
      if (vm.spec.antiAffinity.length === 0 || vm.workerId === null) continue;
      const worker = workerOf(state, vm.workerId);
      if (worker === null) continue;
      placed.push([vm, worker]);
      for (const group of new Set(vm.spec.antiAffinity.map((rule) => rule.group))) {
        const counts = groups.get(group) ?? new Map<string, number>();
        groups.set(group, counts);
        for (const scope of ["node", "rack", "zone", "datacenter"] as const) {
          const key = `${scope} ${domainOf(scope, worker)}`;
          counts.set(key, (counts.get(key) ?? 0) + 1);
        }
      }
    }
    // Whoever came later has looked at who was there; who was there first did not agree to those who came.
    for (const [group, counts] of groups) {
      for (const [domain, count] of counts) {
        const [scope] = domain.split(" ");
        let most = 0;
        let hard = 0;
        for (const [vm, worker] of placed) {
          for (const rule of vm.spec.antiAffinity) {
            if (rule.group !== group || rule.scope !== scope || `${scope} ${domainOf(rule.scope, worker)}` !== domain)
              continue;
            if (rule.softWeight !== null) continue;
            hard += 1;
            most = Math.max(most, rule.maxPerDomain);
          }
        }
        this.checks["anti-affinity"] += 1;
        // If all are hard, the one that came last had at most its limit before it.
        if (hard === count && count > most && hard > 0)
          this.#violate(
            "anti-affinity",
            () => `${count} VMs of ${group} are in ${domain}, which their rules limit to ${most}`,
          );
      }
    }
  }

  #newEvents(state: ClusterState): void {
    for (const chunk of state.events.chunks) {
      if ((chunk.at(-1)?.index ?? 0) <= this.#eventsSeen) continue;
      for (const event of chunk) {
        if (event.index <= this.#eventsSeen || event.kind !== "vmState") continue;
        this.checks["legal-moves"] += 1;
        const { name, from, state: to, reason } = event;
        if (from !== to && LEGAL[from]?.split(" ").includes(to) !== true)
          this.#violate("legal-moves", () => `VM ${name} went from ${from} to ${to} at ${event.index}`);
        if (from === "Running" && to !== "Running") this.#left(name, event.workerId, to, reason);
      }
    }
    this.#eventsSeen = state.appliedIndex;
  }

  /** A VM has stopped to run. With faults on single hosts, somebody must have asked for it, or something must have happened to its host. */
  #left(name: string, workerId: number | null, to: string, reason: string): void {
    const { shape, hosts } = this.#fleet;
    if (!shape.faultsAreLocal) return;
    this.checks["healing-target"] += 1;
    if (this.#tenants.touched.has(name) || reason.startsWith("makes room")) return;
    const host = hosts.find(({ id }) => id === workerId) ?? hosts.find(({ id }) => reason.includes(`worker ${id} `));
    if (host === undefined || host.wasDisturbed || this.#tenants.disturbed.has(host.id)) return;
    this.#violate(
      "healing-target",
      () => `VM ${name} went to ${to} on worker ${host.id}, which nothing had happened to (${reason})`,
    );
  }

  // ---- The end

  /** What is still missing before the fleet is as it was asked to be; null: nothing. */
  unsettled(state: ClusterState): string | null {
    for (const vm of everyVm(state)) {
      const why = this.#unsettledVm(state, vm);
      if (why !== null) return why;
    }
    for (const host of this.#fleet.hosts) {
      for (const { name, epoch, phase } of host.hypervisor.inventory()) {
        const vm = vmOf(state, name);
        // A VM that is stopped keeps its disk in what its last run left.
        const isItsDisk = vm?.desired === "stopped" && epoch <= vm.epoch && (phase === "stopped" || phase === "failed");
        if (vm?.workerId !== host.id || (vm.epoch !== epoch && !isItsDisk))
          return `worker ${host.id} has ${name}/${epoch} (${phase}) that nobody wants`;
      }
      for (const { id } of host.hypervisor.jobs()) {
        if (taskOf(state, id)?.workerId !== host.id) return `worker ${host.id} has job ${id} that nobody wants`;
      }
    }
    for (const bucket of state.tasks) {
      for (const { id, state: now } of bucketValues(bucket)) {
        if (now === "Running") return `task ${id} still runs`;
      }
    }
    return null;
  }

  #unsettledVm(state: ClusterState, vm: VmRecord): string | null {
    const is = `VM ${vm.name} is ${vm.state} on worker ${vm.workerId}, epoch ${vm.epoch}, desired ${vm.desired}${vm.eviction === null ? "" : `, evicted: ${vm.eviction}`}`;
    if (vm.desired === "deleted") return is;
    if (vm.desired === "stopped") return vm.state === "Stopped" && vm.eviction === null ? null : is;
    if (vm.state === "Running" && vm.eviction === null) {
      const host = this.#fleet.hosts.find(({ id }) => id === vm.workerId);
      const runs = host?.hypervisor.running().some(({ name, epoch }) => name === vm.name && epoch === vm.epoch);
      return runs === true ? null : `${is}, and does not run there`;
    }
    if (vm.state === "Pending" || vm.state === "Lost") {
      if (vm.workerId !== null || vm.targetId !== null) return is;
      const plan = explainVm(state, vm.name);
      return plan !== null &&
        plan.workerId === null &&
        (plan.preemption === null || plan.preemption.victims.length === 0)
        ? null
        : `${is}, though worker ${plan?.workerId ?? plan?.preemption?.workerId} would take it`;
    }
    // Given up, with the reason in its record.
    if (vm.state === "Failed" && vm.relocations >= 3 && vm.restarts >= vm.spec.recovery.restartsMax) return null;
    return is;
  }

  finished(state: ClusterState): void {
    this.audit(state);
    this.checks["no-orphans"] += this.#fleet.hosts.length;
    this.checks["desired-runs"] += state.vmCount;
  }
}

function* everyVm(state: ClusterState): Generator<VmRecord, void, undefined> {
  for (const bucket of state.vms) for (const leaf of bucket) yield* leaf.values();
}

function addTo(
  used: Map<number, { vcpus: number; memoryMiB: number; diskGiB: number }>,
  workerId: number,
  { spec, placed }: VmRecord,
): void {
  if (workerId === -1) return;
  const sum = used.get(workerId) ?? { vcpus: 0, memoryMiB: 0, diskGiB: 0 };
  used.set(workerId, sum);
  sum.vcpus += Math.max(spec.vcpus, placed?.vcpus ?? 0);
  sum.memoryMiB += Math.max(spec.memoryMiB, placed?.memoryMiB ?? 0);
  sum.diskGiB += Math.max(spec.diskGiB, placed?.diskGiB ?? 0);
}
