/** Every member of a run, where it lives, and what can be asked about all of them together. */
import { type Configuration, Node, type NodeId, type PeerId, type Restored, type Runtime } from "../../core/index.ts";
import { Disk, HostClock } from "../hardware/index.ts";
import type { Stream, Streams } from "../random/index.ts";
import type { BaseConditions } from "./conditions.ts";
import { Host, Place } from "./host.ts";
import { digest, Identities, type Identity } from "./identity.ts";
import type { Liar, LiarSettings } from "./liar.ts";

/** The node id of a liar's second identity: no member's. */
const GHOST_ID: NodeId = 1_000_000;
/** True time zero, in milliseconds since 1970: 2026-01-01. */
const WALL_EPOCH_MS = 1_767_225_600_000;

export interface MembersParts {
  readonly base: BaseConditions;
  /** The last places, so many of them, run machines. */
  readonly workers: number;
  readonly streams: Streams;
  /** Messages to `peerId` go to `host` from now on. */
  readonly connect: (peerId: PeerId, host: Host) => void;
  /** Virtual time. */
  readonly nowMs: () => number;
}

export class Members {
  readonly clusterId = "simulated";
  readonly incarnation = 1;
  /** Every host there ever was. */
  readonly hosts: Host[] = [];
  /** Of members. */
  readonly places: Place[] = [];
  /** Of hosts that run machines. Their numbers follow those of members. */
  readonly workerPlaces: Place[] = [];
  readonly #parts: MembersParts;
  readonly #identities: Identities;
  #nextId: NodeId = 1;

  constructor(parts: MembersParts) {
    this.#parts = parts;
    this.#identities = new Identities(parts.streams);
    const { clocks } = parts.base;
    for (const [index, { rate, wallOffsetMs }] of clocks.entries()) {
      const clock = new HostClock({ wallAtZeroMs: WALL_EPOCH_MS + wallOffsetMs, monotonicAtZeroMs: 0, rate });
      const isWorker = index >= clocks.length - parts.workers;
      (isWorker ? this.workerPlaces : this.places).push(new Place(index, clock, rate));
    }
  }

  /** The first members, at the first places: they all start from the same genesis. */
  found(nodes: number, liar: LiarSettings | null): void {
    const founders = this.places
      .slice(0, nodes)
      .map((place) => ({ place, id: this.takeId(), identity: this.issueIdentity(place) }));
    const restored = Node.genesis(
      this.clusterId,
      this.incarnation,
      founders.map(({ id, identity }) => ({ id, peerId: identity.peerId })),
    );
    for (const { place, id, identity } of founders) {
      if (liar !== null && liar.place === place.index) this.#moveInLiar(liar, place, id, identity, restored);
      else this.#moveIn(place, id, identity, restored, null);
    }
  }

  #moveInLiar(liar: LiarSettings, place: Place, id: NodeId, identity: Identity, restored: Restored): void {
    const { clusterId, incarnation } = this;
    const { streams, connect, nowMs } = this.#parts;
    const dice = streams.stream(`liar/${id}`);
    const ghost = this.issueIdentity(place);
    const peer = liar.create({
      clusterId,
      incarnation,
      id,
      runtime: this.runtimeFor(identity, dice),
      ghost: { id: GHOST_ID, runtime: this.runtimeFor(ghost, dice) },
      dice,
      nowMs,
    });
    connect(ghost.peerId, this.#moveIn(place, id, identity, restored, peer));
  }

  takeId(): NodeId {
    const id = this.#nextId;
    this.#nextId += 1;
    return id;
  }

  /** A fresh identity for whoever is to live at the place next. */
  issueIdentity(place: Place): Identity {
    const identity = this.#identities.issue(place.index, place.lives);
    place.lives += 1;
    return identity;
  }

  /** A new host moves in, with a disk that holds `restored`. Its process has not started yet. */
  moveIn(place: Place, id: NodeId, identity: Identity, restored: Restored): Host {
    return this.#moveIn(place, id, identity, restored, null);
  }

  #moveIn(place: Place, id: NodeId, identity: Identity, restored: Restored, liar: Liar | null): Host {
    const { base, streams, connect } = this.#parts;
    const disk = new Disk(base.disk, restored, streams.stream(`disk/${id}`));
    const host = new Host(id, identity, place, disk, streams.stream(`node/${id}`), liar);
    place.host = host;
    this.hosts.push(host);
    connect(host.peerId, host);
    return host;
  }

  /** What the world offers to the process of a peer. */
  runtimeFor(identity: Identity, dice: Stream): Runtime {
    const identities = this.#identities;
    return {
      peerId: identity.peerId,
      randomUint32: () => dice.nextUint32(),
      sign: (statement) => identity.sign(statement),
      verify: (signer, statement, signature) => identities.verify(signer, statement, signature),
      digest,
    };
  }

  hostOf(id: NodeId): Host | null {
    for (const host of this.hosts) if (host.id === id) return host;
    return null;
  }

  /** Hosts whose process runs, has not stopped itself, and is honest. */
  running(): Host[] {
    return this.hosts.filter((host) => host.node !== null && !host.node.halted && host.honest);
  }

  /** The newest configuration that any running host holds, committed or not. */
  configuration(): Configuration | null {
    let best: Node | null = null;
    for (const { node } of this.running()) {
      if (node === null) continue;
      if (best === null || node.configurationIndex > best.configurationIndex) best = node;
    }
    return best?.configuration ?? null;
  }

  /** The host that leads in the highest term; null when none does. */
  leader(): Host | null {
    let best: Host | null = null;
    for (const host of this.hosts) {
      const { node } = host;
      if (node === null || node.halted || node.role !== "leader") continue;
      if (best === null || node.term > (best.node?.term ?? 0)) best = host;
    }
    return best;
  }
}
