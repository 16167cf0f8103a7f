/**
 * What an act is made of, and what it may use. An act decides what is said; the peer that speaks it counts and marks
 * each lie.
 */
import type {
  ClientAnswer,
  ClientRequest,
  Configuration,
  Directive,
  EvidenceKind,
  Message,
  NodeId,
  PeerId,
  Report,
} from "../../core/index.ts";
import type { Stream } from "../random/index.ts";
import type { LiarParts, NodeView } from "../world/index.ts";

/** Evidence; or that it refuses what is asked, and does nothing else for it: answers no client and grants no vote. */
export type Shown = EvidenceKind | "refusal";

/**
 * What an honest node must show when it gets a message, judged by its state just before: one of these, in the same
 * step. Null when it need not notice; empty when it cannot notice, but harm must show before the run ends.
 */
export type Demand = (receiver: NodeView) => readonly Shown[] | null;

/** What tells that a node has acted on a lie: changes between before and after it looked at it. */
export type Believes = (before: { readonly commitIndex: number }, after: { readonly commitIndex: number }) => boolean;

/** What an act may use. */
export interface Speaker {
  readonly self: LiarParts;
  readonly rng: Stream;
  /** See `PlannedLiar`. */
  readonly audience: number;
  /** Whether to take this occasion. Draws. */
  tempted(): boolean;
  /**
   * Whether to say something unasked now. As `tempted`, and then not again for a while: each answer to a lie would be
   * the occasion for more of them.
   */
  ventures(): boolean;
  /**
   * Marks and counts `message` as a lie; returns it. Where nothing is said of `believes`, any change of the node's
   * term, role, leader, vote, commit index or log tells that it has acted on it.
   */
  lie(message: Message, demand?: Demand, believes?: Believes): Message;
  /** As `lie`, over the ghost's connection. */
  lieAsGhost(message: Message, demand?: Demand): Message;
  /** By what an honest node says it has acted on a lie. */
  convinced(): void;
  /** Counts a lie that consists in saying nothing. */
  withheld(): null;
}

/** What a client is told. */
export interface FalseAnswer {
  readonly answer: ClientAnswer;
  /** Its core carries the request out all the same, and its answer is kept back. */
  readonly isCarriedOut: boolean;
}

/** One liar at work. Each part is asked only while the plan wants lies, except `witness`. */
export interface Lie {
  /** What its own core is to hear in place of `message`; null for nothing. */
  heard?(from: PeerId, message: Message): Message | null;
  /** What it says in place of what its core would; null for nothing. */
  instead?(node: NodeView, message: Message): Message | null;
  /** What it says beside that, after each step of its core. */
  beside?(node: NodeView): readonly Message[];
  /** What becomes of a frame on its way out. Null: nothing. */
  damaged?(frame: Uint8Array): Uint8Array | null;
  /** What it answers to a report of a worker at once, before its core hears of it; null: its core is to answer. */
  answers?(node: NodeView, report: Report): Directive | "silence" | null;
  /** What it says in place of a true directive that goes through it; null: just that. */
  directs?(directive: Directive): Directive | null;
  /** A true directive goes through it. */
  overhears?(directive: Directive): void;
  /** What it answers to a client at once; null: its core is to answer. */
  replies?(node: NodeView, request: ClientRequest): FalseAnswer | null;
  /** The configuration by which it has a new member start that it admits; null: the true one. */
  admits?(start: { readonly configuration: Configuration }): Configuration | null;
  /**
   * For every message that an honest node is about to look at, whoever sent it: what it must show, as far as the
   * message itself is no lie and yet convicts the liar.
   */
  witness?(receiver: NodeView, message: Message): readonly Shown[] | null;
}

export type Act = (speaker: Speaker) => Lie;

// ---- What many acts need

export interface Header {
  readonly clusterId: string;
  readonly incarnation: number;
  readonly from: NodeId;
  readonly to: NodeId;
  readonly term: number;
}

export function header({ self }: Speaker, to: NodeId, term: number): Header {
  return { clusterId: self.clusterId, incarnation: self.incarnation, from: self.id, to, term };
}

/** The other members, in the order of their ids. */
export function othersOf({ self }: Speaker, node: NodeView): NodeId[] {
  return node.configuration.members.map(({ id }) => id).filter((id) => id !== self.id);
}

/** Up to `audience` of them, drawn. */
export function someOthers(speaker: Speaker, node: NodeView): NodeId[] {
  return speaker.rng.shuffle(othersOf(speaker, node)).slice(0, speaker.audience);
}

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** What looks like a signature or a digest and is none. */
export function inventedText(rng: Stream): string {
  let text = "";
  for (let left = 11; left > 0; left -= 1) text += LETTERS[rng.integer(0, LETTERS.length - 1)] ?? "";
  return text;
}

export function inventedBytes(rng: Stream, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => rng.integer(0, 255));
}

/** Whether the receiver already follows the liar as the elected leader of that term. */
export function follows(receiver: NodeView, { from, term }: Message): boolean {
  return receiver.term === term && receiver.leaderId === from;
}
