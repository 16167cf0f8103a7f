/** The world as faults see it: places instead of hosts, and the fault atlas between them and destruction. */
import type {
  EndFault,
  FaultAtlas,
  FaultKind,
  FaultTarget,
  InjectorHost,
  PlannedFault,
  WorkerTarget,
} from "../faults/index.ts";
import type { Fleet } from "../fleet/index.ts";
import type { Disk, HostClock } from "../hardware/index.ts";
import type { Links, Network } from "../network/index.ts";
import { Stream } from "../random/index.ts";
import type { Operator } from "../workload/index.ts";
import type { Host, LeaderMoment, Place, World } from "../world/index.ts";

/** Who wants to know of each fault. */
export interface FaultListener {
  faultBegan(kind: FaultKind, fault: PlannedFault, hosts: readonly number[]): void;
  faultEnded(kind: FaultKind, fault: PlannedFault): void;
}

export class FaultView implements InjectorHost {
  readonly #world: World;
  readonly #atlas: FaultAtlas;
  readonly #operator: Operator;
  readonly #mayLoseQuorum: boolean;
  readonly #fleet: Fleet | null;
  readonly #listener: FaultListener;

  constructor(
    world: World,
    atlas: FaultAtlas,
    operator: Operator,
    mayLoseQuorum: boolean,
    fleet: Fleet | null,
    listener: FaultListener,
  ) {
    this.#fleet = fleet;
    this.#world = world;
    this.#atlas = atlas;
    this.#operator = operator;
    this.#mayLoseQuorum = mayLoseQuorum;
    this.#listener = listener;
  }

  get nowUs(): number {
    return this.#world.loop.nowUs;
  }
  get network(): Network {
    return this.#world.network;
  }
  get links(): Links {
    return this.#world.links;
  }

  faultDice(id: number): Stream {
    // Used up once: not kept with the others, of which there are few.
    return new Stream(`${this.#world.streams.seed}/fault/${id}`);
  }

  faultBegan(kind: FaultKind, fault: PlannedFault, hosts: readonly number[]): void {
    this.#world.loop.hash.mix(fault.id);
    for (const host of hosts) this.#world.loop.hash.mix(host);
    this.#listener.faultBegan(kind, fault, hosts);
  }

  faultEnded(kind: FaultKind, fault: PlannedFault): void {
    this.#world.loop.hash.mix(fault.id);
    this.#listener.faultEnded(kind, fault);
  }

  participants(): readonly number[] {
    const configuration = this.#world.members.configuration();
    const taking = this.#world.members.places.filter(
      ({ host }) =>
        host !== null && (configuration === null || configuration.members.some((member) => member.id === host.id)),
    );
    return taking.map(({ index }) => index);
  }

  resolve(target: FaultTarget, dice: Stream): readonly number[] {
    if (typeof target !== "string") {
      return target
        .map((host) => host - 1)
        .filter((index) => this.#isWorker(index) || this.#place(index).host !== null);
    }
    const leader = this.#world.members.leader()?.place.index ?? null;
    const participants = this.participants();
    switch (target) {
      case "all":
        return participants;
      case "leader":
        return leader === null ? [] : [leader];
      case "follower":
        return this.#one(
          participants.filter((index) => index !== leader),
          dice,
        );
      case "any":
        return this.#one(participants, dice);
      case "worker":
        return this.#world.members.workerPlaces.length === 0 ? [] : [dice.pick(this.#world.members.workerPlaces).index];
    }
  }

  #isWorker(index: number): boolean {
    return index >= this.#world.members.places.length;
  }

  workerAt(index: number): WorkerTarget | null {
    return this.#fleet?.target(index) ?? null;
  }

  /** One of them, of those that are up if any is. */
  #one(indexes: readonly number[], dice: Stream): readonly number[] {
    const up = indexes.filter((index) => this.isUp(index));
    const candidates = up.length > 0 ? up : indexes;
    return candidates.length === 0 ? [] : [dice.pick(candidates)];
  }

  isUp(index: number): boolean {
    return this.#place(index).host?.state === "up";
  }

  diskOf(index: number): Disk {
    return this.#host(index).storage;
  }

  clockOf(index: number): HostClock {
    return this.#place(index).clock;
  }

  after(delayUs: number, action: () => void): void {
    this.#world.loop.after(delayUs, action);
  }

  crash(index: number): boolean {
    const { host } = this.#place(index);
    return host !== null && this.#world.processes.crash(host);
  }

  restart(index: number): void {
    const { host } = this.#place(index);
    if (host !== null) this.#world.processes.boot(host);
  }

  onNextWrite(index: number, action: () => void): EndFault {
    const { writeTraps } = this.#place(index);
    writeTraps.add(action);
    return () => {
      writeTraps.delete(action);
    };
  }

  onLeader(moment: LeaderMoment, action: (index: number) => void): EndFault {
    const { leaderTraps } = this.#world.progress;
    const trap = { moment, spring: (host: Host): void => action(host.place.index) };
    leaderTraps.add(trap);
    return () => {
      leaderTraps.delete(trap);
    };
  }

  pause(index: number): EndFault {
    const place = this.#place(index);
    this.#world.processes.pause(place);
    return () => this.#world.processes.resume(place);
  }

  slowDown(index: number, inputUs: number): EndFault {
    const { slowness } = this.#place(index);
    slowness.push(inputUs);
    return () => {
      slowness.splice(slowness.indexOf(inputUs), 1);
    };
  }

  /** With this copy gone too, would every configuration that may decide something still have more sound copies than not? */
  mayDamage(index: number): boolean {
    const { host } = this.#place(index);
    if (host === null) return false;
    if (this.#mayLoseQuorum) return true;
    this.#operator.reckonWhole();
    return this.#operator.votersInPlay().every((voters) => this.#atlas.mayDamage(host.id, voters));
  }

  diskFaulted(index: number, lasting: boolean): void {
    const host = this.#host(index);
    host.disk.faults += 1;
    if (lasting) this.#atlas.markDamaged(host.id);
    this.#world.processes.armDisk(host);
  }

  loseDisk(index: number, absentUs: number): void {
    const host = this.#host(index);
    this.diskFaulted(index, true);
    this.#world.processes.retire(host);
    this.#operator.replaceLater(host, absentUs);
  }

  clockChanged(index: number): void {
    this.#world.processes.clockChanged(this.#place(index));
  }

  driftClock(index: number, factor: number): EndFault {
    const place = this.#place(index);
    const drift = { factor };
    place.drifts.push(drift);
    this.#setRate(place);
    return () => {
      place.drifts.splice(place.drifts.indexOf(drift), 1);
      this.#setRate(place);
    };
  }

  #setRate(place: Place): void {
    let rate = place.baseRate;
    for (const { factor } of place.drifts) rate *= factor;
    place.clock.setRate(rate, this.#world.loop.nowUs);
    this.#world.processes.clockChanged(place);
  }

  #place(index: number): Place {
    const place = this.#world.members.places[index];
    if (place === undefined) throw new RangeError(`there is no place ${index}`);
    return place;
  }

  #host(index: number): Host {
    const { host } = this.#place(index);
    if (host === null) throw new RangeError(`nobody lives at place ${index}`);
    return host;
  }
}
