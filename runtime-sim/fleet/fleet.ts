/** All hosts that run machines, how they come to be known, and what faults may do to them. */
import { type ClusterState, factsOf, type HostFacts, nodeOf, type WorkerFacts } from "../../core/index.ts";
import type { WorkerTarget } from "../faults/index.ts";
import { drawRange, type Stream } from "../random/index.ts";
import type { Place, World } from "../world/index.ts";
import type { FleetShape } from "./shape.ts";
import { type HostListener, WorkerHost } from "./worker-host.ts";

/** Node ids of workers begin here, out of the way of members that come and go. */
export const FIRST_WORKER_ID = 10_001;

export class Fleet {
  readonly hosts: readonly WorkerHost[];
  readonly shape: FleetShape;
  readonly #world: World;
  readonly #byPlace: ReadonlyMap<number, WorkerHost>;

  constructor(world: World, shape: FleetShape, listener: HostListener) {
    this.#world = world;
    this.shape = shape;
    this.hosts = world.members.workerPlaces.map((place, at) => {
      const dice = world.streams.stream(`worker/${at + 1}`);
      const { peerId } = world.members.issueIdentity(place);
      const facts = factsFor(shape, at, world);
      return new WorkerHost({
        world,
        place,
        id: FIRST_WORKER_ID + at,
        peerId,
        facts,
        conditions: shape.hypervisor,
        dice,
        listener,
      });
    });
    this.#byPlace = new Map(this.hosts.map((host) => [host.place.index, host]));
    // Not all in the same instant, as after a power cut they are not either.
    for (const [at, host] of this.hosts.entries()) world.loop.after(at * 1000, () => host.boot(this.servers));
  }

  /** Members to report to: the first ones; directives tell of others. */
  get servers(): readonly number[] {
    const ids = this.#world.members.hosts.filter(({ state }) => state !== "gone").map(({ id }) => id);
    return ids.length > 0 ? ids : [1];
  }

  /** The newest state that any member holds: what a client knows that has just looked. Null: no member runs. */
  get newestState(): ClusterState | null {
    let best: ClusterState | null = null;
    for (const { node } of this.#world.members.hosts) {
      if (node !== null && (best === null || node.state.appliedIndex > best.appliedIndex)) best = node.state;
    }
    return best;
  }

  /** Where a request is sent: to a member, whichever. One where nobody lives if there is none. */
  anyMember(dice: Stream): Place {
    const { places } = this.#world.members;
    const inhabited = places.filter(({ host }) => host !== null);
    return dice.pick(inhabited.length > 0 ? inhabited : places);
  }

  at(placeIndex: number): WorkerHost | null {
    return this.#byPlace.get(placeIndex) ?? null;
  }

  /** What faults may do to the host at that place. */
  target(placeIndex: number): WorkerTarget | null {
    const host = this.at(placeIndex);
    if (host === null) return null;
    return {
      placeIndex,
      disturb: () => {
        host.wasDisturbed = true;
      },
      crashAgent: () => {
        host.crashAgent();
        if (this.shape.agentRestartsDisturb) host.wasDisturbed = true;
      },
      bootAgent: () => host.boot(this.servers),
      pause: () => host.pause(),
      powerOff: () => host.powerOff(),
      powerOn: () => host.powerOn(this.servers),
      worsen: (fault, value) => host.worsen(fault, value),
      plantOrphan: (name, epoch) => {
        host.wasDisturbed = true;
        host.hypervisor.plantOrphan(name, epoch, this.#world.loop.nowUs);
        host.hypervisorChanged();
      },
      drift: (factor) => {
        host.wasDisturbed = true;
        const drift = { factor };
        host.place.drifts.push(drift);
        this.#setRate(host);
        return () => {
          host.place.drifts.splice(host.place.drifts.indexOf(drift), 1);
          this.#setRate(host);
        };
      },
    };
  }

  #setRate(host: WorkerHost): void {
    let rate = host.place.baseRate;
    for (const { factor } of host.place.drifts) rate *= factor;
    host.place.clock.setRate(rate, this.#world.loop.nowUs);
    host.clockChanged();
  }

  /** Everything works again. */
  heal(): void {
    for (const host of this.hosts) {
      host.place.clock.thaw(this.#world.loop.nowUs);
      host.place.clock.setRate(1, this.#world.loop.nowUs);
      host.clockChanged();
      host.powerOn(this.servers);
      host.boot(this.servers);
    }
  }

  /** What is to be announced of those that the state does not know. */
  unknown(state: ClusterState): readonly WorkerHost[] {
    return this.hosts.filter(({ id }) => nodeOf(state, id) === null);
  }
}

function factsFor(shape: FleetShape, at: number, world: World): HostFacts {
  const dice = world.streams.stream("plan/fleet");
  const zone = at % (shape.datacenters * shape.zones);
  const facts: WorkerFacts = {
    capacity: {
      vcpus: drawRange(shape.vcpus, dice, true),
      memoryMiB: drawRange(shape.memoryMiB, dice, true),
      diskGiB: drawRange(shape.diskGiB, dice, true),
    },
    features: dice.chance(0.5) ? ["kvm"] : ["gpu", "kvm"],
    topology: {
      datacenter: `dc-${zone % shape.datacenters}`,
      zone: `zone-${zone}`,
      rack: `rack-${Math.floor(at / (shape.datacenters * shape.zones)) % shape.racks}`,
    },
    costPerHour: dice.integer(1, 100),
    driver: "simulated",
  };
  return factsOf(facts);
}
