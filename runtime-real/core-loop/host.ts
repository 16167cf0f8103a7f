/**
 * The loop that carries the core: every event of the real world becomes an input with this process's clocks, every effect is carried out at once. Nothing
 * here decides anything, and nothing here waits: sending queues, writing posts to a thread, answering settles a promise.
 */
import type {
  ClientAnswer,
  ClientRequest,
  Effect,
  Evidence,
  Input,
  Message,
  PeerId,
  Stamp,
  Write,
} from "../../core/index.ts";

/** What the host needs of the core; `Node` is one. */
export interface Core {
  start(): readonly Effect[];
  step(input: Input): readonly Effect[];
}

export interface World {
  send(to: PeerId, message: Message): void;
  write(write: Write): void;
  /** Milliseconds, monotonic within the process. */
  nowMs(): number;
  /** Milliseconds since 1970. */
  wallMs(): number;
  evidence(evidence: Evidence): void;
  halted(reason: string, evidence: Evidence | null): void;
  /** After every step and before its effects are carried out, for whoever watches the core. Must be cheap. */
  stepped(input: Input, effects: readonly Effect[]): void;
}

/** The longest that one of Node's timers can wait. A wake that comes early is harmless. */
const TIMER_MAX_MS = 2 ** 31 - 1;

type Happening = Input extends infer Kind ? (Kind extends Input ? Omit<Kind, keyof Stamp> : never) : never;

export class Host {
  readonly #core: Core;
  readonly #world: World;
  readonly #answers = new Map<number, (answer: ClientAnswer) => void>();
  #nextRequestId = 1;
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(core: Core, world: World) {
    this.#core = core;
    this.#world = world;
  }

  start(): void {
    this.#carryOut(this.#core.start());
  }

  message(from: PeerId, message: Message): void {
    this.#step({ kind: "message", from, message });
  }

  written(writeId: number): void {
    this.#step({ kind: "written", writeId });
  }

  writeFailed(writeId: number, reason: string): void {
    this.#step({ kind: "writeFailed", writeId, reason });
  }

  /** Never rejects: a request that is under way when the host stops is answered `outcomeUnknown`. */
  request(request: ClientRequest): Promise<ClientAnswer> {
    if (this.#stopped) return Promise.resolve({ kind: "refused", refusal: { kind: "halted" } });
    const requestId = this.#nextRequestId++;
    return new Promise((resolve) => {
      this.#answers.set(requestId, resolve);
      this.#step({ kind: "request", requestId, request });
    });
  }

  get pendingRequests(): number {
    return this.#answers.size;
  }

  /** The core hears of nothing any more. */
  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const answer of this.#answers.values()) answer({ kind: "refused", refusal: { kind: "outcomeUnknown" } });
    this.#answers.clear();
  }

  #step(happening: Happening): void {
    if (this.#stopped) return;
    const input: Input = { ...happening, nowMs: this.#world.nowMs(), wallMs: this.#world.wallMs() };
    const effects = this.#core.step(input);
    // First: the recording of a step that halts is written when that is carried out.
    this.#world.stepped(input, effects);
    this.#carryOut(effects);
  }

  #carryOut(effects: readonly Effect[]): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case "send":
          this.#world.send(effect.to, effect.message);
          break;
        case "write":
          this.#world.write(effect.write);
          break;
        case "wakeAt":
          this.#wakeAt(effect.atMs);
          break;
        case "answer": {
          const answer = this.#answers.get(effect.requestId);
          this.#answers.delete(effect.requestId);
          answer?.(effect.answer);
          break;
        }
        case "evidence":
          this.#world.evidence(effect.evidence);
          break;
        case "halt":
          this.#world.halted(effect.reason, effect.evidence);
          break;
        default:
          effect satisfies never;
      }
    }
  }

  #wakeAt(atMs: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    const inMs = Math.min(TIMER_MAX_MS, Math.max(0, Math.ceil(atMs - this.#world.nowMs())));
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#step({ kind: "wake" });
    }, inMs);
  }
}
