/**
 * The simulated world: virtual time, places with clocks, hosts with disks and processes, the network between them. One synchronous loop takes the next
 * event, hands it to whom it concerns, and carries out what that host's core wants done. The world knows nothing of faults, clients or rules:
 * they reach it through the methods below, and watch it through `Observer` and `WorldListener`.
 */
import {
  type ClientRequest,
  type ClusterState,
  type Configuration,
  type CoreWatch,
  decodeMessage,
  type Effect,
  type Evidence,
  encodeMessage,
  type Input,
  InvalidFrame,
  type Message,
  Node,
  type NodeId,
  type PeerId,
  type RaftOptions,
  type Restored,
  type Runtime,
} from "../../core/index.ts";
import { Disk, HostClock } from "../hardware/index.ts";
import { damagedCopy, Links, Network } from "../network/index.ts";
import { type Stream, Streams } from "../random/index.ts";
import { type BaseConditions, linkParameters } from "./conditions.ts";
import { type Caller, EVENT, SimEvent } from "./event.ts";
import { TraceHash } from "./hash.ts";
import { Host, Place } from "./host.ts";
import { digest, Identities, type Identity } from "./identity.ts";
import type { Liar, LiarSettings, Witness } from "./liar.ts";
import { MESSAGE_NUMBERS, messageBytes, messageIndex } from "./message-size.ts";
import type { Observer } from "./observer.ts";
import { EventQueue } from "./queue.ts";

/** When a leader is worth striking. */
export type LeaderMoment = "elected" | "commits";

/** What the world needs to begin with. */
export interface WorldSettings {
  readonly seed: number;
  readonly base: BaseConditions;
  readonly raft: RaftOptions;
  /** The first members live at the first places; the last places, `workers` of them, run machines; what lies between is spare. */
  readonly nodes: number;
  readonly workers: number;
  readonly liar: LiarSettings | null;
  readonly watch?: CoreWatch | null;
}

/** Rare news, for whoever counts them or reacts. */
export interface WorldListener {
  booted(host: Host): void;
  crashed(host: Host, lost: number, torn: boolean): void;
  /** What a starting process found on its disk instead of data. */
  unreadable(host: Host, reason: string, forGood: boolean): void;
  evidence(host: Host, evidence: Evidence): void;
  halted(host: Host, reason: string, evidence: Evidence | null): void;
  /** A node answers a request that it never got, or has answered already. */
  strayAnswer(host: Host, requestId: number): void;
}

/** Everything, for whoever writes it down. There is none in most runs. */
export interface WorldRecorder {
  /** An event has been carried out. */
  happened(event: SimEvent): void;
  stepped(host: Host, effects: readonly Effect[]): void;
}

/** Inputs that may wait for a process that is paused or slow; messages and requests beyond are lost. */
const INBOX_MAX = 20_000;
/** Events at one instant of virtual time: beyond that it stands still for good. */
const INSTANT_EVENTS_MAX = 1_000_000;
/** Between a start that met a read error and the next. */
const RESTART_AFTER_READ_ERROR_US = 1_000_000;
/** The monotonic clock of a new process starts anywhere up to this. */
const MONOTONIC_START_MAX_MS = 1_000_000;
/** The id of nobody, over which a liar may speak with a second identity. */
const GHOST_ID: NodeId = 1_000_000;
/** True time zero, in milliseconds since 1970: 2026-01-01. */
const WALL_EPOCH_MS = 1_767_225_600_000;

export interface WorldCounters {
  delivered: number;
  /** By the world itself, beside what the network lost: the receiver was down, unknown or overwhelmed, or the bytes made no sense. */
  dropped: number;
  asBytes: number;
  damagedFrames: number;
  undecodable: number;
  tornWrites: number;
  lostWrites: number;
}

export class World {
  readonly clusterId = "simulated";
  readonly incarnation = 1;
  readonly streams: Streams;
  readonly network: Network;
  readonly links: Links;
  readonly hash = new TraceHash();
  readonly counters: WorldCounters = {
    delivered: 0,
    dropped: 0,
    asBytes: 0,
    damagedFrames: 0,
    undecodable: 0,
    tornWrites: 0,
    lostWrites: 0,
  };
  /** Every host there ever was. */
  readonly hosts: Host[] = [];
  /** Of members. */
  readonly places: Place[] = [];
  /** Of hosts that run machines. Their numbers go on behind those of members. */
  readonly workerPlaces: Place[] = [];
  readonly raft: RaftOptions;
  readonly observer: Observer | null;
  readonly listener: WorldListener;
  /** Called with whoever is elected, or leads and commits for the first time in its term. */
  readonly leaderTraps = new Set<{ readonly moment: LeaderMoment; readonly spring: (host: Host) => void }>();
  recorder: WorldRecorder | null = null;
  /** Sees what the cores are told and what they want. There is none in most runs. */
  readonly watch: CoreWatch | null;
  witness: Witness | null = null;
  /** Told of each state that has come further than any before it: of committed entries there is one history only. */
  stateWatch: ((state: ClusterState) => void) | null = null;
  #furthestIndex = 0;
  /** Virtual time, whole microseconds. */
  nowUs = 0;
  /** Events carried out so far; while one is carried out, its number. */
  events = 0;
  /** The highest index that any honest host has known to be committed. */
  commitIndex = 0;
  elections = 0;

  readonly #queue = new EventQueue<SimEvent>(1024);
  readonly #base: BaseConditions;
  readonly #identities: Identities;
  readonly #byPeer = new Map<PeerId, Host>();
  readonly #clientDice: Stream;
  readonly #damageDice: Stream;
  readonly #arrivals = new Float64Array(2);
  #nextId: NodeId = 1;
  /** Events at this instant. */
  #passed = 0;

  constructor(
    settings: WorldSettings,
    listener: WorldListener,
    observerOf: (hosts: readonly Host[]) => Observer | null,
  ) {
    const { base, nodes, seed } = settings;
    this.raft = settings.raft;
    this.watch = settings.watch ?? null;
    this.listener = listener;
    this.streams = new Streams(seed);
    this.#base = base;
    this.#identities = new Identities(this.streams);
    this.#clientDice = this.streams.stream("clients");
    this.#damageDice = this.streams.stream("damage");
    const parameters = linkParameters(base.network);
    this.network = new Network(base.clocks.length, parameters, this.streams.stream("network"));
    this.links = new Links(this.network, parameters);
    this.#drawLinks();
    for (const [index, { rate, wallOffsetMs }] of base.clocks.entries()) {
      const clock = new HostClock({ wallAtZeroMs: WALL_EPOCH_MS + wallOffsetMs, monotonicAtZeroMs: 0, rate });
      const isWorker = index >= base.clocks.length - settings.workers;
      (isWorker ? this.workerPlaces : this.places).push(new Place(index, clock, rate));
    }
    this.observer = observerOf(this.hosts);
    this.#found(nodes, settings.liar);
  }

  #drawLinks(): void {
    const { links, byteLinksOneIn } = this.#base;
    for (const { from, to, ...conditions } of links) this.links.setBase(from - 1, to - 1, linkParameters(conditions));
    if (byteLinksOneIn === 0) return;
    const dice = this.streams.stream("byte-links");
    const count = this.network.hostCount;
    for (let from = 0; from < count; from += 1) {
      for (let to = 0; to < count; to += 1) if (dice.integer(1, byteLinksOneIn) === 1) this.links.setBytes(from, to);
    }
  }

  /** The first members: they all start from the same genesis. */
  #found(nodes: number, liar: LiarSettings | null): void {
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
    // Once all are known to each other.
    for (const host of [...this.hosts]) this.boot(host);
  }

  #moveInLiar(liar: LiarSettings, place: Place, id: NodeId, identity: Identity, restored: Restored): void {
    const { clusterId, incarnation } = this;
    const dice = this.streams.stream(`liar/${id}`);
    const ghost = this.issueIdentity(place);
    const peer = liar.create({
      clusterId,
      incarnation,
      id,
      runtime: this.#runtimeFor(identity, dice),
      ghost: { id: GHOST_ID, runtime: this.#runtimeFor(ghost, dice) },
      dice,
      nowMs: () => this.nowUs / 1000,
    });
    this.#byPeer.set(ghost.peerId, this.#moveIn(place, id, identity, restored, peer));
  }

  // ---- Time

  /** Takes the next event. False when there is none before `untilUs`; then time stands at `untilUs`. */
  advance(untilUs: number): boolean {
    const timeUs = this.#queue.peekTimeUs();
    if (timeUs > untilUs) {
      this.nowUs = Math.max(this.nowUs, untilUs);
      return false;
    }
    const event = this.#queue.pop();
    if (event === undefined) return false;
    this.#passed = timeUs === this.nowUs ? this.#passed + 1 : 0;
    if (this.#passed > INSTANT_EVENTS_MAX) {
      throw new RangeError(`${INSTANT_EVENTS_MAX} events at ${timeUs} µs: somebody keeps asking for more at once`);
    }
    this.nowUs = timeUs;
    this.#dispatch(event);
    return true;
  }

  /** Calls back later. Counts as an event. */
  after(delayUs: number, action: () => void): void {
    const event = new SimEvent(EVENT.call, null, 0);
    event.call = action;
    this.#queue.push(this.nowUs + Math.max(0, Math.ceil(delayUs)), event);
  }

  #dispatch(event: SimEvent): void {
    const { host } = event;
    switch (event.kind) {
      case EVENT.deliver:
        this.#begin(event);
        this.#mixMessage(event);
        if (host === null) break;
        // What is on its way when a link is cut is lost with it.
        if (this.network.isBlocked(event.number, host.place.index)) this.counters.dropped += 1;
        else this.#input(host, event);
        break;
      case EVENT.disk:
        if (host === null || this.nowUs !== host.diskArmedUs) return;
        this.#begin(event);
        this.#diskAdvanced(host);
        break;
      case EVENT.wake:
        if (host === null || event.number !== host.wakeNumber || host.node === null) return;
        host.armedMs = Infinity;
        if (host.place.clock.monotonicMs(this.nowUs) < host.deadlineMs) {
          this.#arm(host);
          return;
        }
        this.#begin(event);
        this.#input(host, event);
        break;
      case EVENT.request:
        this.#begin(event);
        if (host !== null) this.#input(host, event);
        break;
      case EVENT.answer:
        this.#begin(event);
        this.hash.mix(event.number);
        event.caller?.answered(event.number, event.answer);
        break;
      case EVENT.drain:
        this.#begin(event);
        if (host !== null) this.#drain(host.place);
        break;
      case EVENT.call:
        this.#begin(event);
        event.call?.();
        break;
      case EVENT.written:
        throw new RangeError("a written event belongs in an inbox");
    }
    this.recorder?.happened(event);
  }

  #begin(event: SimEvent): void {
    this.events += 1;
    const { hash } = this;
    hash.mix(event.host === null ? event.kind : event.kind | (event.host.id << 4));
    hash.mix(this.nowUs);
  }

  #mixMessage({ message, bytes }: SimEvent): void {
    const { hash } = this;
    if (message !== null) {
      hash.mix((MESSAGE_NUMBERS[message.type] << 8) | (message.from & 255));
      hash.mix(message.term);
      hash.mix(messageIndex(message));
    } else if (bytes !== null) {
      hash.mix(bytes.length);
      // A frame's checksum, after its version, stands for the rest.
      hash.mix(((bytes[1] ?? 0) << 24) | ((bytes[2] ?? 0) << 16) | ((bytes[3] ?? 0) << 8) | (bytes[4] ?? 0));
    }
  }

  // ---- Members

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

  /** A new host moves in, with a disk that holds `restored`, and starts. */
  settle(place: Place, id: NodeId, identity: Identity, restored: Restored): Host {
    const host = this.#moveIn(place, id, identity, restored, null);
    this.boot(host);
    return host;
  }

  #moveIn(place: Place, id: NodeId, identity: Identity, restored: Restored, liar: Liar | null): Host {
    const disk = new Disk(this.#base.disk, restored, this.streams.stream(`disk/${id}`));
    const host = new Host(id, identity, place, disk, this.streams.stream(`node/${id}`), liar);
    place.host = host;
    this.hosts.push(host);
    this.#byPeer.set(host.peerId, host);
    return host;
  }

  hostOf(id: NodeId): Host | null {
    for (const host of this.hosts) if (host.id === id) return host;
    return null;
  }

  /** Hosts whose process runs, has not stopped itself, and speaks the truth. */
  running(): Host[] {
    return this.hosts.filter((host) => host.node !== null && !host.node.halted && host.honest);
  }

  /** The newest configuration that any running host holds; that of the newest commit when `committed`. */
  configuration(committed: boolean): Configuration | null {
    let best: Node | null = null;
    for (const { node } of this.running()) {
      if (node === null) continue;
      const isNewer =
        best === null ||
        (committed ? node.commitIndex > best.commitIndex : node.configurationIndex > best.configurationIndex);
      if (isNewer) best = node;
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

  // ---- Processes

  boot(host: Host): void {
    if (host.state !== "down" || host.place.host !== host || host.damageFound) return;
    const outcome = host.storage.restore();
    if (outcome.kind === "readError") {
      this.listener.unreadable(host, outcome.reason, false);
      this.after(RESTART_AFTER_READ_ERROR_US, () => this.boot(host));
      return;
    }
    if (outcome.kind === "damaged") {
      host.damageFound = true;
      this.listener.unreadable(host, outcome.reason, true);
      return;
    }
    const { clock } = host.place;
    clock.restart(host.dice.integer(0, MONOTONIC_START_MAX_MS), this.nowUs);
    const stamp = { nowMs: clock.monotonicMs(this.nowUs), wallMs: clock.wallMs(this.nowUs) };
    const node = new Node(host.id, this.raft, this.#runtimeFor(host.identity, host.dice), outcome.restored, stamp);
    host.node = node;
    host.state = "up";
    host.boots += 1;
    host.nextRequestId = 1;
    host.wasLeader = false;
    const effects = node.start();
    this.watch?.booted(host.peerId, outcome.restored, stamp, effects);
    this.observer?.booted(host);
    this.listener.booted(host);
    this.#performed(host, node, effects);
  }

  #runtimeFor(identity: Identity, dice: Stream): Runtime {
    const identities = this.#identities;
    return {
      peerId: identity.peerId,
      randomUint32: () => dice.nextUint32(),
      sign: (statement) => identity.sign(statement),
      verify: (signer, statement, signature) => identities.verify(signer, statement, signature),
      digest,
    };
  }

  /** Ends the process at once. False when none runs. */
  crash(host: Host): boolean {
    if (host.state !== "up") return false;
    const { place } = host;
    host.lastConfiguration = host.configuration;
    host.node = null;
    host.state = "down";
    host.deadlineMs = Infinity;
    host.armedMs = Infinity;
    host.wakeNumber += 1;
    host.diskArmedUs = Infinity;
    const outcome = host.storage.crash();
    this.counters.lostWrites += outcome.lost;
    if (outcome.torn) this.counters.tornWrites += 1;
    for (const { kind } of place.inbox) if (kind === EVENT.deliver) this.counters.dropped += 1;
    place.inbox = [];
    for (const { caller, attempt } of host.calls.values()) this.#answerLater(host, caller, attempt, null);
    host.calls.clear();
    this.observer?.crashed(host);
    this.listener.crashed(host, outcome.lost, outcome.torn);
    return true;
  }

  /** The host never comes back: its disk, or its membership, is gone. */
  bury(host: Host): void {
    this.crash(host);
    host.state = "gone";
    if (host.place.host === host) host.place.host = null;
  }

  pause(place: Place): void {
    place.pauses += 1;
  }

  resume(place: Place): void {
    place.pauses -= 1;
    if (place.pauses === 0) this.#drainLater(place);
  }

  /** A deadline comes at another time now. */
  clockChanged(place: Place): void {
    const { host } = place;
    if (host === null || host.node === null) return;
    host.armedMs = Infinity;
    this.#arm(host);
  }

  // ---- Inputs

  /** To the process, or to its inbox while it is paused or slow. */
  #input(host: Host, event: SimEvent): void {
    const { place } = host;
    if (host.node === null) {
      this.#undeliverable(host, event);
      return;
    }
    if (place.pauses === 0 && place.slowness.length === 0 && place.inbox.length === 0) {
      this.#handle(host, host.node, event);
      return;
    }
    if (place.inbox.length >= INBOX_MAX && (event.kind === EVENT.deliver || event.kind === EVENT.request)) {
      this.#undeliverable(host, event);
      return;
    }
    place.inbox.push(event);
    if (place.pauses === 0 && !place.draining) this.#drainLater(place);
  }

  #undeliverable(host: Host, event: SimEvent): void {
    if (event.kind === EVENT.deliver) this.counters.dropped += 1;
    else if (event.kind === EVENT.request && event.caller !== null)
      this.#answerLater(host, event.caller, event.number, null);
  }

  #drainLater(place: Place): void {
    const { host } = place;
    if (place.draining || host === null || place.inbox.length === 0) return;
    place.draining = true;
    this.#queue.push(this.nowUs + place.inputUs, new SimEvent(EVENT.drain, host, 0));
  }

  /** One input of those that wait, or all when the process is quick. */
  #drain(place: Place): void {
    place.draining = false;
    if (place.pauses > 0) return;
    const quick = place.slowness.length === 0;
    do {
      const event = place.inbox.shift();
      const { host } = place;
      if (event === undefined || host === null || host.node === null || event.host !== host) return;
      this.#handle(host, host.node, event);
    } while (quick && place.inbox.length > 0);
    this.#drainLater(place);
  }

  #handle(host: Host, node: Node, event: SimEvent): void {
    const { clock } = host.place;
    const nowMs = clock.monotonicMs(this.nowUs);
    const wallMs = clock.wallMs(this.nowUs);
    switch (event.kind) {
      case EVENT.deliver: {
        let message = event.message ?? this.#decoded(event);
        if (message === null) return;
        this.counters.delivered += 1;
        if (host.liar !== null) message = host.liar.heard(event.from, message);
        if (message === null) return;
        this.witness?.received(host, event.from, message);
        this.#step(host, node, { kind: "message", nowMs, wallMs, from: event.from, message });
        return;
      }
      case EVENT.wake:
        host.deadlineMs = Infinity;
        this.#step(host, node, { kind: "wake", nowMs, wallMs });
        return;
      case EVENT.written:
        if (event.reason === "") this.#step(host, node, { kind: "written", nowMs, wallMs, writeId: event.number });
        else
          this.#step(host, node, { kind: "writeFailed", nowMs, wallMs, writeId: event.number, reason: event.reason });
        return;
      case EVENT.request: {
        const { caller, request } = event;
        if (caller === null || request === null) return;
        const requestId = host.nextRequestId;
        host.nextRequestId += 1;
        host.calls.set(requestId, { caller, attempt: event.number });
        this.#step(host, node, { kind: "request", nowMs, wallMs, requestId, request });
        return;
      }
      case EVENT.disk:
      case EVENT.answer:
      case EVENT.drain:
      case EVENT.call:
        throw new RangeError("not an input");
    }
  }

  /** Null for bytes that make no sense: they are dropped, as a transport would. */
  #decoded({ bytes }: SimEvent): Message | null {
    if (bytes === null) return null;
    this.counters.asBytes += 1;
    try {
      return decodeMessage(bytes);
    } catch (error) {
      if (!(error instanceof InvalidFrame)) throw error;
      this.counters.undecodable += 1;
      this.counters.dropped += 1;
      return null;
    }
  }

  #step(host: Host, node: Node, input: Input): void {
    const effects = node.step(input);
    this.watch?.stepped(host.peerId, input, effects);
    this.#performed(host, node, effects);
  }

  // ---- Effects

  #performed(host: Host, node: Node, effects: readonly Effect[]): void {
    this.observer?.stepped(host, effects);
    this.#count(host, node);
    this.recorder?.stepped(host, effects);
    this.witness?.stepped(host, effects);
    this.hash.mix(effects.length);
    const { liar } = host;
    if (liar === null) for (const effect of effects) this.#perform(host, effect);
    else for (const effect of liar.spoken(node, effects)) this.#perform(host, effect);
  }

  #count(host: Host, node: Node): void {
    const leads = node.role === "leader";
    if (leads !== host.wasLeader) {
      host.wasLeader = leads;
      if (leads) {
        this.elections += 1;
        this.#springLeaderTraps("elected", host);
      }
    }
    if (this.stateWatch !== null && host.honest && node.state.appliedIndex > this.#furthestIndex) {
      this.#furthestIndex = node.state.appliedIndex;
      this.stateWatch(node.state);
    }
    if (node.commitIndex > this.commitIndex && host.honest) {
      this.commitIndex = node.commitIndex;
      if (leads && host.committedTerm !== node.term) {
        host.committedTerm = node.term;
        this.#springLeaderTraps("commits", host);
      }
    }
  }

  #springLeaderTraps(now: LeaderMoment, host: Host): void {
    for (const { moment, spring } of [...this.leaderTraps]) if (moment === now) spring(host);
  }

  #perform(host: Host, effect: Effect): void {
    switch (effect.kind) {
      case "send":
        this.#send(host, effect.to, effect.message);
        return;
      case "write": {
        const { place, storage } = host;
        if (place.writeTraps.size > 0) this.#springTraps(place);
        storage.submit(effect.write, this.nowUs);
        this.#armDisk(host);
        return;
      }
      case "wakeAt":
        host.deadlineMs = effect.atMs;
        this.#arm(host);
        return;
      case "answer": {
        const call = host.calls.get(effect.requestId);
        if (call === undefined) {
          this.listener.strayAnswer(host, effect.requestId);
          return;
        }
        host.calls.delete(effect.requestId);
        this.#answerLater(host, call.caller, call.attempt, effect.answer);
        return;
      }
      case "evidence":
        this.listener.evidence(host, effect.evidence);
        return;
      case "halt":
        host.failStopped = effect.evidence !== null;
        this.listener.halted(host, effect.reason, effect.evidence);
        return;
    }
  }

  #springTraps(place: Place): void {
    const traps = [...place.writeTraps];
    place.writeTraps.clear();
    for (const trap of traps) trap();
  }

  #send(host: Host, to: PeerId, message: Message): void {
    const target = this.#byPeer.get(to);
    if (target === undefined || target === host) {
      this.counters.dropped += 1;
      return;
    }
    const from = host.place.index;
    const at = target.place.index;
    const count = this.network.route(from, at, messageBytes(message), this.nowUs, this.#arrivals);
    if (count === 0) return;
    const damageChance = this.links.damageChance(from, at);
    const asBytes = damageChance > 0 || target.liar !== null || this.links.carriesBytes(from, at);
    let sender = host.peerId;
    let bytes: Uint8Array | null = null;
    if (host.liar !== null) ({ from: sender, frame: bytes } = host.liar.posted(message, encodeMessage(message)));
    else if (asBytes) bytes = encodeMessage(message);
    for (let copy = 0; copy < count; copy += 1) {
      const event = new SimEvent(EVENT.deliver, target, from);
      event.from = sender;
      if (bytes === null) event.message = message;
      else event.bytes = this.#perhapsDamaged(bytes, damageChance);
      this.#queue.push(this.#arrivals[copy] ?? 0, event);
    }
  }

  #perhapsDamaged(bytes: Uint8Array, chance: number): Uint8Array {
    if (!this.#damageDice.chance(chance)) return bytes;
    this.counters.damagedFrames += 1;
    return damagedCopy(bytes, this.#damageDice);
  }

  #arm(host: Host): void {
    if (host.deadlineMs >= host.armedMs) return;
    const atUs = host.place.clock.trueUsWhen(host.deadlineMs, this.nowUs);
    host.wakeNumber += 1;
    // Frozen for good: the next change of the clock asks again.
    if (atUs === Infinity) return;
    host.armedMs = host.deadlineMs;
    this.#queue.push(atUs, new SimEvent(EVENT.wake, host, host.wakeNumber));
  }

  #armDisk(host: Host): void {
    const { nextUs } = host.storage;
    if (nextUs === Infinity || nextUs >= host.diskArmedUs) return;
    host.diskArmedUs = nextUs;
    this.#queue.push(nextUs, new SimEvent(EVENT.disk, host, 0));
  }

  /** The disk's faults have changed: what it is at may end sooner. */
  diskChanged(host: Host): void {
    this.#armDisk(host);
  }

  #diskAdvanced(host: Host): void {
    host.diskArmedUs = Infinity;
    const { storage } = host;
    const writeId = storage.advance(this.nowUs);
    const failure = storage.takeFailure();
    this.#armDisk(host);
    this.hash.mix(writeId);
    if (writeId > 0) this.#input(host, new SimEvent(EVENT.written, host, writeId));
    if (failure === null) return;
    const event = new SimEvent(EVENT.written, host, failure.writeId);
    event.reason = failure.reason;
    this.#input(host, event);
  }

  // ---- Clients

  /** Sends a request to whoever lives at the place by the time it gets there. The caller hears of it, unless the node never answers. */
  request(
    place: Place,
    request: ClientRequest,
    caller: Caller,
    attempt: number,
    delayUs = this.#clientDelayUs(),
  ): void {
    const { host } = place;
    if (host === null) {
      const refusal = new SimEvent(EVENT.answer, null, attempt);
      refusal.caller = caller;
      this.#queue.push(this.nowUs + this.#clientDelayUs(), refusal);
      return;
    }
    const event = new SimEvent(EVENT.request, host, attempt);
    event.caller = caller;
    event.request = request;
    this.#queue.push(this.nowUs + delayUs, event);
  }

  #answerLater(host: Host, caller: Caller, attempt: number, answer: SimEvent["answer"]): void {
    const event = new SimEvent(EVENT.answer, host, attempt);
    event.caller = caller;
    event.answer = answer;
    this.#queue.push(this.nowUs + this.#clientDelayUs(), event);
  }

  /** Clients sit beside the hosts: their way is short, and never cut. */
  #clientDelayUs(): number {
    return 100 + Math.floor(this.#clientDice.exponential(200));
  }
}
