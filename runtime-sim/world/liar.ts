/**
 * How a Byzantine peer stands between a real core and the world. It runs the same core as every member. The liar sees
 * what comes in and what would go out, and may change both. All that it says travels as bytes.
 */
import type {
  AgentEffect,
  ClientRequest,
  Effect,
  Message,
  NodeId,
  PeerId,
  Restored,
  Runtime,
} from "../../core/index.ts";
import type { Stream } from "../random/index.ts";
import type { MemberView, NodeView } from "./observer.ts";

/** What goes out on the wire: over whose connection, and which bytes. */
export interface Posted {
  readonly from: PeerId;
  readonly frame: Uint8Array;
}

export interface Liar {
  /**
   * A message has arrived, from the peer that the connection proved. Returns what its own core is to hear; null for
   * nothing.
   */
  heard(from: PeerId, message: Message): Message | null;
  /** A request has come. Returns what is carried out in place of its core's step; null: its core is to hear it. */
  asked(node: NodeView, requestId: number, request: ClientRequest): readonly Effect[] | null;
  /** The effects that are carried out instead of those of its core's step. */
  spoken(node: NodeView, effects: readonly Effect[]): readonly Effect[];
  /** A message of `spoken` is about to leave, as this frame. */
  posted(message: Message, frame: Uint8Array): Posted;
  /** What it has a new member start from, when it is the one that admits it. */
  admits(start: Restored): Restored;
}

/** What the world gives to a liar. */
export interface LiarParts {
  readonly clusterId: string;
  readonly incarnation: number;
  readonly id: NodeId;
  /** Its own identity and no other's: what it can sign is all that it can forge. */
  readonly runtime: Runtime;
  /** A second identity, which is no member's. Messages to it reach the liar. */
  readonly ghost: { readonly id: NodeId; readonly runtime: Runtime };
  readonly rng: Stream;
  /** Virtual time. */
  nowMs(): number;
}

/** One member lies: the first that ever lives on that host. */
export interface LiarSettings {
  /** From 0. */
  readonly hostIndex: number;
  create(parts: LiarParts): Liar;
}

/** Watches, to judge what a lie led to. */
export interface Witness {
  /** A node is about to look at a message. */
  received(member: MemberView, from: PeerId, message: Message): void;
  /** It has made the step. */
  stepped(member: MemberView, effects: readonly Effect[]): void;
  /** A worker has heard this answer to its report, and has its host do so. */
  obeyed(directive: Uint8Array, effects: readonly AgentEffect[]): void;
  /** A worker reports to that member. */
  reported(workerId: NodeId, to: NodeId): void;
}
