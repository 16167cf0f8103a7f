/**
 * Reads of this node's clients, and what other members ask on behalf of theirs. A linearizable read asks the leader for
 * an index (thesis 6.4), and is served from this node's own state once that is applied.
 */
import { query } from "../cluster/index.ts";
import { mark } from "../marks.ts";
import { NOBODY, type NodeId, type Raft, type RaftOptions, type ReadIndexResponse } from "../raft/index.ts";
import type { ClientRequest } from "../runtime.ts";
import type { Applier } from "./applier.ts";
import type { PendingRequests } from "./pending-requests.ts";

/** What it needs of consensus. */
type ReadsRaft = Pick<Raft, "role" | "leaderId" | "term" | "nowMs" | "holdsLease" | "requestRead" | "header" | "send">;

type ReadRequest = Extract<ClientRequest, { kind: "read" }>;

const NO_BYTES = new Uint8Array(0);

export class ClientReads {
  readonly #raft: ReadsRaft;
  readonly #options: RaftOptions;
  readonly #pending: PendingRequests;
  readonly #replica: Pick<Applier, "state" | "appliedIndex">;
  /** Tickets of reads whose index is known and not applied yet. */
  #awaitingApply = new Set<number>();

  constructor(
    raft: ReadsRaft,
    options: RaftOptions,
    pending: PendingRequests,
    replica: Pick<Applier, "state" | "appliedIndex">,
  ) {
    this.#raft = raft;
    this.#options = options;
    this.#pending = pending;
    this.#replica = replica;
  }

  request(requestId: number, request: ReadRequest): void {
    const raft = this.#raft;
    if (request.consistency === "stale") {
      this.#serve(this.#pending.add(requestId, request, raft.nowMs), request);
      return;
    }
    if (request.consistency === "lease") {
      if (!this.#options.leaseReads) {
        this.#pending.reject(requestId, { kind: "leaseReadsOff" });
        return;
      }
      if (raft.holdsLease()) {
        this.#serve(this.#pending.add(requestId, request, raft.nowMs), request);
        return;
      }
    }
    if (raft.leaderId === NOBODY) {
      this.#pending.reject(requestId, { kind: "noLeader" });
      return;
    }
    const ticket = this.#pending.add(requestId, request, raft.nowMs);
    if (raft.role === "leader") {
      raft.requestRead({ kind: "client", ticket });
      return;
    }
    const pending = this.#pending.get(ticket);
    if (pending !== undefined)
      pending.forwarded = { to: raft.leaderId, term: raft.term, data: NO_BYTES, isAppended: false };
    raft.send({ type: "readIndex", ...raft.header(raft.leaderId), requestId: ticket });
  }

  /** The leader that was asked has answered. */
  responded({ from, requestId: ticket, index }: ReadIndexResponse): void {
    if (this.#pending.get(ticket)?.forwarded?.to === from) this.confirmed(ticket, index);
  }

  /** A read of this node's client is to be served once `index` is applied. Null: whoever was asked does not lead. */
  confirmed(ticket: number, index: number | null): void {
    const pending = this.#pending.get(ticket);
    if (pending?.request.kind !== "read" || pending.readIndex !== null) return;
    if (index === null) {
      this.#pending.refuse(ticket, { kind: "noLeader" });
    } else if (index <= this.#replica.appliedIndex) {
      this.#serve(ticket, pending.request);
    } else {
      mark("read/waits-for-apply");
      pending.readIndex = index;
      this.#awaitingApply.add(ticket);
    }
  }

  /** Another member asks for its client. */
  requestedBy(from: NodeId, requestId: number): void {
    if (this.#raft.role === "leader") this.#raft.requestRead({ kind: "member", id: from, requestId });
    else this.respond(from, requestId, null);
  }

  respond(to: NodeId, requestId: number, index: number | null): void {
    const raft = this.#raft;
    raft.send({ type: "readIndexResponse", ...raft.header(to), requestId, index });
  }

  /** More has been applied. */
  applied(): void {
    for (const ticket of this.#awaitingApply) {
      const pending = this.#pending.get(ticket);
      if (pending?.request.kind !== "read") this.#awaitingApply.delete(ticket);
      else if (pending.readIndex !== null && pending.readIndex <= this.#replica.appliedIndex)
        this.#serve(ticket, pending.request);
    }
  }

  timedOut(ticket: number): void {
    this.#awaitingApply.delete(ticket);
    this.#pending.refuse(ticket, { kind: "readTimedOut" });
  }

  #serve(ticket: number, { query: asked }: ReadRequest): void {
    this.#awaitingApply.delete(ticket);
    const { state, appliedIndex } = this.#replica;
    this.#pending.answer(ticket, { kind: "read", index: appliedIndex, result: query(state, asked) });
  }

  capture() {
    return new Set(this.#awaitingApply);
  }

  restore(captured: ReturnType<ClientReads["capture"]>): void {
    this.#awaitingApply = new Set(captured);
  }
}
