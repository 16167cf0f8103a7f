/** The world as faults see it: hosts by number. Whether data may be destroyed is asked of the fault atlas. */
import { LEVEL, type NodeId } from "../../core/index.ts";
import type {
  EndFault,
  FaultAtlas,
  FaultKind,
  FaultTarget,
  InjectorWorld,
  PlannedFault,
  WorkerTarget,
} from "../faults/index.ts";
import type { Fleet } from "../fleet/index.ts";
import type { Disk, HostClock } from "../hardware/index.ts";
import type { Links, Network } from "../network/index.ts";
import { Stream } from "../random/index.ts";
import type { Operator } from "../workload/index.ts";
import type { LeaderMoment, SimHost, SimMember, World } from "../world/index.ts";

/** A wall clock that was never further off than this counts as right. */
const WALL_ERROR_MAX_MS = 60_000;

/** Who wants to know of each fault. */
export interface FaultListener {
  faultBegan(kind: FaultKind, fault: PlannedFault, hosts: readonly number[]): void;
  faultEnded(kind: FaultKind, fault: PlannedFault): void;
}

export class FaultView implements InjectorWorld {
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

  faultRng(id: number): Stream {
    // Used up once: not kept with the others, of which there are few.
    return new Stream(`${this.#world.streams.seed}/fault/${id}`);
  }

  faultBegan(kind: FaultKind, fault: PlannedFault, hosts: readonly number[]): void {
    this.#world.loop.hash.mix(fault.id);
    for (const host of hosts) {
      this.#world.loop.hash.mix(host);
      // Kinds that hit members and workers alike, such as the loss of messages, do not know what a worker is.
      this.workerAt(host)?.disturb();
    }
    this.#world.conditions.changed();
    this.#listener.faultBegan(kind, fault, hosts);
  }

  faultEnded(kind: FaultKind, fault: PlannedFault): void {
    this.#world.loop.hash.mix(fault.id);
    this.#world.conditions.changed();
    this.#listener.faultEnded(kind, fault);
  }

  participants(): readonly number[] {
    const configuration = this.#world.members.configuration();
    const taking = this.#world.members.hosts.filter(
      ({ member }) =>
        member !== null && (configuration === null || configuration.members.some(({ id }) => id === member.id)),
    );
    return taking.map(({ index }) => index);
  }

  resolve(target: FaultTarget, rng: Stream): readonly number[] {
    if (typeof target !== "string") {
      return target
        .map((host) => host - 1)
        .filter((index) => this.#isWorker(index) || this.#hostAt(index).member !== null);
    }
    const leader = this.#world.members.leader()?.host.index ?? null;
    const participants = this.participants();
    switch (target) {
      case "all":
        return participants;
      case "leader":
        return leader === null ? [] : [leader];
      case "follower":
        return this.#one(
          participants.filter((index) => index !== leader),
          rng,
        );
      case "any":
        return this.#one(participants, rng);
      case "worker":
        return this.#world.members.workerHosts.length === 0 ? [] : [rng.pick(this.#world.members.workerHosts).index];
    }
  }

  #isWorker(index: number): boolean {
    return index >= this.#world.members.hosts.length;
  }

  workerAt(index: number): WorkerTarget | null {
    return this.#fleet?.target(index) ?? null;
  }

  /** One of them, of those that are up if any is. */
  #one(indexes: readonly number[], rng: Stream): readonly number[] {
    const up = indexes.filter((index) => this.isUp(index));
    const candidates = up.length > 0 ? up : indexes;
    return candidates.length === 0 ? [] : [rng.pick(candidates)];
  }

  isUp(index: number): boolean {
    return this.#hostAt(index).member?.state === "up";
  }

  diskOf(index: number): Disk {
    return this.#memberAt(index).storage;
  }

  clockOf(index: number): HostClock {
    return this.#hostAt(index).clock;
  }

  after(delayUs: number, action: () => void): void {
    this.#world.loop.after(delayUs, this.#changing(action));
  }

  /** What a fault does later may change the conditions as well as its begin and its end do. */
  #changing(action: () => void): () => void {
    return () => {
      action();
      this.#world.conditions.changed();
    };
  }

  crash(index: number): boolean {
    const { member } = this.#hostAt(index);
    return member !== null && this.#world.processes.crash(member);
  }

  upgrade(index: number): void {
    const { member } = this.#hostAt(index);
    if (member !== null) member.level = LEVEL;
  }

  restart(index: number): void {
    const { member } = this.#hostAt(index);
    if (member !== null) this.#world.processes.boot(member);
  }

  onNextWrite(index: number, action: () => void): EndFault {
    const { writeTraps } = this.#hostAt(index);
    const trap = this.#changing(action);
    writeTraps.add(trap);
    return () => {
      writeTraps.delete(trap);
    };
  }

  onLeader(moment: LeaderMoment, action: (index: number) => void): EndFault {
    const { leaderTraps } = this.#world.progress;
    const spring = (member: SimMember): void => {
      action(member.host.index);
      this.#world.conditions.changed();
    };
    const trap = { moment, spring };
    leaderTraps.add(trap);
    return () => {
      leaderTraps.delete(trap);
    };
  }

  pause(index: number): EndFault {
    const host = this.#hostAt(index);
    this.#world.processes.pause(host);
    return () => this.#world.processes.resume(host);
  }

  slowDown(index: number, inputUs: number): EndFault {
    const { slowness } = this.#hostAt(index);
    slowness.push(inputUs);
    return () => {
      slowness.splice(slowness.indexOf(inputUs), 1);
    };
  }

  /**
   * Whether, without this copy, every configuration that may decide something still has more sound copies than unsound
   * ones.
   */
  mayDamage(index: number): boolean {
    const { member } = this.#hostAt(index);
    if (member === null) return false;
    if (this.#mayLoseQuorum) return true;
    this.#operator.markRecovered();
    return this.#operator
      .votersInPlay()
      .every((voters) => this.#atlas.mayDamage(member.id, voters) && this.#keepsQuorum(voters, member.id));
  }

  /** Whether, without this one, a majority of the voters has sound copies and is where all know them to be. */
  #keepsQuorum(voters: readonly NodeId[], without: NodeId): boolean {
    if (!voters.includes(without)) return true;
    const others = this.participants().flatMap((index) => this.#hostAt(index).member ?? []);
    const missing = voters.filter((id) => {
      const member = this.#world.members.withId(id);
      if (id === without || member === null || this.#atlas.isDamaged(id)) return true;
      return !this.#world.addresses.isKnownTo(member, others);
    });
    return 2 * missing.length < voters.length;
  }

  mayMove(index: number): boolean {
    const { member } = this.#hostAt(index);
    if (member === null) return false;
    if (this.#mayLoseQuorum) return true;
    const { addresses, members } = this.#world;
    if (!addresses.mayFollow(member, members.running())) return false;
    this.#operator.markRecovered();
    return this.#operator.votersInPlay().every((voters) => this.#keepsQuorum(voters, member.id));
  }

  move(index: number, takesOver: boolean): void {
    const host = this.#hostAt(index);
    if (host.member !== null) this.#world.processes.crash(host.member);
    this.#world.addresses.move(host, takesOver);
  }

  diskFaulted(index: number, lasting: boolean): void {
    const member = this.#memberAt(index);
    member.disk.faults += 1;
    if (lasting) this.#atlas.markDamaged(member.id);
    this.#world.processes.armDisk(member);
  }

  loseDisk(index: number, absentUs: number): void {
    const member = this.#memberAt(index);
    this.diskFaulted(index, true);
    this.#world.processes.retire(member);
    this.#operator.replaceLater(member, absentUs);
  }

  emptyDisk(index: number, absentUs: number): void {
    const member = this.#memberAt(index);
    this.diskFaulted(index, true);
    this.#world.processes.emptyDisk(member);
    this.#operator.rejoinLater(member, absentUs);
  }

  mayMisset(index: number): boolean {
    const { member } = this.#hostAt(index);
    if (member === null) return false;
    return this.#operator.votersInPlay().every((voters) => {
      const wrong = voters.filter((id) => id === member.id || this.#hasBeenWrong(id));
      return 2 * wrong.length < voters.length;
    });
  }

  #hasBeenWrong(id: NodeId): boolean {
    const clock = this.#world.members.withId(id)?.host.clock;
    return clock === undefined || clock.wallErrorMaxMs(this.nowUs) > WALL_ERROR_MAX_MS;
  }

  clockChanged(index: number): void {
    this.#world.processes.clockChanged(this.#hostAt(index));
  }

  driftClock(index: number, factor: number): EndFault {
    const host = this.#hostAt(index);
    const drift = { factor };
    host.drifts.push(drift);
    this.#setRate(host);
    return () => {
      host.drifts.splice(host.drifts.indexOf(drift), 1);
      this.#setRate(host);
    };
  }

  #setRate(host: SimHost): void {
    let rate = host.baseRate;
    for (const { factor } of host.drifts) rate *= factor;
    host.clock.setRate(rate, this.#world.loop.nowUs);
    this.#world.processes.clockChanged(host);
  }

  #hostAt(index: number): SimHost {
    const host = this.#world.members.hosts[index];
    if (host === undefined) throw new RangeError(`there is no host ${index}`);
    return host;
  }

  #memberAt(index: number): SimMember {
    const { member } = this.#hostAt(index);
    if (member === null) throw new RangeError(`no member lives on host ${index}`);
    return member;
  }
}
