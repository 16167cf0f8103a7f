/**
 * A Byzantine peer: a real core, and an act that corrupts what it hears and says. Writes and answers of the core stay
 * as they are, so that between its lies it is a member like any other.
 */

import {
  type ClientAnswer,
  type ClientRequest,
  type Configuration,
  decodeDirective,
  decodeReport,
  type Effect,
  encodeDirective,
  type Message,
  type PeerId,
  type Restored,
} from "../../core/index.ts";
import type { Stream } from "../random/index.ts";
import { digest, type Liar, type LiarParts, type NodeView, type Posted } from "../world/index.ts";
import { ACTS } from "./acts/index.ts";
import type { Believes, Demand, Lie, Speaker } from "./lie.ts";
import type { PlannedLiar } from "./plan.ts";
import type { ActName } from "./verdicts.ts";

/** A lie that was let out. */
export interface Mark {
  readonly demand: Demand | null;
  readonly believes: Believes | null;
  readonly asGhost: boolean;
}

/** Lies under way that are remembered; the oldest are forgotten beyond. */
const UNDER_WAY_MAX = 8192;
/** Between two times that it speaks unasked. Answers come within a few milliseconds. */
const REST_MS = 20;
/** Whoever waits for a leader that is silent gives it up by then. */
const MISSED_WITHIN_MS = 2500;

export class ByzantinePeer implements Liar, Speaker {
  readonly self: LiarParts;
  readonly rng: Stream;
  readonly audience: number;
  /** Lies told, and lies that consist in saying nothing. */
  told = 0;
  /** It has led while it lied. */
  hasLed = false;
  #restUntilMs = 0;
  #withheldAtMs = Number.NEGATIVE_INFINITY;
  readonly #plan: PlannedLiar;
  readonly #lie: Lie;
  /** Honest nodes have shown that they acted on a lie of which they do not show anything in the step itself. */
  convincedTimes = 0;
  /** By their digest, since they lose their identity on the way. */
  readonly #falseDirectives = new Set<string>();
  /** To servers that have passed on a report. */
  readonly #directing: Message[] = [];
  /** Its core as it was after its last step. */
  #node: NodeView | null = null;
  readonly #falseAnswers = new WeakSet<ClientAnswer>();
  /** To clients whose request its core carries out now. */
  readonly #answering: Effect[] = [];
  /** Configurations that it has had new members start by. */
  readonly #falseStarts = new WeakSet<Configuration>();
  readonly #marks = new WeakMap<Message, Mark>();
  /** By the digest of the frame, since a message loses its identity on the way. */
  readonly #underWay = new Map<string, Mark>();

  constructor(plan: PlannedLiar, self: LiarParts) {
    this.#plan = plan;
    this.self = self;
    this.rng = self.rng;
    this.audience = plan.audience;
    this.#lie = ACTS[plan.act](this);
  }

  get act(): ActName {
    return this.#plan.act;
  }

  // ---- For acts

  tempted(): boolean {
    return this.rng.chance(this.#plan.chance);
  }

  ventures(): boolean {
    const nowMs = this.self.nowMs();
    if (nowMs < this.#restUntilMs || !this.tempted()) return false;
    this.#restUntilMs = nowMs + REST_MS;
    return true;
  }

  lie(message: Message, demand?: Demand, believes?: Believes): Message {
    return this.#mark(message, { demand: demand ?? null, believes: believes ?? null, asGhost: false });
  }

  lieAsGhost(message: Message, demand?: Demand): Message {
    return this.#mark(message, { demand: demand ?? null, believes: null, asGhost: true });
  }

  convinced(): void {
    this.convincedTimes += 1;
  }

  withheld(): null {
    this.told += 1;
    this.#withheldAtMs = this.self.nowMs();
    return null;
  }

  /** A copy: an act may say the same again, or its core. */
  #mark(message: Message, mark: Mark): Message {
    const lie = { ...message };
    this.told += 1;
    this.#marks.set(lie, mark);
    return lie;
  }

  get #lies(): boolean {
    const nowMs = this.self.nowMs();
    return nowMs >= this.#plan.fromMs && nowMs < this.#plan.untilMs;
  }

  // ---- For the world

  heard(from: PeerId, message: Message): Message | null {
    if (message.to === this.self.ghost.id) {
      if (this.#lies) this.#lie.heard?.(from, message);
      return null;
    }
    if (!this.#lies) return message;
    if (message.type === "report" && this.#node?.role === "leader") {
      const { requestId, data } = message;
      const said = this.#answerTo(this.#node, data);
      if (said === null) return message;
      if (said === "silence") return null;
      const { clusterId, incarnation, id } = this.self;
      const header = { clusterId, incarnation, from: id, to: message.from, term: this.#node.term };
      this.#directing.push({ type: "directive", ...header, requestId, data: said });
      return null;
    }
    return this.#lie.heard === undefined ? message : this.#lie.heard(from, message);
  }

  asked(node: NodeView, requestId: number, request: ClientRequest): readonly Effect[] | null {
    if (!this.#lies || node.halted) return null;
    if (request.kind !== "report") return this.#reply(node, requestId, request);
    const said = this.#answerTo(node, request.data);
    if (said === null) return null;
    return said === "silence" ? [] : [{ kind: "answer", requestId, answer: { kind: "directive", data: said } }];
  }

  #reply(node: NodeView, requestId: number, request: ClientRequest): readonly Effect[] | null {
    const said = this.#lie.replies?.(node, request) ?? null;
    if (said === null) return null;
    const { answer, isCarriedOut } = said;
    this.told += 1;
    this.#falseAnswers.add(answer);
    const effect: Effect = { kind: "answer", requestId, answer };
    if (!isCarriedOut) return [effect];
    this.#answering.push(effect);
    return null;
  }

  /** What it says to a worker that has sent this report; null: its core is to answer. */
  #answerTo(node: NodeView, data: Uint8Array): Uint8Array | "silence" | null {
    const report = this.#lie.answers === undefined ? null : decodeReport(data);
    const said = report === null ? null : (this.#lie.answers?.(node, report) ?? null);
    if (said !== "silence") return said === null ? null : this.#falseDirective(encodeDirective(said));
    this.withheld();
    return said;
  }

  #passedOn(message: Message): Message {
    if (message.type !== "directive" || message.data === null) return message;
    const data = this.#directed(message.data);
    return data === message.data ? message : { ...message, data };
  }

  #falseDirective(data: Uint8Array): Uint8Array {
    this.told += 1;
    this.#falseDirectives.add(digest(data));
    return data;
  }

  /** What it says in place of a directive of its core, or of the leader; the same bytes when it does not lie. */
  #directed(data: Uint8Array): Uint8Array {
    if (this.#lie.directs === undefined && this.#lie.overhears === undefined) return data;
    const directive = decodeDirective(data);
    if (directive === null) return data;
    this.#lie.overhears?.(directive);
    const said = this.#lie.directs?.(directive) ?? null;
    return said === null ? data : this.#falseDirective(encodeDirective(said));
  }

  spoken(node: NodeView, effects: readonly Effect[]): readonly Effect[] {
    const lies = this.#lies;
    this.#node = node;
    if (lies && node.role === "leader") this.hasLed = true;
    const spoken: Effect[] = this.#answering.splice(0);
    for (const message of this.#directing.splice(0)) this.#say(node, message, spoken);
    for (const effect of effects) {
      if (lies && effect.kind === "answer" && effect.answer.kind === "directive") {
        spoken.push({ ...effect, answer: { kind: "directive", data: this.#directed(effect.answer.data) } });
      } else if (effect.kind === "send" && lies) {
        const { message } = effect;
        if (this.#lie.instead === undefined) {
          spoken.push({ ...effect, message: this.#passedOn(message) });
          continue;
        }
        const said = this.#lie.instead(node, message);
        if (said !== null) this.#say(node, said, spoken);
      } else if (effect.kind !== "evidence") {
        // A liar's word against others counts for nothing.
        spoken.push(effect);
      }
    }
    if (lies && this.#lie.beside !== undefined && !node.halted) {
      for (const message of this.#lie.beside(node)) this.#say(node, message, spoken);
    }
    return spoken;
  }

  #say(node: NodeView, message: Message, spoken: Effect[]): void {
    const to = node.configuration.members.find(({ id }) => id === message.to)?.peerId;
    if (to !== undefined) spoken.push({ kind: "send", to, message });
  }

  posted(message: Message, frame: Uint8Array): Posted {
    const mark = this.#marks.get(message);
    if (mark !== undefined) {
      this.#remember(digest(frame), mark);
      const { runtime, ghost } = this.self;
      return { from: mark.asGhost ? ghost.runtime.peerId : runtime.peerId, frame };
    }
    const damaged = this.#lies ? (this.#lie.damaged?.(frame) ?? null) : null;
    if (damaged !== null) this.told += 1;
    return { from: this.self.runtime.peerId, frame: damaged ?? frame };
  }

  admits(start: Restored): Restored {
    const { snapshot } = start;
    const configuration = this.#lies ? (this.#lie.admits?.(snapshot.meta) ?? null) : null;
    if (configuration === null) return start;
    this.told += 1;
    this.#falseStarts.add(configuration);
    return { ...start, snapshot: { ...snapshot, meta: { ...snapshot.meta, configuration } } };
  }

  #remember(key: string, mark: Mark): void {
    this.#underWay.set(key, mark);
    if (this.#underWay.size <= UNDER_WAY_MAX) return;
    for (const oldest of this.#underWay.keys()) {
      this.#underWay.delete(oldest);
      return;
    }
  }

  // ---- For the judge

  /** Whether it has lately kept to itself what it should have said. */
  get isSilent(): boolean {
    return this.self.nowMs() < this.#withheldAtMs + MISSED_WITHIN_MS;
  }

  /** Whether lies are under way. */
  get isWatched(): boolean {
    return this.#underWay.size > 0;
  }

  /** The lie that this frame was, if it was one. */
  markOf(frame: Uint8Array): Mark | null {
    return this.#underWay.get(digest(frame)) ?? null;
  }

  /** Whether it has had somebody start by that configuration, which is none of the cluster's. */
  isFalseStart(configuration: Configuration): boolean {
    return this.#falseStarts.has(configuration);
  }

  /** Whether it has told a client this. */
  isFalseAnswer(answer: ClientAnswer): boolean {
    return this.#falseAnswers.has(answer);
  }

  /** Whether it has said this to a worker, and it is a lie. */
  isFalseDirective(data: Uint8Array): boolean {
    return this.#falseDirectives.size > 0 && this.#falseDirectives.has(digest(data));
  }

  witness(receiver: NodeView, message: Message): ReturnType<NonNullable<Lie["witness"]>> {
    return this.#lie.witness?.(receiver, message) ?? null;
  }
}
