/** All workers, how they are announced to the cluster, and what faults may do to them. */
import { type ClusterState, factsOf, type HostFacts, nodeOf, type WorkerFacts } from "../../core/index.ts";
import type { WorkerTarget } from "../faults/index.ts";
import { drawRange, type Stream } from "../random/index.ts";
import type { SimHost, World } from "../world/index.ts";
import type { FleetShape } from "./shape.ts";
import { SimWorker, type WorkerListener } from "./sim-worker.ts";

/** Node ids of workers begin here, out of the way of members that come and go. */
export const FIRST_WORKER_ID = 10_001;

export class Fleet {
  readonly workers: readonly SimWorker[];
  readonly shape: FleetShape;
  readonly #world: World;
  readonly #byHostIndex: ReadonlyMap<number, SimWorker>;

  constructor(world: World, shape: FleetShape, listener: WorkerListener) {
    this.#world = world;
    this.shape = shape;
    this.workers = world.members.workerHosts.map((host, at) => {
      const rng = world.streams.stream(`worker/${at + 1}`);
      const { peerId } = world.members.issueIdentity(host);
      const facts = factsFor(shape, at, world);
      return new SimWorker({
        world,
        host,
        id: FIRST_WORKER_ID + at,
        peerId,
        facts,
        conditions: shape.hypervisor,
        rng,
        listener,
      });
    });
    this.#byHostIndex = new Map(this.workers.map((worker) => [worker.host.index, worker]));
    // Not all at the same instant: real hosts are not either, even after a power cut.
    for (const [at, worker] of this.workers.entries()) world.loop.after(at * 1000, () => worker.boot(this.servers));
  }

  /** Members to report to at first; directives name others. */
  get servers(): readonly number[] {
    const ids = this.#world.members.all.filter(({ state }) => state !== "gone").map(({ id }) => id);
    return ids.length > 0 ? ids : [1];
  }

  /** The newest state that any member holds, as a client that has just read it would know. Null: no member runs. */
  get newestState(): ClusterState | null {
    let best: ClusterState | null = null;
    for (const { node } of this.#world.members.all) {
      if (node !== null && (best === null || node.state.appliedIndex > best.appliedIndex)) best = node.state;
    }
    return best;
  }

  /** The host of any member, to send a request to; a host without a member if there is no other. */
  anyMember(rng: Stream): SimHost {
    const { hosts } = this.#world.members;
    const inhabited = hosts.filter(({ member }) => member !== null);
    return rng.pick(inhabited.length > 0 ? inhabited : hosts);
  }

  /** The host of an honest member, if there is one: a liar may tell those who ask anything. */
  honestMember(rng: Stream): SimHost {
    const { hosts } = this.#world.members;
    const honest = hosts.filter(({ member }) => member?.honest === true);
    return rng.pick(honest.length > 0 ? honest : hosts);
  }

  withId(id: number): SimWorker | null {
    return this.workers[id - FIRST_WORKER_ID] ?? null;
  }

  at(placeIndex: number): SimWorker | null {
    return this.#byHostIndex.get(placeIndex) ?? null;
  }

  /** What faults may do to the worker on that host. */
  target(placeIndex: number): WorkerTarget | null {
    const worker = this.at(placeIndex);
    if (worker === null) return null;
    return {
      hostIndex: placeIndex,
      disturb: () => {
        worker.wasDisturbed = true;
      },
      crashAgent: () => {
        worker.crashAgent();
        if (this.shape.agentRestartsDisturb) worker.wasDisturbed = true;
      },
      bootAgent: () => worker.boot(this.servers),
      pause: () => worker.pause(),
      powerOff: () => worker.powerOff(),
      powerOn: () => worker.powerOn(this.servers),
      worsen: (fault, value) => worker.worsen(fault, value),
      plantOrphan: (name, epoch) => {
        worker.wasDisturbed = true;
        worker.hypervisor.plantOrphan(name, epoch, this.#world.loop.nowUs);
        worker.hypervisorChanged();
      },
      drift: (factor) => {
        worker.wasDisturbed = true;
        const drift = { factor };
        worker.host.drifts.push(drift);
        this.#setRate(worker);
        return () => {
          worker.host.drifts.splice(worker.host.drifts.indexOf(drift), 1);
          this.#setRate(worker);
        };
      },
    };
  }

  #setRate(worker: SimWorker): void {
    let rate = worker.host.baseRate;
    for (const { factor } of worker.host.drifts) rate *= factor;
    worker.host.clock.setRate(rate, this.#world.loop.nowUs);
    worker.clockChanged();
  }

  /** Everything works again. */
  heal(): void {
    for (const worker of this.workers) {
      worker.host.clock.thaw(this.#world.loop.nowUs);
      worker.host.clock.setRate(1, this.#world.loop.nowUs);
      worker.clockChanged();
      worker.powerOn(this.servers);
      worker.boot(this.servers);
    }
  }

  /** Workers that the state does not know yet. */
  unknown(state: ClusterState): readonly SimWorker[] {
    return this.workers.filter(({ id }) => nodeOf(state, id) === null);
  }
}

function factsFor(shape: FleetShape, at: number, world: World): HostFacts {
  const rng = world.streams.stream("plan/fleet");
  const zone = at % (shape.datacenters * shape.zones);
  const facts: WorkerFacts = {
    capacity: {
      vcpus: drawRange(shape.vcpus, rng, true),
      memoryMiB: drawRange(shape.memoryMiB, rng, true),
      diskGiB: drawRange(shape.diskGiB, rng, true),
    },
    features: rng.chance(0.5) ? ["kvm", "qemu"] : ["cloud-hypervisor", "gpu", "kvm", "qemu"],
    topology: {
      datacenter: `dc-${zone % shape.datacenters}`,
      zone: `zone-${zone}`,
      rack: `rack-${Math.floor(at / (shape.datacenters * shape.zones)) % shape.racks}`,
    },
    costPerHour: rng.integer(1, 100),
    driver: "simulated",
    guestsVia: [],
  };
  return factsOf(facts);
}
