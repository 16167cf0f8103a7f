/**
 * Where hosts are in the network, and where members believe each other to be. It begins when the first host is to get
 * another address: until then everybody knows where everybody is, as in a cluster that nobody has moved, and nothing
 * here does anything.
 *
 * From then on a message is delivered only to a member whose present address its sender knows, and only if the
 * receiver has not moved meanwhile. Each process has an `AddressBook` of the core, as a real member has, and does
 * with it what a real one does: it says hello to peers that have not heard it, until they have, and proves to those
 * that do not know it that it is a member; it looks every second whether something is to be announced, and keeps on its
 * disk what it is to remember. A hello needs the link in both directions.
 *
 * Not modelled: connections (one that is open would carry messages for a while longer); the time that it takes to try
 * several addresses in turn; the loss of what was remembered in the last moment before a crash; that somebody else
 * answers at an address, who in reality is refused for his identity. Where members were when they joined is known to
 * all. Clients find members wherever these are, and so do workers that report to them.
 */
import {
  AddressBook,
  type Announcement,
  announcementRefusal,
  type ClientAnswer,
  type ClusterState,
  type MemberPlace,
  nodeOf,
  type PeerId,
} from "../../core/index.ts";
import type { Network } from "../network/index.ts";
import type { ClientGateway } from "./client-gateway.ts";
import type { Caller } from "./event.ts";
import type { EventLoop } from "./event-loop.ts";
import type { SimHost } from "./host.ts";
import type { SimMember } from "./member.ts";

const REVIEW_US = 1_000_000;
const HELLO_BYTES = 400;

export interface AddressesParts {
  readonly loop: EventLoop;
  readonly network: Network;
  readonly gateway: ClientGateway;
  /** Somebody knows of another address. */
  readonly changed: () => void;
  /** Has a member prove to another, which does not know it, that it is one. */
  readonly introduce: (from: SimMember, to: SimMember) => void;
}

/** What one member knows. */
interface Knowledge extends Caller {
  readonly member: SimMember;
  /** What its disk holds; null: nothing any more. */
  remembered: readonly MemberPlace[] | null;
  /** Null while no process runs. */
  book: AddressBook | null;
  /** What the book says, by peer. */
  known: ReadonlyMap<PeerId, readonly string[]>;
  /** The process of each peer that has heard this one's hello. */
  readonly greeted: Map<PeerId, number>;
  underWay: Announcement | null;
  attempt: number;
  seen: { readonly peers: unknown; readonly nodes: unknown };
}

export class Addresses {
  readonly #parts: AddressesParts;
  readonly #members = new Map<PeerId, SimMember>();
  /** By the number of the host: where it is, if it has moved. */
  readonly #places = new Map<number, string>();
  /** Where nobody is any more, the last one last. */
  readonly #left: string[] = [];
  readonly #arrivals = new Float64Array(2);
  /** Null until a host has moved. */
  #knowledge: Map<SimMember, Knowledge> | null = null;
  #issued = 0;

  constructor(parts: AddressesParts) {
    this.#parts = parts;
  }

  joined(member: SimMember): void {
    this.#members.set(member.peerId, member);
    this.#knowledge?.set(member, this.#nothing(member));
  }

  of(host: SimHost): string {
    return this.#places.get(host.index) ?? `host-${host.index + 1}:7001`;
  }

  /** Whether a member knows where another is. */
  reaches(from: SimMember, to: SimMember): boolean {
    if (this.#knowledge === null) return true;
    const known = this.#knowledge.get(from)?.known;
    return known !== undefined && this.#isFound(to, known);
  }

  #isFound({ peerId, host }: SimMember, known: Knowledge["known"]): boolean {
    return known.get(peerId)?.includes(this.of(host)) === true;
  }

  /** Whether every other of these members knows where it is, or will when it starts. */
  isKnownTo(member: SimMember, others: readonly SimMember[]): boolean {
    return others.every((other) => other === member || this.reaches(other, member));
  }

  /**
   * Why these members have not all found each other yet, or replicated state has one elsewhere; null: all is well. Of
   * one of which the cluster would refuse to be told no more is demanded than that the others know where it is.
   */
  whyNotFound(members: readonly SimMember[], state: ClusterState): string | null {
    if (this.#knowledge === null) return null;
    for (const to of members) {
      const from = members.find((other) => other !== to && !this.reaches(other, to));
      if (from !== undefined) return `node ${from.id} does not know where node ${to.id} is`;
      if (announcementRefusal(state, to.id, to.peerId) !== null) continue;
      const recorded = nodeOf(state, to.id)?.addresses.join() ?? "";
      if (recorded !== this.of(to.host))
        return `node ${to.id} is at ${this.of(to.host)}, and the cluster has it at ${recorded || "no address"}`;
    }
    return null;
  }

  /**
   * Whether the cluster has a record of where a member is, and will keep it up to date. Members of a real cluster have
   * one from the beginning; here they tell where they are from the first time that one is to move. Before that a
   * client may bind their ids to other identities.
   */
  mayFollow({ id, peerId }: SimMember, running: readonly SimMember[]): boolean {
    this.#knowledge ??= this.#begin();
    return running.some(
      ({ node }) =>
        node !== null && nodeOf(node.state, id) !== null && announcementRefusal(node.state, id, peerId) === null,
    );
  }

  /** Gives a host on which no process runs another address: one that was another's, if there is any, or a new one. */
  move(host: SimHost, takesOver: boolean): void {
    this.#knowledge ??= this.#begin();
    const before = this.of(host);
    host.moves += 1;
    this.#issued += 1;
    this.#places.set(host.index, (takesOver ? this.#left.pop() : undefined) ?? `moved-${this.#issued}:7001`);
    this.#left.push(before);
    this.#parts.changed();
  }

  // ---- Processes

  booted(member: SimMember): void {
    const knowledge = this.#knowledge?.get(member);
    if (knowledge !== undefined) this.#start(knowledge);
  }

  crashed(member: SimMember): void {
    const knowledge = this.#knowledge?.get(member);
    if (knowledge === undefined) return;
    knowledge.book = null;
    knowledge.known = knownBy(knowledge.remembered ?? []);
  }

  diskEmptied(member: SimMember): void {
    const knowledge = this.#knowledge?.get(member);
    if (knowledge === undefined) return;
    knowledge.remembered = null;
    knowledge.known = new Map();
  }

  /** After each step of a member: its peers or its state may be others. */
  stepped(member: SimMember): void {
    if (this.#knowledge === null) return;
    const knowledge = this.#knowledge.get(member);
    const { node } = member;
    if (knowledge === undefined || node === null) return;
    const { seen } = knowledge;
    if (node.peers === seen.peers && node.state.nodes === seen.nodes) return;
    knowledge.seen = { peers: node.peers, nodes: node.state.nodes };
    this.#learned(knowledge);
  }

  #begin(): Map<SimMember, Knowledge> {
    const all = new Map<SimMember, Knowledge>();
    this.#knowledge = all;
    const places = [...this.#members.values()].map((member) => this.#placeOf(member));
    for (const member of this.#members.values()) {
      const remembered = places.filter(({ id }) => id !== member.id);
      const knowledge = { ...this.#nothing(member), remembered, known: knownBy(remembered) };
      all.set(member, knowledge);
      if (member.node !== null) this.#start(knowledge);
    }
    return all;
  }

  #nothing(member: SimMember): Knowledge {
    const knowledge: Knowledge = {
      member,
      remembered: null,
      book: null,
      known: new Map(),
      greeted: new Map(),
      underWay: null,
      attempt: 0,
      seen: { peers: null, nodes: null },
      answered: (attempt, answer) => this.#answered(member, attempt, answer),
    };
    return knowledge;
  }

  #placeOf({ id, peerId, host }: SimMember): MemberPlace {
    return { id, peerId, addresses: [this.of(host)] };
  }

  #start(knowledge: Knowledge): void {
    const { member } = knowledge;
    const { node, boots } = member;
    if (node === null) return;
    knowledge.remembered ??= this.#toldToJoiner(member);
    knowledge.book = new AddressBook(this.#placeOf(member), node, knowledge.remembered);
    knowledge.greeted.clear();
    knowledge.underWay = null;
    knowledge.attempt += 1;
    knowledge.seen = { peers: node.peers, nodes: node.state.nodes };
    this.#learned(knowledge);
    this.#reviewLater(knowledge, boots, 0);
  }

  /** What whoever lets a member in tells it: the leader, or else somebody who runs. */
  #toldToJoiner(joiner: SimMember): readonly MemberPlace[] {
    let teller: Knowledge | null = null;
    for (const knowledge of this.#knowledge?.values() ?? []) {
      if (knowledge.book === null || knowledge.member === joiner) continue;
      if (teller === null || knowledge.member.node?.role === "leader") teller = knowledge;
    }
    if (teller?.book == null) return [];
    return [...teller.book.peers(), this.#placeOf(teller.member)].filter(({ id }) => id !== joiner.id);
  }

  #learned(knowledge: Knowledge): void {
    if (knowledge.book === null) return;
    knowledge.remembered = knowledge.book.remember();
    const before = knowledge.known;
    const known = knownBy(knowledge.remembered);
    knowledge.known = known;
    for (const other of this.#members.values()) {
      if (this.#isFound(other, before) === this.#isFound(other, known)) continue;
      this.#parts.changed();
      return;
    }
  }

  // ---- What a process does

  #reviewLater(knowledge: Knowledge, boots: number, delayUs: number): void {
    this.#parts.loop.after(delayUs, () => {
      const { member } = knowledge;
      if (member.boots !== boots || member.node === null) return;
      if (member.host.pauses === 0 && !member.node.halted) this.#review(knowledge);
      this.#reviewLater(knowledge, boots, REVIEW_US);
    });
  }

  #review(knowledge: Knowledge): void {
    const { book, member } = knowledge;
    if (book === null) return;
    for (const peerId of knowledge.known.keys()) this.#sayHello(knowledge, peerId);
    const command = knowledge.underWay === null ? book.announcement() : null;
    if (command === null) return;
    knowledge.underWay = command;
    knowledge.attempt += 1;
    const request = { session: null, command };
    this.#parts.gateway.request(member.host, { kind: "propose", request }, knowledge, knowledge.attempt, 0);
  }

  #answered(member: SimMember, attempt: number, answer: ClientAnswer | null): void {
    const knowledge = this.#knowledge?.get(member);
    if (knowledge === undefined || attempt !== knowledge.attempt) return;
    if (answer !== null && knowledge.underWay !== null) knowledge.book?.answered(knowledge.underWay, answer);
    knowledge.underWay = null;
  }

  #sayHello(from: Knowledge, peerId: PeerId): void {
    const to = this.#members.get(peerId);
    if (to === undefined || from.greeted.get(peerId) === to.boots || !this.reaches(from.member, to)) return;
    const { loop, network } = this.#parts;
    const { moves } = to.host;
    const { boots } = from.member;
    const count = network.route(from.member.hostIndex, to.hostIndex, HELLO_BYTES, loop.nowUs, this.#arrivals);
    for (let copy = 0; copy < count; copy += 1) {
      loop.after((this.#arrivals[copy] ?? 0) - loop.nowUs, () => {
        if (from.member.boots === boots && to.host.moves === moves) this.#heard(from, to);
      });
    }
  }

  #heard(from: Knowledge, to: SimMember): void {
    const { network } = this.#parts;
    const { peerId, host } = from.member;
    const book = this.#knowledge?.get(to)?.book ?? null;
    if (book === null || to.node === null || to.node.halted || to.host.pauses > 0 || from.member.node === null) return;
    if (network.isBlocked(host.index, to.hostIndex) || network.isBlocked(to.hostIndex, host.index)) return;
    if (!to.node.isMember(peerId)) {
      this.#parts.introduce(from.member, to);
      return;
    }
    from.greeted.set(to.peerId, to.boots);
    if (!book.told(peerId, [this.of(host)])) return;
    const knowledge = this.#knowledge?.get(to);
    if (knowledge !== undefined) this.#learned(knowledge);
  }
}

function knownBy(places: readonly MemberPlace[]): ReadonlyMap<PeerId, readonly string[]> {
  return new Map(places.map(({ peerId, addresses }) => [peerId, addresses]));
}
