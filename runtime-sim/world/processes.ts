/**
 * The processes of members. They start from what their disk holds, crash, pause, and take one input after another.
 * Their effects are carried out here.
 */
import { type CountLimits, type Effect, type Input, Node, type RaftOptions, type Restored } from "../../core/index.ts";
import type { Addresses } from "./addresses.ts";
import type { ClientGateway } from "./client-gateway.ts";
import { EVENT, SimEvent } from "./event.ts";
import type { EventLoop } from "./event-loop.ts";
import type { SimHost } from "./host.ts";
import type { SimMember } from "./member.ts";
import type { Members } from "./members.ts";
import type { Progress } from "./progress.ts";
import type { Transport } from "./transport.ts";
import type { Watchers } from "./watchers.ts";

/** Inputs that may wait for a process that is paused or slow; messages and requests beyond are lost. */
const INBOX_MAX = 20_000;
/** Between a start that met a read error and the next. */
const RESTART_AFTER_READ_ERROR_US = 1_000_000;
/** The monotonic clock of a new process starts anywhere up to this. */
const MONOTONIC_START_MAX_MS = 1_000_000;

export interface ProcessesParts {
  readonly raft: RaftOptions;
  readonly limits: CountLimits;
  readonly loop: EventLoop;
  readonly members: Members;
  readonly transport: Transport;
  readonly addresses: Addresses;
  readonly gateway: ClientGateway;
  readonly progress: Progress;
  readonly watchers: Watchers;
}

export class Processes {
  /** What crashes did to writes. */
  readonly counters = { lostWrites: 0, tornWrites: 0 };
  readonly #raft: RaftOptions;
  readonly #limits: CountLimits;
  readonly #loop: EventLoop;
  readonly #members: Members;
  readonly #transport: Transport;
  readonly #addresses: Addresses;
  readonly #gateway: ClientGateway;
  readonly #progress: Progress;
  readonly #watchers: Watchers;

  constructor({ raft, limits, loop, members, transport, addresses, gateway, progress, watchers }: ProcessesParts) {
    this.#raft = raft;
    this.#limits = limits;
    this.#loop = loop;
    this.#members = members;
    this.#transport = transport;
    this.#addresses = addresses;
    this.#gateway = gateway;
    this.#progress = progress;
    this.#watchers = watchers;
  }

  // ---- Start and end

  boot(member: SimMember): void {
    if (member.state !== "down" || member.host.member !== member) return;
    if (member.damageFound || member.diskEmptied) return;
    const { nowUs } = this.#loop;
    const { listener, core, observer } = this.#watchers;
    const outcome = member.storage.restore();
    if (outcome.kind === "readError") {
      listener.unreadable(member, outcome.reason, false);
      this.#loop.after(RESTART_AFTER_READ_ERROR_US, () => this.boot(member));
      return;
    }
    if (outcome.kind === "damaged") {
      member.damageFound = true;
      listener.unreadable(member, outcome.reason, true);
      return;
    }
    const { clock } = member.host;
    clock.restart(member.rng.integer(0, MONOTONIC_START_MAX_MS), nowUs);
    const stamp = { nowMs: clock.monotonicMs(nowUs), wallMs: clock.wallMs(nowUs) };
    const runtime = this.#members.runtimeFor(member.identity, member.rng);
    const node = new Node(member.id, this.#raft, runtime, outcome.restored, stamp, this.#limits, member.level);
    member.node = node;
    member.state = "up";
    member.boots += 1;
    member.nextRequestId = 1;
    member.wasLeader = false;
    const effects = node.start();
    this.#addresses.booted(member);
    core?.booted(member.peerId, outcome.restored, stamp, effects);
    observer?.booted(member);
    listener.booted(member);
    this.#stepped(member, node, effects);
  }

  /** Ends the process at once. False when none runs. */
  crash(member: SimMember): boolean {
    if (member.state !== "up") return false;
    const { host } = member;
    member.lastConfiguration = member.configuration;
    member.node = null;
    member.state = "down";
    member.deadlineMs = Infinity;
    member.armedMs = Infinity;
    member.wakeNumber += 1;
    member.diskArmedUs = Infinity;
    const outcome = member.storage.crash();
    this.counters.lostWrites += outcome.lost;
    if (outcome.torn) this.counters.tornWrites += 1;
    for (const { kind } of host.inbox) if (kind === EVENT.deliver) this.#transport.counters.dropped += 1;
    host.inbox = [];
    this.#gateway.breakOff(member);
    this.#addresses.crashed(member);
    this.#watchers.observer?.crashed(member);
    this.#watchers.listener.crashed(member, outcome.lost, outcome.torn);
    return true;
  }

  /**
   * The process ends, and its disk is empty. The host keeps the member's identity. What was durable is known until it
   * starts anew: it may have told of it a moment ago.
   */
  emptyDisk(member: SimMember): void {
    this.crash(member);
    this.#addresses.diskEmptied(member);
    member.diskEmptied = true;
    member.damageFound = false;
  }

  /** Starts a member whose disk was emptied, under its old id and identity, from what the cluster gave it. */
  startAnew(member: SimMember, restored: Restored): void {
    member.storage.replace(restored);
    member.diskEmptied = false;
    member.disk.startsAnew += 1;
    this.boot(member);
  }

  /** The member never comes back: its disk, or its membership, is gone. */
  retire(member: SimMember): void {
    this.crash(member);
    member.state = "gone";
    if (member.host.member === member) member.host.member = null;
  }

  // ---- Inputs

  /** Until `resume`, inputs wait. */
  pause(host: SimHost): void {
    host.pauses += 1;
  }

  resume(host: SimHost): void {
    host.pauses -= 1;
    if (host.pauses === 0) this.#drainLater(host);
  }

  /** Gives an event to the process, or puts it into the inbox while the process is paused or slow. */
  input(member: SimMember, event: SimEvent): void {
    const { host } = member;
    if (member.node === null) {
      this.#undeliverable(member, event);
      return;
    }
    if (host.pauses === 0 && host.slowness.length === 0 && host.inbox.length === 0) {
      this.#handle(member, member.node, event);
      return;
    }
    if (host.inbox.length >= INBOX_MAX && (event.kind === EVENT.deliver || event.kind === EVENT.request)) {
      this.#undeliverable(member, event);
      return;
    }
    host.inbox.push(event);
    if (host.pauses === 0 && !host.draining) this.#drainLater(host);
  }

  #undeliverable(member: SimMember, event: SimEvent): void {
    if (event.kind === EVENT.deliver) this.#transport.counters.dropped += 1;
    else if (event.kind === EVENT.request && event.caller !== null)
      this.#gateway.refuse(member, event.caller, event.number);
  }

  #drainLater(host: SimHost): void {
    const { member } = host;
    if (host.draining || member === null || host.inbox.length === 0) return;
    host.draining = true;
    this.#loop.schedule(this.#loop.nowUs + host.inputUs, new SimEvent(EVENT.drain, member, 0));
  }

  /** Takes one of the waiting inputs, or all of them when the process is not slow. */
  drain(host: SimHost): void {
    host.draining = false;
    if (host.pauses > 0) return;
    const quick = host.slowness.length === 0;
    do {
      const event = host.inbox.shift();
      const { member } = host;
      if (event === undefined || member === null || member.node === null || event.member !== member) return;
      this.#handle(member, member.node, event);
    } while (quick && host.inbox.length > 0);
    this.#drainLater(host);
  }

  #handle(member: SimMember, node: Node, event: SimEvent): void {
    const { clock } = member.host;
    const nowMs = clock.monotonicMs(this.#loop.nowUs);
    const wallMs = clock.wallMs(this.#loop.nowUs);
    switch (event.kind) {
      case EVENT.deliver: {
        let message = this.#transport.received(event);
        if (message !== null && member.liar !== null) message = member.liar.heard(event.from, message);
        if (message === null) return;
        this.#watchers.witness?.received(member, event.from, message);
        if (message.type === "report") this.#progress.reportWatch?.(message.peerId);
        this.#step(member, node, { kind: "message", nowMs, wallMs, from: event.from, message });
        return;
      }
      case EVENT.wake:
        member.deadlineMs = Infinity;
        this.#step(member, node, { kind: "wake", nowMs, wallMs });
        return;
      case EVENT.written:
        if (event.reason === "") this.#step(member, node, { kind: "written", nowMs, wallMs, writeId: event.number });
        else
          this.#step(member, node, { kind: "writeFailed", nowMs, wallMs, writeId: event.number, reason: event.reason });
        return;
      case EVENT.request: {
        const { caller, request } = event;
        if (caller === null || request === null) return;
        const requestId = this.#gateway.accept(member, caller, event.number);
        const said = member.liar?.asked(node, requestId, request) ?? null;
        if (said !== null) {
          for (const effect of said) this.#perform(member, effect);
          return;
        }
        this.#watchers.observer?.requested(member, requestId, request);
        if (request.kind === "report") this.#progress.reportWatch?.(request.peerId);
        this.#step(member, node, { kind: "request", nowMs, wallMs, requestId, request });
        return;
      }
      case EVENT.disk:
      case EVENT.answer:
      case EVENT.drain:
      case EVENT.call:
        throw new RangeError("not an input");
    }
  }

  #step(member: SimMember, node: Node, input: Input): void {
    const effects = node.step(input);
    this.#watchers.core?.stepped(member.peerId, input, effects);
    this.#stepped(member, node, effects);
  }

  // ---- Effects

  #stepped(member: SimMember, node: Node, effects: readonly Effect[]): void {
    const { observer, recorder, witness } = this.#watchers;
    observer?.stepped(member, effects);
    this.#addresses.stepped(member);
    this.#progress.stepped(member, node);
    recorder?.stepped(member, effects);
    witness?.stepped(member, effects);
    this.#loop.hash.mix(effects.length);
    const { liar } = member;
    if (liar === null) for (const effect of effects) this.#perform(member, effect);
    else for (const effect of liar.spoken(node, effects)) this.#perform(member, effect);
  }

  #perform(member: SimMember, effect: Effect): void {
    switch (effect.kind) {
      case "send":
        this.#transport.send(member, effect.to, effect.message);
        return;
      case "write": {
        const { host, storage } = member;
        if (host.writeTraps.size > 0) springTraps(host);
        storage.submit(effect.write, this.#loop.nowUs);
        this.armDisk(member);
        return;
      }
      case "wakeAt":
        member.deadlineMs = effect.atMs;
        this.#armWake(member);
        return;
      case "answer":
        if (!this.#gateway.answer(member, effect.requestId, effect.answer))
          this.#watchers.listener.strayAnswer(member, effect.requestId);
        return;
      case "evidence":
        this.#watchers.listener.evidence(member, effect.evidence);
        return;
      case "halt":
        member.failStopped = effect.evidence !== null;
        this.#watchers.listener.halted(member, effect.reason, effect.evidence);
        return;
    }
  }

  // ---- Deadlines

  #armWake(member: SimMember): void {
    if (member.deadlineMs >= member.armedMs) return;
    const atUs = member.host.clock.trueUsWhen(member.deadlineMs, this.#loop.nowUs);
    member.wakeNumber += 1;
    // The clock is frozen for good: its next change arms anew.
    if (atUs === Infinity) return;
    member.armedMs = member.deadlineMs;
    this.#loop.schedule(atUs, new SimEvent(EVENT.wake, member, member.wakeNumber));
  }

  /**
   * Whether a wake event is still the one that was armed last, and its deadline has come. If the clock has moved
   * meanwhile, arms anew.
   */
  isWakeDue(member: SimMember, event: SimEvent): boolean {
    if (event.number !== member.wakeNumber || member.node === null) return false;
    member.armedMs = Infinity;
    if (member.host.clock.monotonicMs(this.#loop.nowUs) >= member.deadlineMs) return true;
    this.#armWake(member);
    return false;
  }

  /** The clock of a host has changed: a deadline comes at another time now. */
  clockChanged(host: SimHost): void {
    const { member } = host;
    host.clockChanges += 1;
    if (member === null || member.node === null) return;
    member.armedMs = Infinity;
    this.#armWake(member);
  }

  // ---- The disk

  /** After anything that may let the disk's work end sooner: a write, or a change of its faults. */
  armDisk(member: SimMember): void {
    const { nextUs } = member.storage;
    if (nextUs === Infinity || nextUs >= member.diskArmedUs) return;
    member.diskArmedUs = nextUs;
    this.#loop.schedule(nextUs, new SimEvent(EVENT.disk, member, 0));
  }

  diskAdvanced(member: SimMember): void {
    member.diskArmedUs = Infinity;
    const { storage } = member;
    const writeId = storage.advance(this.#loop.nowUs);
    const failure = storage.takeFailure();
    this.armDisk(member);
    this.#loop.hash.mix(writeId);
    if (writeId > 0) this.input(member, new SimEvent(EVENT.written, member, writeId));
    if (failure === null) return;
    const event = new SimEvent(EVENT.written, member, failure.writeId);
    event.reason = failure.reason;
    this.input(member, event);
  }
}

function springTraps(host: SimHost): void {
  const traps = [...host.writeTraps];
  host.writeTraps.clear();
  for (const trap of traps) trap();
}
