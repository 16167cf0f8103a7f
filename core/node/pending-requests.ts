/** Requests of this node's clients that wait for their answers. Each gets exactly one. */
import { isMarking, mark } from "../marks.ts";
import type { NodeId } from "../raft/index.ts";
import type { ClientAnswer, ClientRequest, RequestRefusal } from "../runtime.ts";

export interface PendingRequest {
  readonly requestId: number;
  readonly deadlineMs: number;
  readonly request: ClientRequest;
  /** A read: serve it once this is applied. */
  readIndex: number | null;
  /** A membership change: its own joint entry is committed, so the next final configuration is what it asked for. */
  jointCommitted: boolean;
  /** A proposal or a read that went to another node. */
  forwarded: Forwarded | null;
}

/** Who was asked, in which of its terms, and what was proposed: only its answers count, and only this very entry. */
export interface Forwarded {
  readonly to: NodeId;
  readonly term: number;
  readonly data: Uint8Array;
  /** It has answered that the proposal is in its log. */
  isAppended: boolean;
}

/** Takes an answer to whoever asked. */
export type Answer = (requestId: number, answer: ClientAnswer) => void;

/**
 * Tickets of one process. With 2^32 places to start, two processes of a node do not meet in practice, and all tickets
 * stay safe integers.
 */
const TICKETS_PER_PROCESS = 2 ** 20;

export class PendingRequests {
  readonly #answer: Answer;
  readonly #timeoutMs: number;
  /** By ticket. In order of their deadlines, since all wait equally long. */
  #byTicket = new Map<number, PendingRequest>();
  #nextTicket = 0;

  constructor(timeoutMs: number, answer: Answer) {
    this.#timeoutMs = timeoutMs;
    this.#answer = answer;
  }

  /**
   * Chooses the tickets. `random`: a uniform integer in [0, 2^32). A ticket is a number that no other process of this
   * node ever uses, so that a late answer to an earlier process is never taken for one to this.
   */
  start(random: number): void {
    this.#nextTicket = random * TICKETS_PER_PROCESS;
  }

  get size(): number {
    return this.#byTicket.size;
  }

  /** When the oldest times out. */
  get deadlineMs(): number {
    for (const { deadlineMs } of this.#byTicket.values()) return deadlineMs;
    return Number.POSITIVE_INFINITY;
  }

  /** Keeps a request until it is answered, under the ticket that is returned. */
  add(requestId: number, request: ClientRequest, nowMs: number): number {
    const ticket = this.#nextTicket++;
    const deadlineMs = nowMs + this.#timeoutMs;
    this.#byTicket.set(ticket, {
      requestId,
      deadlineMs,
      request,
      readIndex: null,
      jointCommitted: false,
      forwarded: null,
    });
    return ticket;
  }

  get(ticket: number): PendingRequest | undefined {
    return this.#byTicket.get(ticket);
  }

  /** By ticket, the oldest first. Answering them meanwhile is allowed. */
  entries(): Iterable<[number, PendingRequest]> {
    return this.#byTicket;
  }

  /** Answers a request that waits. One that was answered already stays answered. */
  answer(ticket: number, answer: ClientAnswer): void {
    const pending = this.#byTicket.get(ticket);
    if (pending === undefined) return;
    this.#byTicket.delete(ticket);
    this.#answer(pending.requestId, answer);
  }

  refuse(ticket: number, refusal: RequestRefusal): void {
    if (isMarking) mark(`request-refused/${refusal.kind}`);
    this.answer(ticket, { kind: "refused", refusal });
  }

  /** Whoever waits. */
  refuseAll(refusal: RequestRefusal): void {
    for (const ticket of this.#byTicket.keys()) this.refuse(ticket, refusal);
  }

  /** Turns a request away before it waits for anything. */
  reject(requestId: number, refusal: RequestRefusal): void {
    if (isMarking) mark(`request-refused/${refusal.kind}`);
    this.#answer(requestId, { kind: "refused", refusal });
  }

  capture() {
    return { byTicket: copyOf(this.#byTicket), nextTicket: this.#nextTicket };
  }

  restore(captured: ReturnType<PendingRequests["capture"]>): void {
    this.#byTicket = copyOf(captured.byTicket);
    this.#nextTicket = captured.nextTicket;
  }
}

function copyOf(byTicket: ReadonlyMap<number, PendingRequest>): Map<number, PendingRequest> {
  const copy = new Map<number, PendingRequest>();
  for (const [ticket, pending] of byTicket) {
    const { forwarded } = pending;
    copy.set(ticket, { ...pending, forwarded: forwarded === null ? null : { ...forwarded } });
  }
  return copy;
}
