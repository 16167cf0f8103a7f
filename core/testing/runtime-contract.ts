/**
 * What a core may rely on, whatever world runs it: one contract for all runtimes, checked against everything that a
 * world tells its cores and hears from them.
 *
 * Checks, for each process:
 * - its monotonic clock never goes back;
 * - writes complete in the order in which they were issued, none before it was issued, and none of an earlier process;
 * - what a new process finds is what some prefix of all writes leaves, and no less than what was reported durable;
 * - a wake comes only when one was asked for, and at most `latenessMs` late;
 * - no request comes twice.
 *
 * Between processes: every message that arrives was sent, by that peer to this one; where `network` is `ordered`, also
 * once, and in order on each channel (snapshots have their own).
 *
 * Does not check what the core does with it: that is for the oracles.
 */
import {
  type CoreWatch,
  DurableState,
  type Effect,
  encodeMessage,
  type Input,
  type Message,
  type PeerId,
  type Restored,
  type Stamp,
} from "../index.ts";

export interface ContractTerms {
  /** faulty: messages may be lost, doubled and reordered. ordered: they may be lost. */
  readonly network: "faulty" | "ordered";
  /** How late a wake may be. */
  readonly latenessMs: number;
}

export interface ContractCounts {
  messages: number;
  writes: number;
  wakes: number;
  boots: number;
}

/** One process, from its start on. */
interface ProcessWatch {
  nowMs: number;
  /** The deadline that was asked for last; null: none is under way. */
  wakeAtMs: number | null;
  issued: number;
  completed: number;
  readonly requests: Set<number>;
}

interface Disk {
  readonly durable: DurableState;
  /** Issued, and not yet reported durable. */
  pending: Extract<Effect, { kind: "write" }>["write"][];
}

interface Channel {
  /** What was sent, encoded. */
  readonly sent: string[];
  readonly everSent: Set<string>;
  next: number;
}

export class RuntimeContract implements CoreWatch {
  readonly violations: string[] = [];
  readonly counts: ContractCounts = { messages: 0, writes: 0, wakes: 0, boots: 0 };
  readonly #terms: ContractTerms;
  readonly #processes = new Map<PeerId, ProcessWatch>();
  readonly #disks = new Map<PeerId, Disk>();
  readonly #channels = new Map<string, Channel>();

  constructor(terms: ContractTerms) {
    this.#terms = terms;
  }

  booted(peerId: PeerId, restored: Restored, stamp: Stamp, effects: readonly Effect[]): void {
    this.counts.boots++;
    const disk = this.#disks.get(peerId);
    if (disk !== undefined && !this.#foundAll(disk, restored))
      this.#violate(
        peerId,
        "found something else on its disk than what was written, or less than what was reported durable",
      );
    this.#disks.set(peerId, { durable: new DurableState(restored), pending: [] });
    const watched: ProcessWatch = { nowMs: stamp.nowMs, wakeAtMs: null, issued: 0, completed: 0, requests: new Set() };
    this.#processes.set(peerId, watched);
    this.#perform(peerId, watched, effects);
  }

  stepped(peerId: PeerId, input: Input, effects: readonly Effect[]): void {
    const watched = this.#processes.get(peerId);
    if (watched === undefined) {
      this.#violate(peerId, "is told something before it has begun");
      return;
    }
    if (input.nowMs < watched.nowMs)
      this.#violate(peerId, `its clock went back from ${watched.nowMs} to ${input.nowMs}`);
    watched.nowMs = input.nowMs;
    const { wakeAtMs } = watched;
    if (wakeAtMs !== null && input.nowMs > wakeAtMs + this.#terms.latenessMs)
      this.#violate(peerId, `was to be woken at ${wakeAtMs}, and it is ${input.nowMs}`);
    this.#take(peerId, watched, input);
    this.#perform(peerId, watched, effects);
  }

  #take(peerId: PeerId, watched: ProcessWatch, input: Input): void {
    switch (input.kind) {
      case "wake":
        this.counts.wakes++;
        if (watched.wakeAtMs === null) this.#violate(peerId, "was woken although it asked for nothing");
        watched.wakeAtMs = null;
        return;
      case "message":
        this.#arrived(peerId, input.from, input.message);
        return;
      case "written":
        this.counts.writes++;
        this.#completed(peerId, watched, input.writeId);
        return;
      case "writeFailed":
        return;
      case "request":
        if (watched.requests.has(input.requestId)) this.#violate(peerId, `got request ${input.requestId} twice`);
        watched.requests.add(input.requestId);
        return;
      default:
        input satisfies never;
    }
  }

  #completed(peerId: PeerId, watched: ProcessWatch, writeId: number): void {
    if (writeId <= watched.completed) this.#violate(peerId, `write ${writeId} completed after ${watched.completed}`);
    if (writeId > watched.issued)
      this.#violate(peerId, `write ${writeId} completed, but only ${watched.issued} were issued`);
    watched.completed = writeId;
    const disk = this.#disks.get(peerId);
    if (disk === undefined) return;
    let count = 0;
    for (const write of disk.pending) {
      if (write.id > writeId) break;
      disk.durable.apply(write);
      count++;
    }
    disk.pending = disk.pending.slice(count);
  }

  /** Whether `restored` is what is durable, or that and some more of what was issued, in order. */
  #foundAll({ durable, pending }: Disk, restored: Restored): boolean {
    const found = fingerprint(restored);
    if (fingerprint(durable.restored()) === found) return true;
    for (const write of pending) {
      durable.apply(write);
      if (fingerprint(durable.restored()) === found) return true;
    }
    return false;
  }

  #perform(peerId: PeerId, watched: ProcessWatch, effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.kind === "wakeAt") watched.wakeAtMs = effect.atMs;
      else if (effect.kind === "send") this.#sent(peerId, effect.to, effect.message);
      else if (effect.kind === "write") {
        if (effect.write.id !== watched.issued + 1)
          this.#violate(peerId, `issued write ${effect.write.id} after ${watched.issued}`);
        watched.issued = effect.write.id;
        this.#disks.get(peerId)?.pending.push(effect.write);
      }
    }
  }

  #sent(from: PeerId, to: PeerId, message: Message): void {
    const channel = this.#channel(from, to, message);
    const bytes = keyOf(message);
    channel.everSent.add(bytes);
    if (this.#terms.network === "ordered") channel.sent.push(bytes);
  }

  #arrived(to: PeerId, from: PeerId, message: Message): void {
    this.counts.messages++;
    const channel = this.#channel(from, to, message);
    const bytes = keyOf(message);
    if (!channel.everSent.has(bytes)) {
      this.#violate(to, `got a ${message.type} of ${from} that was never sent`);
      return;
    }
    if (this.#terms.network === "faulty") return;
    const at = channel.sent.indexOf(bytes, channel.next);
    if (at < 0) this.#violate(to, `got a ${message.type} of ${from} twice, or after one that was sent later`);
    else channel.next = at + 1;
  }

  #channel(from: PeerId, to: PeerId, { type }: Message): Channel {
    const name = `${from} ${to} ${type === "snapshotChunk"}`;
    let channel = this.#channels.get(name);
    if (channel === undefined) {
      channel = { sent: [], everSent: new Set(), next: 0 };
      this.#channels.set(name, channel);
    }
    return channel;
  }

  #violate(peerId: PeerId, what: string): void {
    if (this.violations.length < 16) this.violations.push(`${peerId} ${what}`);
  }
}

function fingerprint({ hardState, snapshot, entries }: Restored): string {
  const last = entries.at(-1);
  return [
    hardState?.term,
    hardState?.votedFor,
    snapshot.meta.index,
    snapshot.meta.chain,
    entries.at(0)?.index,
    last?.index,
    last?.chain,
  ].join(" ");
}

function keyOf(message: Message): string {
  let text = "";
  for (const byte of encodeMessage(message)) text += String.fromCharCode(byte);
  return text;
}
