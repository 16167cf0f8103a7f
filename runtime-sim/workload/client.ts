/**
 * A client: opens a session, and then asks, at any node, what the generator draws. It has up to its width of calls
 * under way at a time. Without a definite answer it tries again elsewhere, with the same session and sequence, until it
 * has one or gives up; what it has given up is of unknown outcome, and it goes on as another process, in another
 * session. Requests without a session are sent once.
 */
import { CLUSTER_LIMITS, type ClientAnswer, type RequestRefusal } from "../../core/index.ts";
import type { Stream } from "../random/index.ts";
import type { Caller, SimHost, World } from "../world/index.ts";
import { Call } from "./call.ts";
import type { Generator } from "./generator.ts";
import type { Asked, ClientOperation } from "./operation.ts";
import { ClientSession } from "./session.ts";

/** How long a client waits for one answer before it asks elsewhere. */
const ANSWER_PATIENCE_US = [400_000, 5_500_000] as const;
/** How long it tries altogether before it gives up. */
const CALL_PATIENCE_US = [5_000_000, 60_000_000] as const;
/** Mean pause before a retry; it doubles with each failure in a row, this many times at most. */
const RETRY_MEAN_US = 50_000;
const RETRY_DOUBLINGS_MAX = 5;
/** How likely a client gives up after a refusal that promises to be without effect. */
const TAKES_NO_FOR_AN_ANSWER = 0.1;
/** How likely a client asks the node again that answered last. */
const STAYS = 0.6;
/** How likely a request of a session is sent to two nodes at once. */
const HEDGES = 0.02;
/** How likely a client says who it is. */
const SAYS_WHO = 0.3;
/** Of the arrivals of a client, those with which it does something about its session. */
const ABOUT_SESSIONS = 0.03;

/** Refusals that no other node, and no later time, would take back. */
const FINAL: ReadonlySet<RequestRefusal["kind"]> = new Set(["invalidRequest", "requestTooLarge", "leaseReadsOff"]);

/** One process in this many has the longest name that the cluster takes. */
const LONG_NAMES_ONE_IN = 8;

function nameOf(process: number, lengthMax: number): string {
  const name = `process-${process}`;
  return process % LONG_NAMES_ONE_IN === 0 ? name.padEnd(lengthMax, "-") : name;
}

/** How one client behaves, drawn once. */
export interface Habits {
  readonly thinkMeanUs: number;
  /** Calls that it has under way at most. */
  readonly width: number;
  /** How likely it fills its width at once. */
  readonly bursts: number;
  /** Share of its writes that have no session. */
  readonly sessionless: number;
}

/** What all clients of a run share. */
export interface ClientHub {
  readonly world: World;
  readonly generator: Generator;
  nextProcess(): number;
  nextOperation(): number;
  invoked(operation: ClientOperation): void;
  completed(operation: ClientOperation): void;
  /** See `WorkloadShape`. */
  readonly asksLiars: boolean;
  /** A client acts on an answer. */
  took(answer: ClientAnswer): void;
}

export class Client implements Caller {
  readonly #hub: ClientHub;
  readonly #world: World;
  readonly #rng: Stream;
  readonly #habits: Habits;
  #process: number;
  #session: ClientSession | null = null;
  /** One that has been closed, for who asks in it all the same. */
  #closed: ClientSession | null = null;
  #isOpening = false;
  /** Waits for a session. */
  #onceOpen: (() => void)[] = [];
  /** By attempt: an answer to any attempt of a call is an answer to the call. */
  readonly #calls = new Map<number, Call>();
  readonly #underWay = new Set<Call>();
  #attempts = 0;
  /** The next arrival waits until a call is completed. */
  #isFull = false;
  #stay: SimHost | null = null;
  #stopped = false;
  /** Never gives up: somebody waits for the outcome. */
  #insists = false;
  #timerUs = Number.POSITIVE_INFINITY;

  constructor(hub: ClientHub, rng: Stream, habits: Habits) {
    this.#hub = hub;
    this.#world = hub.world;
    this.#rng = rng;
    this.#habits = habits;
    this.#process = hub.nextProcess();
  }

  /** Begins to call, and goes on until `stop`. */
  start(): void {
    this.#think();
  }

  /** Begins no further call. Those under way are tried until their outcome is known. */
  stop(): void {
    this.#stopped = true;
    this.#insists = true;
    this.#onceOpen = [];
  }

  get isIdle(): boolean {
    return this.#underWay.size === 0;
  }

  /** One call, tried until its outcome is known. */
  callOnce(asked: Asked, then: (operation: ClientOperation) => void): void {
    this.#stopped = true;
    this.#insists = true;
    this.#withSession(() => {
      this.#begin(asked, this.#session).onCompleted = then;
    });
  }

  // ---- Between calls

  #think(): void {
    this.#world.loop.after(this.#rng.exponential(this.#habits.thinkMeanUs), () => this.#arrive());
  }

  #arrive(): void {
    if (this.#stopped) return;
    const { width, bursts } = this.#habits;
    this.#withSession(() => {
      const room = width - this.#underWay.size;
      const count = width > 1 && this.#rng.chance(bursts) ? room : Math.min(1, room);
      for (let begun = 0; begun < count && !this.#stopped && this.#session !== null; begun++) this.#ask(this.#session);
      if (this.#underWay.size < width) this.#think();
      else this.#isFull = true;
    });
  }

  #ask(session: ClientSession): void {
    if (this.#rng.chance(ABOUT_SESSIONS) && this.#askAboutSession(session)) return;
    const asked = this.#hub.generator.next(this.#rng, this.#world.loop.nowUs / 1000);
    if (asked.kind === "read" || this.#rng.chance(this.#habits.sessionless)) this.#begin(asked, null);
    // A request may not be further than this from the oldest one that is not answered.
    else if (session.room(CLUSTER_LIMITS.outstandingRequests) > 0) this.#begin(asked, session);
  }

  /** Closes the session, or asks for what is gone. False: there is nothing to do. */
  #askAboutSession(session: ClientSession): boolean {
    const asked = this.#hub.generator.change(this.#rng, this.#world.loop.nowUs / 1000);
    const closed = this.#closed;
    const room = session.room(CLUSTER_LIMITS.outstandingRequests);
    if (
      asked !== null &&
      closed !== null &&
      closed.room(CLUSTER_LIMITS.outstandingRequests) > 0 &&
      this.#rng.chance(0.4)
    ) {
      this.#begin(asked, closed, closed.next(), true);
      return true;
    }
    const { acknowledgedBelow } = session;
    if (asked !== null && acknowledgedBelow > 1 && this.#rng.chance(0.5)) {
      this.#begin(asked, session, this.#rng.integer(1, acknowledgedBelow - 1), true);
      return true;
    }
    if (session.last === 0 || room <= 0) return false;
    const call = this.#begin({ kind: "write", command: { kind: "closeSession" } }, session);
    call.onCompleted = ({ outcome }) => {
      if (outcome === "ok") this.#closed = session;
    };
    // Whatever else is asked in it meanwhile may be too late.
    this.#leave(session);
    return true;
  }

  /** Goes on as another process. */
  #leave(session: ClientSession): void {
    if (this.#session !== session) return;
    this.#session = null;
    this.#process = this.#hub.nextProcess();
  }

  /** Opens a session first where there is none. */
  #withSession(action: () => void): void {
    if (this.#session !== null) {
      action();
      return;
    }
    this.#onceOpen.push(action);
    if (this.#isOpening) return;
    this.#isOpening = true;
    const command = {
      kind: "openSession",
      clientToken: nameOf(this.#process, CLUSTER_LIMITS.clientTokenLength),
    } as const;
    const call = this.#begin({ kind: "write", command }, null);
    call.onCompleted = ({ answer }) => {
      this.#isOpening = false;
      if (answer?.kind !== "applied" || !answer.result.ok || answer.result.kind !== "sessionOpened") return;
      this.#session = new ClientSession(answer.result.sessionId);
      const waiting = this.#onceOpen;
      this.#onceOpen = [];
      for (const then of waiting) then();
    };
  }

  // ---- A call

  #begin(asked: Asked, session: ClientSession | null, again = 0, isAfterGone = false): Call {
    const { loop } = this.#world;
    const sequence = session === null ? 0 : again > 0 ? again : session.next();
    const operation: ClientOperation = {
      id: this.#hub.nextOperation(),
      client: this.#process,
      asked,
      session: session?.id ?? 0,
      sequence,
      invokedAtMs: loop.nowUs / 1000,
      invokedEvent: loop.events,
      completedAtMs: null,
      completedEvent: null,
      outcome: "pending",
      answer: null,
    };
    const giveUpUs = loop.nowUs + this.#rng.integer(...CALL_PATIENCE_US);
    const actor =
      asked.kind === "write" && this.#rng.chance(SAYS_WHO) ? nameOf(this.#process, CLUSTER_LIMITS.actorLength) : null;
    const call = new Call(operation, session, actor, giveUpUs, isAfterGone);
    this.#underWay.add(call);
    this.#hub.invoked(operation);
    this.#try(call);
    if (session !== null && this.#rng.chance(HEDGES)) this.#try(call);
    return call;
  }

  #try(call: Call): void {
    const { loop, gateway } = this.#world;
    const attempt = ++this.#attempts;
    call.attempts.push(attempt);
    call.unanswered.add(attempt);
    this.#calls.set(attempt, call);
    call.patienceUs = loop.nowUs + this.#rng.integer(...ANSWER_PATIENCE_US);
    this.#armTimer(call.patienceUs);
    gateway.request(this.#somewhere(), call.request(), this, attempt);
  }

  #somewhere(): SimHost {
    const { hosts } = this.#world.members;
    if (this.#stay?.member?.node != null && this.#rng.chance(STAYS)) return this.#stay;
    const { asksLiars } = this.#hub;
    const inhabited = hosts.filter(({ member }) => member !== null && (member.honest || asksLiars));
    this.#stay = this.#rng.pick(inhabited.length > 0 ? inhabited : hosts);
    return this.#stay;
  }

  /** One timer at a time: when the deadline has moved, the timer is armed anew as soon as it fires. */
  #armTimer(atUs: number): void {
    if (this.#timerUs <= atUs) return;
    this.#timerUs = atUs;
    this.#world.loop.after(atUs - this.#world.loop.nowUs, () => {
      if (this.#timerUs !== atUs) return;
      this.#timerUs = Number.POSITIVE_INFINITY;
      for (const call of [...this.#underWay]) if (call.patienceUs <= this.#world.loop.nowUs) this.#noAnswer(call);
      let nextUs = Number.POSITIVE_INFINITY;
      for (const { patienceUs } of this.#underWay) nextUs = Math.min(nextUs, patienceUs);
      if (nextUs < Number.POSITIVE_INFINITY) this.#armTimer(nextUs);
    });
  }

  // ---- Answers

  answered(attempt: number, answer: ClientAnswer | null): void {
    const call = this.#calls.get(attempt);
    if (call === undefined) return;
    call.unanswered.delete(attempt);
    if (answer !== null) this.#hub.took(answer);
    if (answer === null || (answer.kind === "refused" && answer.refusal.kind === "outcomeUnknown")) {
      call.isUncertain = true;
      this.#retrySoon(call, attempt);
    } else if (answer.kind === "refused") {
      this.#refusedByNode(call, attempt, answer);
    } else {
      this.#definite(call, answer);
    }
  }

  /** That attempt had no effect, and will have none. */
  #refusedByNode(call: Call, attempt: number, answer: Extract<ClientAnswer, { readonly kind: "refused" }>): void {
    const { kind } = answer.refusal;
    const isFinal = FINAL.has(kind);
    // What no node takes, no earlier one has taken.
    const isCertain = isFinal || (!call.isUncertain && call.unanswered.size === 0);
    const takesIt = isFinal || !call.isRepeatable || (!this.#insists && this.#rng.chance(TAKES_NO_FOR_AN_ANSWER));
    if (isCertain && takesIt && !call.isOpening) this.#complete(call, "refused", answer);
    else this.#retrySoon(call, attempt);
  }

  #definite(call: Call, answer: ClientAnswer): void {
    const refusal = answer.kind === "applied" && !answer.result.ok ? answer.result.refusal.kind : null;
    const isGone = refusal === "sessionExpired" || refusal === "sequenceTooOld";
    // An earlier attempt may have happened.
    if (isGone && !call.isAfterGone) this.#complete(call, "unknown", null);
    else this.#complete(call, refusal === null ? "ok" : "refused", answer);
  }

  #noAnswer(call: Call): void {
    call.patienceUs = Number.POSITIVE_INFINITY;
    call.isUncertain = true;
    // Another node next time, if there is one.
    this.#stay = null;
    this.#retry(call);
  }

  /** After an attempt that came to nothing; unless another is under way. */
  #retrySoon(call: Call, attempt: number): void {
    if (attempt !== call.attempt) return;
    call.patienceUs = Number.POSITIVE_INFINITY;
    this.#stay = null;
    const meanUs = RETRY_MEAN_US << Math.min(call.failures, RETRY_DOUBLINGS_MAX);
    call.failures += 1;
    this.#world.loop.after(this.#rng.exponential(meanUs), () => {
      if (attempt === call.attempt && this.#underWay.has(call)) this.#retry(call);
    });
  }

  #retry(call: Call): void {
    const isLate = !this.#insists && this.#world.loop.nowUs >= call.giveUpUs && !call.isOpening;
    // Left out, a read without an answer would be as good: it had no effect.
    if (isLate || !call.isRepeatable) this.#complete(call, "unknown", null);
    else this.#try(call);
  }

  #complete(call: Call, outcome: "ok" | "refused" | "unknown", answer: ClientAnswer | null): void {
    const { operation, session } = call;
    const { nowUs, events } = this.#world.loop;
    operation.completedAtMs = nowUs / 1000;
    operation.completedEvent = events;
    operation.outcome = outcome;
    operation.answer = answer;
    this.#underWay.delete(call);
    // Late answers belong to nobody.
    for (const attempt of call.attempts) this.#calls.delete(attempt);
    if (answer !== null) this.#hub.generator.belief.learn(operation.asked, answer, nowUs / 1000);
    this.#hub.completed(operation);
    if (session !== null) this.#settled(session, call, answer);
    call.onCompleted?.(operation);
    if (!this.#isFull) return;
    this.#isFull = false;
    if (!this.#stopped) this.#think();
  }

  #settled(session: ClientSession, call: Call, answer: ClientAnswer | null): void {
    if (!call.isAfterGone) session.settled(call.operation.sequence);
    if (answer?.kind === "applied")
      session.acknowledgedBelow = Math.max(session.acknowledgedBelow, call.acknowledgesBelow);
    if (answer === null) this.#leave(session);
  }
}
