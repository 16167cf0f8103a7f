/**
 * The network between hosts, numbered from 0: what becomes of a message is decided when it is sent. Each directed link
 * loses, duplicates, delays (so reorders), queues behind its capacity, clogs, and can be blocked by any number of
 * overlapping faults.
 *
 * Not modelled: the bytes themselves (see the world, which damages them) and connections. A message in flight when its
 * link is blocked still arrives, unless the world asks `isBlocked` again at delivery.
 */

import type { Stream } from "../random/index.ts";
import type { LinkList } from "./partition.ts";

/** What one directed link does to messages. */
export interface LinkParameters {
  /** Probability in [0, 1] that a message vanishes. */
  readonly lossChance: number;
  /** Probability in [0, 1] that a message that is not lost arrives twice, the second copy with a delay of its own. */
  readonly duplicateChance: number;
  /** One-way delay: this, plus an exponentially distributed part of mean `delayMeanMs`. */
  readonly delayMinMs: number;
  readonly delayMeanMs: number;
  /** Probability in [0, 1] that the delay is multiplied by `tailFactor`. */
  readonly tailChance: number;
  readonly tailFactor: number;
  /** Infinity for no limit. */
  readonly capacityBytesPerSecond: number;
  /** A message that finds more than this many bytes waiting for capacity is lost. Infinity for no limit. */
  readonly queueBytes: number;
}

/** A calm data centre. */
export const CALM_LINK: LinkParameters = {
  lossChance: 0,
  duplicateChance: 0,
  delayMinMs: 0.2,
  delayMeanMs: 0.3,
  tailChance: 0,
  tailFactor: 1,
  capacityBytesPerSecond: Infinity,
  queueBytes: Infinity,
};

/** What one directed link does at the moment, faults included. */
export interface LinkState
  extends Pick<LinkParameters, "lossChance" | "delayMinMs" | "delayMeanMs" | "tailChance" | "tailFactor"> {
  readonly isBlocked: boolean;
  /** Zero, or in the past: it is not clogged. */
  readonly cloggedUntilUs: number;
  /** Its capacity is limited. */
  readonly hasLimit: boolean;
}

export interface NetworkCounters {
  /** Calls of `route`. */
  sent: number;
  /** Of these, lost by chance or to a full queue. */
  lost: number;
  /** Of these, lost to a blocked link. */
  blocked: number;
  /** Of these, delivered twice. */
  duplicated: number;
}

// A link is this many numbers in a row, in one array: all that a message needs to know lies together.
const LOSS = 0;
const DUPLICATE = 1;
const DELAY_MIN_US = 2;
const DELAY_MEAN_US = 3;
const TAIL_CHANCE = 4;
const TAIL_FACTOR = 5;
const US_PER_BYTE = 6;
const QUEUE_US = 7;
/** Blocks on the link: it carries when there are none. */
const BLOCKS = 8;
const CLOGGED_UNTIL_US = 9;
/** When the last byte of what has been sent so far has left. */
const BUSY_UNTIL_US = 10;
const FIELDS = 11;

export class Network {
  readonly counters: NetworkCounters = { sent: 0, lost: 0, blocked: 0, duplicated: 0 };
  readonly #stream: Stream;
  #hostCount: number;
  /** How many hosts there is room for: the length of a row. */
  #room: number;
  #links: Float64Array;
  #parameters: LinkParameters;
  #nextToken = 1;
  readonly #blocked = new Map<number, LinkList>();

  /** Hosts 0 to `hostCount` - 1 to begin with, all linked as `parameters` say. */
  constructor(hostCount: number, parameters: LinkParameters, stream: Stream) {
    this.#stream = stream;
    this.#hostCount = hostCount;
    this.#room = Math.max(8, hostCount);
    this.#links = new Float64Array(this.#room * this.#room * FIELDS);
    this.#parameters = parameters;
    this.setAllLinks(parameters);
  }

  get hostCount(): number {
    return this.#hostCount;
  }

  /** Adds a host and returns its number. Its links are as `setAllLinks` last said, or the constructor. */
  addHost(): number {
    const host = this.#hostCount;
    if (host === this.#room) this.#grow();
    this.#hostCount += 1;
    for (let other = 0; other <= host; other += 1) {
      this.setLink(host, other, this.#parameters);
      this.setLink(other, host, this.#parameters);
    }
    return host;
  }

  setAllLinks(parameters: LinkParameters): void {
    this.#parameters = parameters;
    for (let from = 0; from < this.#hostCount; from += 1) {
      for (let to = 0; to < this.#hostCount; to += 1) this.setLink(from, to, parameters);
    }
  }

  /** Blocks, clogs and what is queued already stay as they are. */
  setLink(from: number, to: number, parameters: LinkParameters): void {
    const usPerByte = 1_000_000 / parameters.capacityBytesPerSecond;
    const at = this.#at(from, to);
    const links = this.#links;
    links[at + LOSS] = parameters.lossChance;
    links[at + DUPLICATE] = parameters.duplicateChance;
    links[at + DELAY_MIN_US] = parameters.delayMinMs * 1000;
    links[at + DELAY_MEAN_US] = parameters.delayMeanMs * 1000;
    links[at + TAIL_CHANCE] = parameters.tailChance;
    links[at + TAIL_FACTOR] = parameters.tailFactor;
    links[at + US_PER_BYTE] = usPerByte;
    links[at + QUEUE_US] = usPerByte === 0 ? Infinity : parameters.queueBytes * usPerByte;
  }

  /**
   * Sends a message of `sizeBytes` at `nowUs`. Writes the times at which it arrives, whole microseconds after `nowUs`,
   * into `out` (room for 2) and returns how many there are: 0, 1 or 2. The second may be earlier than the first.
   */
  route(from: number, to: number, sizeBytes: number, nowUs: number, out: Float64Array): number {
    const links = this.#links;
    const at = this.#at(from, to);
    const counters = this.counters;
    counters.sent += 1;
    if ((links[at + BLOCKS] ?? 0) > 0) {
      counters.blocked += 1;
      return 0;
    }
    if (this.#stream.chance(links[at + LOSS] ?? 0)) {
      counters.lost += 1;
      return 0;
    }
    let leavesUs = Math.max(nowUs, links[at + CLOGGED_UNTIL_US] ?? 0);
    const usPerByte = links[at + US_PER_BYTE] ?? 0;
    if (usPerByte > 0) {
      const startsUs = Math.max(leavesUs, links[at + BUSY_UNTIL_US] ?? 0);
      if (startsUs - leavesUs > (links[at + QUEUE_US] ?? 0)) {
        counters.lost += 1;
        return 0;
      }
      leavesUs = startsUs + sizeBytes * usPerByte;
      links[at + BUSY_UNTIL_US] = leavesUs;
    }
    out[0] = this.#arrivalUs(at, leavesUs);
    if (!this.#stream.chance(links[at + DUPLICATE] ?? 0)) return 1;
    counters.duplicated += 1;
    out[1] = this.#arrivalUs(at, leavesUs);
    return 2;
  }

  stateOf(from: number, to: number): LinkState {
    const links = this.#links;
    const at = this.#at(from, to);
    return {
      isBlocked: (links[at + BLOCKS] ?? 0) > 0,
      cloggedUntilUs: links[at + CLOGGED_UNTIL_US] ?? 0,
      hasLimit: (links[at + US_PER_BYTE] ?? 0) > 0,
      lossChance: links[at + LOSS] ?? 0,
      delayMinMs: (links[at + DELAY_MIN_US] ?? 0) / 1000,
      delayMeanMs: (links[at + DELAY_MEAN_US] ?? 0) / 1000,
      tailChance: links[at + TAIL_CHANCE] ?? 0,
      tailFactor: links[at + TAIL_FACTOR] ?? 1,
    };
  }

  isBlocked(from: number, to: number): boolean {
    return (this.#links[this.#at(from, to) + BLOCKS] ?? 0) > 0;
  }

  /**
   * Adds one block to a link, or takes one away: it carries again when all are gone. Throws when there is none to take
   * away.
   */
  setBlocked(from: number, to: number, blocked: boolean): void {
    const at = this.#at(from, to) + BLOCKS;
    const blocks = (this.#links[at] ?? 0) + (blocked ? 1 : -1);
    if (blocks < 0) throw new RangeError(`nothing blocks the link from host ${from} to host ${to}`);
    this.#links[at] = blocks;
  }

  /**
   * Blocks all these links (partition.ts has the usual shapes) until `unblock` is called with the token that this
   * returns.
   */
  block(links: LinkList): number {
    for (const { from, to } of links) this.setBlocked(from, to, true);
    const token = this.#nextToken;
    this.#nextToken += 1;
    this.#blocked.set(token, links);
    return token;
  }

  /** Takes away exactly what that `block` added. False when that has been done already, here or by `heal`. */
  unblock(token: number): boolean {
    const links = this.#blocked.get(token);
    if (links === undefined) return false;
    this.#blocked.delete(token);
    for (const { from, to } of links) this.setBlocked(from, to, false);
    return true;
  }

  /**
   * Holds back what is sent on a link until `untilUs`; it leaves when the clog ends. Of two overlapping clogs the
   * longer holds.
   */
  clog(from: number, to: number, untilUs: number): void {
    const at = this.#at(from, to) + CLOGGED_UNTIL_US;
    this.#links[at] = Math.max(this.#links[at] ?? 0, untilUs);
  }

  /** Ends every clog of a link. What was sent meanwhile keeps its time of arrival. */
  unclog(from: number, to: number): void {
    this.#links[this.#at(from, to) + CLOGGED_UNTIL_US] = 0;
  }

  /** Ends all blocks and clogs, and forgets what waits for capacity. Parameters stay. */
  heal(): void {
    this.#blocked.clear();
    for (let at = 0; at < this.#links.length; at += FIELDS) {
      this.#links[at + BLOCKS] = 0;
      this.#links[at + CLOGGED_UNTIL_US] = 0;
      this.#links[at + BUSY_UNTIL_US] = 0;
    }
  }

  #arrivalUs(at: number, leavesUs: number): number {
    const links = this.#links;
    const stream = this.#stream;
    let delayUs = links[at + DELAY_MIN_US] ?? 0;
    const meanUs = links[at + DELAY_MEAN_US] ?? 0;
    if (meanUs > 0) delayUs += stream.exponential(meanUs);
    if (stream.chance(links[at + TAIL_CHANCE] ?? 0)) delayUs *= links[at + TAIL_FACTOR] ?? 1;
    // At least one: nothing arrives at the instant at which it was sent.
    return Math.floor(leavesUs + delayUs) + 1;
  }

  #at(from: number, to: number): number {
    if (!(from >= 0 && from < this.#hostCount && to >= 0 && to < this.#hostCount)) {
      throw new RangeError(`no link from host ${from} to host ${to}: there are ${this.#hostCount} hosts`);
    }
    return (from * this.#room + to) * FIELDS;
  }

  #grow(): void {
    const room = 2 * this.#room;
    const links = new Float64Array(room * room * FIELDS);
    const rowLength = this.#room * FIELDS;
    for (let from = 0; from < this.#room; from += 1) {
      links.set(this.#links.subarray(from * rowLength, (from + 1) * rowLength), from * room * FIELDS);
    }
    this.#links = links;
    this.#room = room;
  }
}
