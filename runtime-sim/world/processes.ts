/**
 * The processes of members: they start from what their disk holds, crash, pause, take inputs one after another, and what they want done is carried
 * out here.
 */
import { type Effect, type Input, Node, type RaftOptions } from "../../core/index.ts";
import type { ClientGateway } from "./client-gateway.ts";
import { EVENT, SimEvent } from "./event.ts";
import type { EventLoop } from "./event-loop.ts";
import type { Host, Place } from "./host.ts";
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
  readonly loop: EventLoop;
  readonly members: Members;
  readonly transport: Transport;
  readonly gateway: ClientGateway;
  readonly progress: Progress;
  readonly watchers: Watchers;
}

export class Processes {
  /** Of crashes. */
  readonly counters = { lostWrites: 0, tornWrites: 0 };
  readonly #raft: RaftOptions;
  readonly #loop: EventLoop;
  readonly #members: Members;
  readonly #transport: Transport;
  readonly #gateway: ClientGateway;
  readonly #progress: Progress;
  readonly #watchers: Watchers;

  constructor({ raft, loop, members, transport, gateway, progress, watchers }: ProcessesParts) {
    this.#raft = raft;
    this.#loop = loop;
    this.#members = members;
    this.#transport = transport;
    this.#gateway = gateway;
    this.#progress = progress;
    this.#watchers = watchers;
  }

  // ---- Start and end

  boot(host: Host): void {
    if (host.state !== "down" || host.place.host !== host || host.damageFound) return;
    const { nowUs } = this.#loop;
    const { listener, core, observer } = this.#watchers;
    const outcome = host.storage.restore();
    if (outcome.kind === "readError") {
      listener.unreadable(host, outcome.reason, false);
      this.#loop.after(RESTART_AFTER_READ_ERROR_US, () => this.boot(host));
      return;
    }
    if (outcome.kind === "damaged") {
      host.damageFound = true;
      listener.unreadable(host, outcome.reason, true);
      return;
    }
    const { clock } = host.place;
    clock.restart(host.dice.integer(0, MONOTONIC_START_MAX_MS), nowUs);
    const stamp = { nowMs: clock.monotonicMs(nowUs), wallMs: clock.wallMs(nowUs) };
    const runtime = this.#members.runtimeFor(host.identity, host.dice);
    const node = new Node(host.id, this.#raft, runtime, outcome.restored, stamp);
    host.node = node;
    host.state = "up";
    host.boots += 1;
    host.nextRequestId = 1;
    host.wasLeader = false;
    const effects = node.start();
    core?.booted(host.peerId, outcome.restored, stamp, effects);
    observer?.booted(host);
    listener.booted(host);
    this.#stepped(host, node, effects);
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
    for (const { kind } of place.inbox) if (kind === EVENT.deliver) this.#transport.counters.dropped += 1;
    place.inbox = [];
    this.#gateway.breakOff(host);
    this.#watchers.observer?.crashed(host);
    this.#watchers.listener.crashed(host, outcome.lost, outcome.torn);
    return true;
  }

  /** The host never comes back: its disk, or its membership, is gone. */
  retire(host: Host): void {
    this.crash(host);
    host.state = "gone";
    if (host.place.host === host) host.place.host = null;
  }

  // ---- Inputs

  /** Until `resume`, inputs wait. */
  pause(place: Place): void {
    place.pauses += 1;
  }

  resume(place: Place): void {
    place.pauses -= 1;
    if (place.pauses === 0) this.#drainLater(place);
  }

  /** To the process, or to its inbox while it is paused or slow. */
  input(host: Host, event: SimEvent): void {
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
    if (event.kind === EVENT.deliver) this.#transport.counters.dropped += 1;
    else if (event.kind === EVENT.request && event.caller !== null)
      this.#gateway.refuse(host, event.caller, event.number);
  }

  #drainLater(place: Place): void {
    const { host } = place;
    if (place.draining || host === null || place.inbox.length === 0) return;
    place.draining = true;
    this.#loop.schedule(this.#loop.nowUs + place.inputUs, new SimEvent(EVENT.drain, host, 0));
  }

  /** One input of those that wait, or all when the process is quick. */
  drain(place: Place): void {
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
    const nowMs = clock.monotonicMs(this.#loop.nowUs);
    const wallMs = clock.wallMs(this.#loop.nowUs);
    switch (event.kind) {
      case EVENT.deliver: {
        let message = this.#transport.received(event);
        if (message !== null && host.liar !== null) message = host.liar.heard(event.from, message);
        if (message === null) return;
        this.#watchers.witness?.received(host, event.from, message);
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
        const requestId = this.#gateway.accept(host, caller, event.number);
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

  #step(host: Host, node: Node, input: Input): void {
    const effects = node.step(input);
    this.#watchers.core?.stepped(host.peerId, input, effects);
    this.#stepped(host, node, effects);
  }

  // ---- Effects

  #stepped(host: Host, node: Node, effects: readonly Effect[]): void {
    const { observer, recorder, witness } = this.#watchers;
    observer?.stepped(host, effects);
    this.#progress.stepped(host, node);
    recorder?.stepped(host, effects);
    witness?.stepped(host, effects);
    this.#loop.hash.mix(effects.length);
    const { liar } = host;
    if (liar === null) for (const effect of effects) this.#perform(host, effect);
    else for (const effect of liar.spoken(node, effects)) this.#perform(host, effect);
  }

  #perform(host: Host, effect: Effect): void {
    switch (effect.kind) {
      case "send":
        this.#transport.send(host, effect.to, effect.message);
        return;
      case "write": {
        const { place, storage } = host;
        if (place.writeTraps.size > 0) springTraps(place);
        storage.submit(effect.write, this.#loop.nowUs);
        this.armDisk(host);
        return;
      }
      case "wakeAt":
        host.deadlineMs = effect.atMs;
        this.#armWake(host);
        return;
      case "answer":
        if (!this.#gateway.answer(host, effect.requestId, effect.answer))
          this.#watchers.listener.strayAnswer(host, effect.requestId);
        return;
      case "evidence":
        this.#watchers.listener.evidence(host, effect.evidence);
        return;
      case "halt":
        host.failStopped = effect.evidence !== null;
        this.#watchers.listener.halted(host, effect.reason, effect.evidence);
        return;
    }
  }

  // ---- Deadlines

  #armWake(host: Host): void {
    if (host.deadlineMs >= host.armedMs) return;
    const atUs = host.place.clock.trueUsWhen(host.deadlineMs, this.#loop.nowUs);
    host.wakeNumber += 1;
    // The clock is frozen for good: its next change arms anew.
    if (atUs === Infinity) return;
    host.armedMs = host.deadlineMs;
    this.#loop.schedule(atUs, new SimEvent(EVENT.wake, host, host.wakeNumber));
  }

  /** Whether a wake event is still the one that was armed last, and its deadline has come. If the clock has moved meanwhile, arms anew. */
  isWakeDue(host: Host, event: SimEvent): boolean {
    if (event.number !== host.wakeNumber || host.node === null) return false;
    host.armedMs = Infinity;
    if (host.place.clock.monotonicMs(this.#loop.nowUs) >= host.deadlineMs) return true;
    this.#armWake(host);
    return false;
  }

  /** The clock of a place has changed: a deadline comes at another time now. */
  clockChanged({ host }: Place): void {
    if (host === null || host.node === null) return;
    host.armedMs = Infinity;
    this.#armWake(host);
  }

  // ---- The disk

  /** After anything that may let the disk's work end sooner: a write, or a change of its faults. */
  armDisk(host: Host): void {
    const { nextUs } = host.storage;
    if (nextUs === Infinity || nextUs >= host.diskArmedUs) return;
    host.diskArmedUs = nextUs;
    this.#loop.schedule(nextUs, new SimEvent(EVENT.disk, host, 0));
  }

  diskAdvanced(host: Host): void {
    host.diskArmedUs = Infinity;
    const { storage } = host;
    const writeId = storage.advance(this.#loop.nowUs);
    const failure = storage.takeFailure();
    this.armDisk(host);
    this.#loop.hash.mix(writeId);
    if (writeId > 0) this.input(host, new SimEvent(EVENT.written, host, writeId));
    if (failure === null) return;
    const event = new SimEvent(EVENT.written, host, failure.writeId);
    event.reason = failure.reason;
    this.input(host, event);
  }
}

function springTraps(place: Place): void {
  const traps = [...place.writeTraps];
  place.writeTraps.clear();
  for (const trap of traps) trap();
}
