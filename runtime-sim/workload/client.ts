/**
 * A client: opens a session, then creates, updates, deletes and reads VM records, one call at a time, at any node.
 * Without a definite answer it tries again elsewhere, with the same session and sequence, until it has one or gives
 * up; what it has given up is of unknown outcome, and it goes on as another process, in another session.
 */
import { type ClientAnswer, type ClientRequest, type Command, type ReadConsistency, vmSpec } from "../../core/index.ts";
import type { Stream } from "../random/index.ts";
import type { Caller, SimHost, World } from "../world/index.ts";
import { type Asked, type ClientOperation, VALUE_KEY } from "./operation.ts";

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

type Kind = "create" | "update" | "delete" | "get";

/** One call as its client sees it. */
interface Pending {
  readonly operation: ClientOperation;
  readonly key: string;
  /** Answers to attempts before this one belong to earlier calls. */
  readonly firstAttempt: number;
  readonly giveUpUs: number;
  /** An attempt may have had an effect that nobody told of. */
  isUncertain: boolean;
}

/** What all clients of a run share. */
export interface ClientHub {
  readonly world: World;
  readonly keys: readonly string[];
  readonly staleReads: number;
  readonly leaseReads: number;
  nextProcess(): number;
  nextOperation(): number;
  nextValue(): number;
  invoked(operation: ClientOperation): void;
  completed(operation: ClientOperation): void;
}

export class Client implements Caller {
  readonly #hub: ClientHub;
  readonly #world: World;
  readonly #rng: Stream;
  readonly #thinkMeanUs: number;
  /** What it has last seen of each key: the generation, 0 for absent. */
  readonly #generations = new Map<string, number>();
  #process: number;
  #session = 0;
  #sequence = 0;
  #attempt = 0;
  /** Attempts in a row that came to nothing. */
  #failures = 0;
  #stay: SimHost | null = null;
  #pending: Pending | null = null;
  /** Waits for a session; then it does this. */
  #opening = false;
  #openThen: () => void = () => {};
  #stopped = false;
  /** Never gives up: somebody waits for the outcome. */
  #insists = false;
  /** Called when the call under way is completed, in place of going on. */
  #then: ((operation: ClientOperation) => void) | null = null;
  #timerUs = Infinity;
  #patienceUs = Infinity;

  constructor(hub: ClientHub, rng: Stream, thinkMeanUs: number) {
    this.#hub = hub;
    this.#world = hub.world;
    this.#rng = rng;
    this.#thinkMeanUs = thinkMeanUs;
    this.#process = hub.nextProcess();
  }

  /** Begins to call, and goes on until `stop`. */
  start(): void {
    this.#think();
  }

  /** Begins no further call. The one under way is tried until its outcome is known. */
  stop(): void {
    this.#stopped = true;
    this.#insists = true;
  }

  get isIdle(): boolean {
    return this.#pending === null;
  }

  /** One call, tried until its outcome is known. */
  callOnce(kind: Kind, key: string, then: (operation: ClientOperation) => void): void {
    this.#stopped = true;
    this.#insists = true;
    this.#then = then;
    this.#withSession(() => this.#call(kind, key));
  }

  // ---- Between calls

  #think(): void {
    this.#world.loop.after(this.#rng.exponential(this.#thinkMeanUs), () => {
      if (this.#stopped) return;
      this.#withSession(() => {
        if (this.#stopped) return;
        const key = this.#rng.pick(this.#hub.keys);
        this.#call(this.#chooseKind(key), key);
      });
    });
  }

  #chooseKind(key: string): Kind {
    const known = this.#generations.get(key);
    const draw = this.#rng.nextUnit();
    if (draw < 0.45) return "get";
    if (known === undefined || known === 0) return draw < 0.9 ? "create" : "delete";
    if (draw < 0.83) return "update";
    return draw < 0.93 ? "delete" : "create";
  }

  /** Opens a session first where there is none. A node that answers nothing about it is asked again. */
  #withSession(action: () => void): void {
    if (this.#session !== 0) {
      action();
      return;
    }
    this.#opening = true;
    this.#openThen = action;
    this.#openSession();
  }

  #openSession(): void {
    this.#send({ kind: "openSession", clientToken: `process-${this.#process}` });
  }

  // ---- A call

  #call(kind: Kind, key: string): void {
    const { world } = this.#hub;
    const isWrite = kind !== "get";
    if (isWrite) this.#sequence += 1;
    const asked = this.#ask(kind, key);
    const operation: ClientOperation = {
      id: this.#hub.nextOperation(),
      client: this.#process,
      asked,
      session: this.#session,
      sequence: isWrite ? this.#sequence : 0,
      invokedAtMs: world.loop.nowUs / 1000,
      completedAtMs: null,
      outcome: "pending",
      answer: null,
    };
    this.#pending = {
      operation,
      key,
      firstAttempt: this.#attempt + 1,
      giveUpUs: world.loop.nowUs + this.#rng.integer(...CALL_PATIENCE_US),
      isUncertain: false,
    };
    this.#hub.invoked(operation);
    this.#try(this.#pending);
  }

  #ask(kind: Kind, name: string): Asked {
    const known = this.#generations.get(name) ?? 0;
    switch (kind) {
      case "create":
        return { kind: "write", command: { kind: "createVm", name, spec: specOf(this.#hub.nextValue()) } };
      case "update": {
        const expectedGeneration = Math.max(1, known);
        const spec = specOf(this.#hub.nextValue());
        return { kind: "write", command: { kind: "updateVm", name, expectedGeneration, spec } };
      }
      case "delete": {
        const expectedGeneration = known > 0 && this.#rng.chance(0.5) ? known : null;
        return { kind: "write", command: { kind: "deleteVm", name, expectedGeneration } };
      }
      case "get":
        return { kind: "read", query: { kind: "getVm", name }, consistency: this.#consistency() };
    }
  }

  #consistency(): ReadConsistency {
    if (this.#stopped) return "linearizable";
    if (this.#rng.chance(this.#hub.staleReads)) return "stale";
    return this.#rng.chance(this.#hub.leaseReads) ? "lease" : "linearizable";
  }

  #try({ operation: { asked } }: Pending): void {
    if (asked.kind === "write") this.#send(asked.command);
    else this.#request({ kind: "read", query: asked.query, consistency: asked.consistency });
  }

  #send(command: Command): void {
    const session =
      command.kind === "openSession"
        ? null
        : { id: this.#session, sequence: this.#sequence, lowestUnacknowledged: this.#sequence };
    this.#request({ kind: "propose", request: { session, command } });
  }

  #request(request: ClientRequest): void {
    this.#attempt += 1;
    this.#patienceUs = this.#world.loop.nowUs + this.#rng.integer(...ANSWER_PATIENCE_US);
    this.#armTimer();
    this.#world.gateway.request(this.#somewhere(), request, this, this.#attempt);
  }

  #somewhere(): SimHost {
    const { hosts } = this.#world.members;
    if (this.#stay?.member?.node != null && this.#rng.chance(STAYS)) return this.#stay;
    // A liar may answer anything, so clients do not ask it.
    const inhabited = hosts.filter(({ member }) => member?.honest === true);
    this.#stay = this.#rng.pick(inhabited.length > 0 ? inhabited : hosts);
    return this.#stay;
  }

  /** One timer at a time: when the deadline has moved, the timer is armed anew as soon as it fires. */
  #armTimer(): void {
    if (this.#timerUs <= this.#patienceUs) return;
    const atUs = this.#patienceUs;
    this.#timerUs = atUs;
    this.#world.loop.after(atUs - this.#world.loop.nowUs, () => {
      if (this.#timerUs !== atUs) return;
      this.#timerUs = Infinity;
      if (this.#patienceUs === Infinity) return;
      if (this.#patienceUs > this.#world.loop.nowUs) this.#armTimer();
      else this.#noAnswer();
    });
  }

  // ---- Answers

  answered(attempt: number, answer: ClientAnswer | null): void {
    if (this.#opening) this.#sessionAnswered(attempt, answer);
    else if (this.#pending !== null && attempt >= this.#pending.firstAttempt)
      this.#callAnswered(this.#pending, attempt, answer);
  }

  #sessionAnswered(attempt: number, answer: ClientAnswer | null): void {
    if (answer?.kind === "applied" && answer.result.ok && answer.result.kind === "sessionOpened") {
      this.#opening = false;
      this.#failures = 0;
      this.#patienceUs = Infinity;
      this.#session = answer.result.sessionId;
      this.#sequence = 0;
      this.#openThen();
    } else if (attempt === this.#attempt) {
      this.#retrySoon();
    }
  }

  #callAnswered(pending: Pending, attempt: number, answer: ClientAnswer | null): void {
    const { key } = pending;
    if (answer === null || isVague(answer)) {
      pending.isUncertain = true;
      if (attempt === this.#attempt) this.#retrySoon();
      return;
    }
    if (answer.kind === "refused") {
      const goesOn = attempt === this.#attempt;
      if (!goesOn) return;
      const certain = !pending.isUncertain && attempt === pending.firstAttempt;
      if (certain && !this.#insists && this.#rng.chance(TAKES_NO_FOR_AN_ANSWER))
        this.#complete(pending, "refused", answer);
      else this.#retrySoon();
      return;
    }
    if (answer.kind === "applied" && !answer.result.ok) {
      const { kind } = answer.result.refusal;
      if (kind === "sessionExpired" || kind === "sequenceTooOld") this.#abandon(pending);
      else {
        if (kind === "generationMismatch") this.#generations.set(key, answer.result.refusal.actual);
        if (kind === "vmNotFound") this.#generations.set(key, 0);
        if (kind === "vmExists") this.#generations.delete(key);
        this.#complete(pending, "refused", answer);
      }
      return;
    }
    this.#learn(key, answer);
    this.#complete(pending, "ok", answer);
  }

  #learn(key: string, answer: ClientAnswer): void {
    if (answer.kind === "read" && answer.result.kind === "vm") {
      this.#generations.set(key, answer.result.vm?.generation ?? 0);
    } else if (answer.kind === "applied" && answer.result.ok) {
      const { result } = answer;
      if (result.kind === "vmCreated" || result.kind === "vmUpdated") this.#generations.set(key, result.generation);
      else if (result.kind === "vmDeleted") this.#generations.set(key, 0);
    }
  }

  #noAnswer(): void {
    this.#patienceUs = Infinity;
    const pending = this.#pending;
    if (pending !== null) pending.isUncertain = true;
    // Another node next time, if there is one.
    this.#stay = null;
    this.#retry();
  }

  #retrySoon(): void {
    this.#patienceUs = Infinity;
    const attempt = this.#attempt;
    this.#stay = null;
    const meanUs = RETRY_MEAN_US << Math.min(this.#failures, RETRY_DOUBLINGS_MAX);
    this.#failures += 1;
    this.#world.loop.after(this.#rng.exponential(meanUs), () => {
      if (attempt === this.#attempt) this.#retry();
    });
  }

  #retry(): void {
    if (this.#opening) {
      this.#openSession();
      return;
    }
    const pending = this.#pending;
    if (pending === null) return;
    if (!this.#insists && this.#world.loop.nowUs >= pending.giveUpUs) this.#abandon(pending);
    else this.#try(pending);
  }

  #abandon(pending: Pending): void {
    // A read without an answer had no effect: leaving it out would be as good.
    this.#complete(pending, "unknown", null);
  }

  #complete(pending: Pending, outcome: "ok" | "refused" | "unknown", answer: ClientAnswer | null): void {
    const { operation } = pending;
    operation.completedAtMs = this.#world.loop.nowUs / 1000;
    operation.outcome = outcome;
    operation.answer = answer;
    this.#pending = null;
    this.#failures = 0;
    this.#patienceUs = Infinity;
    // Late answers belong to nobody.
    this.#attempt += 1;
    this.#hub.completed(operation);
    if (outcome === "unknown") {
      this.#process = this.#hub.nextProcess();
      this.#session = 0;
    }
    const then = this.#then;
    this.#then = null;
    if (then !== null) then(operation);
    else if (!this.#stopped) this.#think();
  }
}

/** Whether the refusal leaves open what happened. */
function isVague(answer: ClientAnswer): boolean {
  return answer.kind === "refused" && answer.refusal.kind === "outcomeUnknown";
}

function specOf(value: number): ReturnType<typeof vmSpec> {
  return vmSpec({ metadata: { [VALUE_KEY]: String(value) } });
}
