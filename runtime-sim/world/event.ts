/** What waits in the event queue. One shape for all, so that the loop stays on V8's fast path. */
import type { ClientAnswer, ClientRequest, Message, PeerId } from "../../core/index.ts";
import type { SimMember } from "./member.ts";

export const EVENT = {
  /** A message reaches a member. */
  deliver: 1,
  /** A disk has finished something. */
  disk: 2,
  /** A member's deadline may have come. */
  wake: 3,
  /** A client's request reaches a member. */
  request: 4,
  /** An answer reaches a client. */
  answer: 5,
  /** A slow process can take its next input. */
  drain: 6,
  /** Writes became durable, or failed. It may wait in an inbox, never in the event queue. */
  written: 7,
  /** A callback: of a fault, a client's timer, the operator. */
  call: 8,
} as const;

export type EventKind = (typeof EVENT)[keyof typeof EVENT];

/** Who sent a request and waits for its answer. */
export interface Caller {
  /** `answer` is null when the connection was refused or broke. `attempt` is what was given with the request. */
  answered(attempt: number, answer: ClientAnswer | null): void;
}

export class SimEvent {
  readonly kind: EventKind;
  /** Null for an event that concerns no member. */
  readonly member: SimMember | null;
  /**
   * Depends on the kind: the sender's host, the write id, the attempt, or the number by which an outdated event is
   * recognised.
   */
  readonly number: number;
  from: PeerId = "";
  /** How often the receiver's host had moved when it was sent. */
  moves = 0;
  message: Message | null = null;
  bytes: Uint8Array | null = null;
  caller: Caller | null = null;
  request: ClientRequest | null = null;
  answer: ClientAnswer | null = null;
  reason = "";
  call: (() => void) | null = null;

  constructor(kind: EventKind, member: SimMember | null, number: number) {
    this.kind = kind;
    this.member = member;
    this.number = number;
  }
}
