/**
 * The simulated world, put together from its parts: the event loop, the network and its transport, members and their
 * processes, and the connections of clients. It takes the next event and gives it to the part that it concerns. It
 * knows nothing of faults, workloads or rules: they act on its parts, and observe as watchers.
 */
import { type CoreWatch, type CountLimits, LEVEL, type RaftOptions } from "../../core/index.ts";
import { Links, Network } from "../network/index.ts";
import { Streams } from "../random/index.ts";
import { Addresses } from "./addresses.ts";
import { ClientGateway } from "./client-gateway.ts";
import { type BaseConditions, linkParameters } from "./conditions.ts";
import { CurrentConditions } from "./current-conditions.ts";
import { EVENT, type SimEvent } from "./event.ts";
import { EventLoop } from "./event-loop.ts";
import type { LiarSettings } from "./liar.ts";
import type { SimMember } from "./member.ts";
import { Members } from "./members.ts";
import { mixDelivery } from "./message-hash.ts";
import type { ConditionsView, Observer } from "./observer.ts";
import { Processes } from "./processes.ts";
import { Progress } from "./progress.ts";
import { Transport } from "./transport.ts";
import type { Watchers, WorldListener } from "./watchers.ts";

/** What the world needs to begin with. */
export interface WorldSettings {
  readonly seed: number;
  readonly base: BaseConditions;
  readonly raft: RaftOptions;
  /** Of what the replicated state holds; in every process the same. */
  readonly limits: CountLimits;
  /**
   * The first members live on the first hosts; the last hosts, `workers` of them, run machines; the hosts between are
   * spare.
   */
  readonly nodes: number;
  readonly workers: number;
  readonly liar: LiarSettings | null;
  /** Feature level of the build that the first members run; the present one when left out. */
  readonly level?: number;
  readonly watch?: CoreWatch | null;
}

export class World {
  readonly streams: Streams;
  readonly loop = new EventLoop();
  readonly network: Network;
  readonly links: Links;
  readonly addresses: Addresses;
  readonly transport: Transport;
  readonly gateway: ClientGateway;
  readonly members: Members;
  readonly progress = new Progress();
  readonly processes: Processes;
  readonly conditions: CurrentConditions;
  readonly watchers: Watchers;
  readonly limits: CountLimits;
  readonly raft: RaftOptions;

  constructor(
    settings: WorldSettings,
    listener: WorldListener,
    observerOf: (members: readonly SimMember[], conditions: ConditionsView) => Observer | null,
  ) {
    const { base, nodes, seed, workers, raft, limits } = settings;
    const { loop, progress } = this;
    const streams = new Streams(seed);
    const parameters = linkParameters(base.network);
    const network = new Network(base.clocks.length, parameters, streams.stream("network"));
    const links = new Links(network, parameters);
    drawLinks(links, network.hostCount, base, streams);
    const gateway = new ClientGateway(loop, streams.stream("clients"));
    const addresses = new Addresses({
      loop,
      network,
      gateway,
      changed: () => this.conditions.changed(),
      introduce: (from, to) => {
        if (from.node !== null) transport.send(from, to.peerId, from.node.introduction(to.id));
      },
    });
    const transport = new Transport(loop, network, links, addresses, streams.stream("damage"));
    const members = new Members({
      base,
      workers,
      streams,
      connect: (peerId, member) => {
        transport.connect(peerId, member);
        addresses.joined(member);
      },
      nowMs: () => loop.nowUs / 1000,
    });
    const conditions = new CurrentConditions(loop, network, links, members.hosts, addresses);
    const observer = observerOf(members.all, conditions);
    const watchers: Watchers = { listener, core: settings.watch ?? null, observer, recorder: null, witness: null };
    this.limits = limits;
    this.raft = raft;
    this.streams = streams;
    this.network = network;
    this.links = links;
    this.addresses = addresses;
    this.transport = transport;
    this.gateway = gateway;
    this.members = members;
    this.conditions = conditions;
    this.watchers = watchers;
    this.processes = new Processes({ raft, limits, loop, members, transport, addresses, gateway, progress, watchers });
    members.found(nodes, settings.liar);
    // Only now: they must know each other's addresses before they start.
    for (const member of [...members.all]) {
      member.level = settings.level ?? LEVEL;
      this.processes.boot(member);
    }
  }

  /** Takes the next event. False when there is none before `untilUs`; then time stands at `untilUs`. */
  advance(untilUs: number): boolean {
    const event = this.loop.next(untilUs);
    if (event === null) return false;
    this.#dispatch(event);
    return true;
  }

  #dispatch(event: SimEvent): void {
    const { loop, processes } = this;
    const { member } = event;
    switch (event.kind) {
      case EVENT.deliver:
        loop.begin(event);
        mixDelivery(loop.hash, event);
        if (member === null) break;
        if (this.transport.isCut(event, member)) this.transport.counters.dropped += 1;
        else processes.input(member, event);
        break;
      case EVENT.disk:
        if (member === null || loop.nowUs !== member.diskArmedUs) return;
        loop.begin(event);
        processes.diskAdvanced(member);
        break;
      case EVENT.wake:
        if (member === null || !processes.isWakeDue(member, event)) return;
        loop.begin(event);
        processes.input(member, event);
        break;
      case EVENT.request:
        loop.begin(event);
        if (member !== null) processes.input(member, event);
        break;
      case EVENT.answer:
        loop.begin(event);
        loop.hash.mix(event.number);
        event.caller?.answered(event.number, event.answer);
        break;
      case EVENT.drain:
        loop.begin(event);
        if (member !== null) processes.drain(member.host);
        break;
      case EVENT.call:
        loop.begin(event);
        event.call?.();
        break;
      case EVENT.written:
        throw new RangeError("a written event belongs in an inbox");
    }
    this.watchers.recorder?.happened(event);
  }
}

/** Gives the links of the base conditions their own conditions, and draws those that carry bytes. */
function drawLinks(links: Links, hostCount: number, base: BaseConditions, streams: Streams): void {
  for (const { from, to, ...conditions } of base.links) links.setBase(from - 1, to - 1, linkParameters(conditions));
  if (base.byteLinksOneIn === 0) return;
  const rng = streams.stream("byte-links");
  for (let from = 0; from < hostCount; from += 1) {
    for (let to = 0; to < hostCount; to += 1) if (rng.integer(1, base.byteLinksOneIn) === 1) links.setBytes(from, to);
  }
}
