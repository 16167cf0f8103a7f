/** What waits in the event queue. One shape for all, so that the loop stays on V8's fast path. */
import type { ClientAnswer, ClientRequest, Message, PeerId } from "../../core/index.ts";
import type { SimMember } from "./member.ts";

export const EVENT = {
  /** A message reaches a host. */
  deliver: 1,
  /** A host's disk has got on with its work. */
  disk: 2,
  /** A host's deadline may have come. */
  wake: 3,
  /** A client's request reaches a host. */
  request: 4,
  /** An answer reaches a client. */
  answer: 5,
  /** A slow host is through with one input. */
  drain: 6,
  /** Writes became durable, or failed: what a host finds in its inbox. Never in the queue. */
  written: 7,
  /** A fault, a client's timer, the operator: whatever calls back. */
  call: 8,
} as const;

export type EventKind = (typeof EVENT)[keyof typeof EVENT];

/** Who asked for something and wants to know what became of it. */
export interface Caller {
  /** `answer` is null when the connection was refused or broke. `attempt` is what was given with the request. */
  answered(attempt: number, answer: ClientAnswer | null): void;
}

export class SimEvent {
  readonly kind: EventKind;
  /** Null for what concerns no host. */
  readonly member: SimMember | null;
  /** What its kind wants to know: the sender's host, the write id, the attempt; or what tells it from one that has overtaken it. */
  readonly number: number;
  from: PeerId = "";
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
