/** The hosts of a run, every member that was ever on one, and what can be asked about all of them together. */
import { type Configuration, Node, type NodeId, type PeerId, type Restored, type Runtime } from "../../core/index.ts";
import { Disk, HostClock, WALL_EPOCH_MS } from "../hardware/index.ts";
import type { Stream, Streams } from "../random/index.ts";
import type { BaseConditions } from "./conditions.ts";
import { SimHost } from "./host.ts";
import { digest, Identities, type Identity } from "./identity.ts";
import type { Liar, LiarSettings } from "./liar.ts";
import { SimMember } from "./member.ts";

/** A Byzantine member's second identity uses this node id. No real member has it. */
const GHOST_ID: NodeId = 1_000_000;

export interface MembersParts {
  readonly base: BaseConditions;
  /** How many hosts, the last ones, run machines. */
  readonly workers: number;
  readonly streams: Streams;
  /** Messages to `peerId` go to `member` from now on. */
  readonly connect: (peerId: PeerId, member: SimMember) => void;
  /** Virtual time. */
  readonly nowMs: () => number;
}

export class Members {
  readonly clusterId = "simulated";
  readonly incarnation = 1;
  /** Every member there ever was. */
  readonly all: SimMember[] = [];
  /** Hosts for members. */
  readonly hosts: SimHost[] = [];
  /** Hosts that run machines. Their numbers follow those of `hosts`. */
  readonly workerHosts: SimHost[] = [];
  readonly #parts: MembersParts;
  readonly #identities: Identities;
  #nextId: NodeId = 1;
  /** Null: nobody is to lie, or the liar has moved in. */
  #awaitedLiar: LiarSettings | null = null;

  constructor(parts: MembersParts) {
    this.#parts = parts;
    this.#identities = new Identities(parts.streams);
    const { clocks } = parts.base;
    for (const [index, { rate, wallOffsetMs }] of clocks.entries()) {
      const clock = new HostClock({ wallAtZeroMs: WALL_EPOCH_MS + wallOffsetMs, monotonicAtZeroMs: 0, rate });
      const isWorker = index >= clocks.length - parts.workers;
      (isWorker ? this.workerHosts : this.hosts).push(new SimHost(index, clock, rate));
    }
  }

  /** The first members, on the first hosts: they all start from the same genesis. */
  found(nodes: number, liar: LiarSettings | null): void {
    const founders = this.hosts
      .slice(0, nodes)
      .map((host) => ({ host, id: this.takeId(), identity: this.issueIdentity(host) }));
    const restored = Node.genesis(
      this.clusterId,
      this.incarnation,
      founders.map(({ id, identity }) => ({ id, peerId: identity.peerId })),
    );
    this.#awaitedLiar = liar;
    for (const { host, id, identity } of founders) this.moveIn(host, id, identity, restored);
  }

  #moveInLiar(liar: LiarSettings, host: SimHost, id: NodeId, identity: Identity, restored: Restored): SimMember {
    const { clusterId, incarnation } = this;
    const { streams, connect, nowMs } = this.#parts;
    const rng = streams.stream(`liar/${id}`);
    const ghost = this.issueIdentity(host);
    const peer = liar.create({
      clusterId,
      incarnation,
      id,
      runtime: this.runtimeFor(identity, rng),
      ghost: { id: GHOST_ID, runtime: this.runtimeFor(ghost, rng) },
      rng,
      nowMs,
    });
    const member = this.#moveIn(host, id, identity, restored, peer);
    connect(ghost.peerId, member);
    return member;
  }

  takeId(): NodeId {
    const id = this.#nextId;
    this.#nextId += 1;
    return id;
  }

  /** A fresh identity for the next member of this host. */
  issueIdentity(host: SimHost): Identity {
    const identity = this.#identities.issue(host.index, host.identitiesIssued);
    host.identitiesIssued += 1;
    return identity;
  }

  /** Puts a new member on a host, with a disk that holds `restored`. Its process has not started yet. */
  moveIn(host: SimHost, id: NodeId, identity: Identity, restored: Restored): SimMember {
    const liar = this.#awaitedLiar;
    if (liar?.hostIndex !== host.index) return this.#moveIn(host, id, identity, restored, null);
    this.#awaitedLiar = null;
    return this.#moveInLiar(liar, host, id, identity, restored);
  }

  #moveIn(host: SimHost, id: NodeId, identity: Identity, restored: Restored, liar: Liar | null): SimMember {
    const { base, streams, connect } = this.#parts;
    const disk = new Disk(base.disk, restored, streams.stream(`disk/${id}`));
    const member = new SimMember(id, identity, host, disk, streams.stream(`node/${id}`), liar);
    host.member = member;
    this.all.push(member);
    connect(member.peerId, member);
    return member;
  }

  /** What the world offers to the process of a peer. */
  runtimeFor(identity: Identity, rng: Stream): Runtime {
    const identities = this.#identities;
    return {
      peerId: identity.peerId,
      randomUint32: () => rng.nextUint32(),
      sign: (statement) => identity.sign(statement),
      verify: (signer, statement, signature) => identities.verify(signer, statement, signature),
      digest,
    };
  }

  withId(id: NodeId): SimMember | null {
    for (const member of this.all) if (member.id === id) return member;
    return null;
  }

  /** Members whose process runs and has not halted, and that are honest. */
  running(): SimMember[] {
    return this.all.filter((member) => member.node !== null && !member.node.halted && member.honest);
  }

  /** The newest configuration that any running member holds, committed or not. */
  configuration(): Configuration | null {
    let best: Node | null = null;
    for (const { node } of this.running()) {
      if (node === null) continue;
      if (best === null || node.configurationIndex > best.configurationIndex) best = node;
    }
    return best?.configuration ?? null;
  }

  /** The member that leads in the highest term; null when none does. */
  leader(): SimMember | null {
    let best: SimMember | null = null;
    for (const member of this.all) {
      const { node } = member;
      if (node === null || node.halted || node.role !== "leader") continue;
      if (best === null || node.term > (best.node?.term ?? 0)) best = member;
    }
    return best;
  }
}
