/**
 * The loop around the core. Every event of the real world becomes an input, stamped with this process's clocks, and
 * every effect is carried out at once. Nothing here decides, and nothing here waits: to send puts into a queue, to
 * write posts to a thread, to answer settles a promise.
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

/** What the loop needs of the core; `Node` is one. */
export interface Core {
  start(): readonly Effect[];
  step(input: Input): readonly Effect[];
}

/** What the loop needs of its process: clocks, and what carries the effects out. */
export interface LoopEnvironment {
  send(to: PeerId, message: Message): void;
  write(write: Write): void;
  /** Milliseconds, monotonic within the process. */
  nowMs(): number;
  /** Milliseconds since 1970. */
  wallMs(): number;
  evidence(evidence: Evidence): void;
  halted(reason: string, evidence: Evidence | null): void;
  /** Called after every step and before its effects are carried out. Must be cheap. */
  stepped(input: Input, effects: readonly Effect[]): void;
}

/** The longest time that a timer of Node.js can wait. A wake that comes early is harmless. */
const TIMER_MAX_MS = 2 ** 31 - 1;

/** An input before it has its stamp. */
type Unstamped = Input extends infer Kind ? (Kind extends Input ? Omit<Kind, keyof Stamp> : never) : never;

export class CoreLoop {
  readonly #core: Core;
  readonly #environment: LoopEnvironment;
  readonly #answers = new Map<number, (answer: ClientAnswer) => void>();
  #nextRequestId = 1;
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(core: Core, environment: LoopEnvironment) {
    this.#core = core;
    this.#environment = environment;
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

  /** Never rejects: a request that is under way when the loop stops is answered `outcomeUnknown`. */
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

  /** After this the core gets no more input. */
  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const answer of this.#answers.values()) answer({ kind: "refused", refusal: { kind: "outcomeUnknown" } });
    this.#answers.clear();
  }

  #step(unstamped: Unstamped): void {
    if (this.#stopped) return;
    const input: Input = { ...unstamped, nowMs: this.#environment.nowMs(), wallMs: this.#environment.wallMs() };
    const effects = this.#core.step(input);
    // First, because the effect `halt` writes the recording, and the step that halts must be in it.
    this.#environment.stepped(input, effects);
    this.#carryOut(effects);
  }

  #carryOut(effects: readonly Effect[]): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case "send":
          this.#environment.send(effect.to, effect.message);
          break;
        case "write":
          this.#environment.write(effect.write);
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
          this.#environment.evidence(effect.evidence);
          break;
        case "halt":
          this.#environment.halted(effect.reason, effect.evidence);
          break;
        default:
          effect satisfies never;
      }
    }
  }

  #wakeAt(atMs: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    const inMs = Math.min(TIMER_MAX_MS, Math.max(0, Math.ceil(atMs - this.#environment.nowMs())));
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#step({ kind: "wake" });
    }, inMs);
  }
}
