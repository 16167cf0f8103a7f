/**
 * Carries messages between members over the simulated network. Most travel as values; on some links, from and to a
 * liar, and wherever bytes are damaged they travel through the wire format.
 */
import { decodeMessage, encodeMessage, InvalidFrame, type Message, type PeerId } from "../../core/index.ts";
import { damagedCopy, type Links, type Network } from "../network/index.ts";
import type { Stream } from "../random/index.ts";
import type { Addresses } from "./addresses.ts";
import { EVENT, SimEvent } from "./event.ts";
import type { EventLoop } from "./event-loop.ts";
import type { SimMember } from "./member.ts";
import { messageBytes } from "./message-size.ts";

export interface TransportCounters {
  delivered: number;
  /**
   * Beside what the network lost: the receiver was down, unknown, at an address that is not known or no longer its
   * own, or overwhelmed, or the bytes could not be decoded.
   */
  dropped: number;
  asBytes: number;
  damagedFrames: number;
  undecodable: number;
}

export class Transport {
  readonly counters: TransportCounters = { delivered: 0, dropped: 0, asBytes: 0, damagedFrames: 0, undecodable: 0 };
  readonly #loop: EventLoop;
  readonly #network: Network;
  readonly #links: Links;
  readonly #addresses: Addresses;
  readonly #damages: Stream;
  readonly #receivers = new Map<PeerId, SimMember>();
  readonly #arrivals = new Float64Array(2);

  constructor(loop: EventLoop, network: Network, links: Links, addresses: Addresses, damages: Stream) {
    this.#loop = loop;
    this.#network = network;
    this.#links = links;
    this.#addresses = addresses;
    this.#damages = damages;
  }

  /** Messages to `peerId` go to `member` from now on. */
  connect(peerId: PeerId, member: SimMember): void {
    this.#receivers.set(peerId, member);
  }

  send(member: SimMember, to: PeerId, message: Message): void {
    const target = this.#receivers.get(to);
    if (target === undefined || target === member || !this.#addresses.reaches(member, target)) {
      this.counters.dropped += 1;
      return;
    }
    const from = member.host.index;
    const at = target.host.index;
    const count = this.#network.route(from, at, messageBytes(message), this.#loop.nowUs, this.#arrivals);
    if (count === 0) return;
    const damageChance = this.#links.damageChance(from, at);
    const asBytes = damageChance > 0 || target.liar !== null || this.#links.carriesBytes(from, at);
    let sender = member.peerId;
    let bytes: Uint8Array | null = null;
    if (member.liar !== null) ({ from: sender, frame: bytes } = member.liar.posted(message, encodeMessage(message)));
    else if (asBytes) bytes = encodeMessage(message);
    for (let copy = 0; copy < count; copy += 1) {
      const event = new SimEvent(EVENT.deliver, target, from);
      event.from = sender;
      event.moves = target.host.moves;
      if (bytes === null) event.message = message;
      else event.bytes = this.#perhapsDamaged(bytes, damageChance);
      this.#loop.schedule(this.#arrivals[copy] ?? 0, event);
    }
  }

  #perhapsDamaged(bytes: Uint8Array, chance: number): Uint8Array {
    if (!this.#damages.chance(chance)) return bytes;
    this.counters.damagedFrames += 1;
    return damagedCopy(bytes, this.#damages);
  }

  /**
   * Whether since the message was sent the link has been cut or the receiver has moved: what is on its way then is
   * lost with it.
   */
  isCut(event: SimEvent, member: SimMember): boolean {
    return this.#network.isBlocked(event.number, member.host.index) || event.moves !== member.host.moves;
  }

  /** The message of a delivery. Null for bytes that cannot be decoded: they are dropped, as a real transport would. */
  received({ message, bytes }: SimEvent): Message | null {
    const received = message ?? this.#decoded(bytes);
    if (received !== null) this.counters.delivered += 1;
    return received;
  }

  #decoded(bytes: Uint8Array | null): Message | null {
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
}
