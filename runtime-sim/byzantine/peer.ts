/**
 * A Byzantine peer: a real core, and an act that corrupts what it hears and says. Writes and answers of the core stay
 * as they are, so that between its lies it is a member like any other.
 */

import type { Configuration, Effect, Message, PeerId, Restored } from "../../core/index.ts";
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
    if (!this.#lies || this.#lie.heard === undefined) return message;
    return this.#lie.heard(from, message);
  }

  spoken(node: NodeView, effects: readonly Effect[]): readonly Effect[] {
    const lies = this.#lies;
    if (lies && node.role === "leader") this.hasLed = true;
    const spoken: Effect[] = [];
    for (const effect of effects) {
      if (effect.kind === "send" && lies && this.#lie.instead !== undefined) {
        const message = this.#lie.instead(node, effect.message);
        if (message !== null) this.#say(node, message, spoken);
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

  witness(receiver: NodeView, message: Message): ReturnType<NonNullable<Lie["witness"]>> {
    return this.#lie.witness?.(receiver, message) ?? null;
  }
}
