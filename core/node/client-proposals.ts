/**
 * Proposals of this node's clients. The leader appends them; a follower forwards them to the leader, and answers when
 * it has itself applied the entry that the leader named.
 */
import { encodeRequest, InvalidCommand, STAMP_BYTES } from "../cluster/index.ts";
import type { ApplyResult } from "../domain/index.ts";
import { mark } from "../marks.ts";
import { type Entry, type ForwardResponse, NOBODY, type Raft, type RaftOptions } from "../raft/index.ts";
import type { ClientRequest } from "../runtime.ts";
import type { Applier } from "./applier.ts";
import type { PendingRequests } from "./pending-requests.ts";
import type { ProposalBatch } from "./proposal-batch.ts";

/** What it needs of consensus. */
type ProposalsRaft = Pick<Raft, "id" | "leaderId" | "term" | "nowMs" | "takesProposals" | "header" | "send">;

export class ClientProposals {
  readonly #raft: ProposalsRaft;
  readonly #options: RaftOptions;
  readonly #pending: PendingRequests;
  readonly #batch: ProposalBatch;
  readonly #applier: Applier;

  constructor(
    raft: ProposalsRaft,
    options: RaftOptions,
    pending: PendingRequests,
    batch: ProposalBatch,
    applier: Applier,
  ) {
    this.#raft = raft;
    this.#options = options;
    this.#pending = pending;
    this.#batch = batch;
    this.#applier = applier;
  }

  request(requestId: number, request: Extract<ClientRequest, { kind: "propose" }>): void {
    const data = this.#encoded(requestId, request);
    if (data === null) return;
    const raft = this.#raft;
    if (raft.takesProposals) {
      if (this.#batch.isFullFor(data)) {
        this.#pending.reject(requestId, { kind: "tooManyUncommitted", limitBytes: this.#options.maxUncommittedBytes });
        return;
      }
      this.#batch.add({ data, origin: { kind: "client", ticket: this.#pending.add(requestId, request, raft.nowMs) } });
      return;
    }
    if (raft.leaderId === NOBODY || raft.leaderId === raft.id) {
      this.#pending.reject(requestId, { kind: "noLeader" });
      return;
    }
    mark("proposal/forwarded");
    const ticket = this.#pending.add(requestId, request, raft.nowMs);
    const pending = this.#pending.get(ticket);
    if (pending !== undefined) pending.forwarded = { to: raft.leaderId, term: raft.term, data, isAppended: false };
    raft.send({ type: "forward", ...raft.header(raft.leaderId), requestId: ticket, data });
  }

  /** Null: it was rejected. */
  #encoded(requestId: number, { request }: Extract<ClientRequest, { kind: "propose" }>): Uint8Array | null {
    let data: Uint8Array;
    try {
      data = encodeRequest(request);
    } catch (error) {
      if (!(error instanceof InvalidCommand)) throw error;
      this.#pending.reject(requestId, { kind: "invalidRequest", field: error.field, reason: error.message });
      return null;
    }
    const limitBytes = this.#options.maxRequestBytes;
    if (data.length <= limitBytes) return data;
    this.#pending.reject(requestId, { kind: "requestTooLarge", sizeBytes: data.length, limitBytes });
    return null;
  }

  /** It never came into the log, and never will. */
  notAppended(ticket: number): void {
    this.#pending.refuse(ticket, { kind: "noLeader" });
  }

  /** The leader that it was forwarded to has answered. */
  responded({ from, requestId: ticket, outcome, term }: ForwardResponse): void {
    const pending = this.#pending.get(ticket);
    if (pending?.request.kind !== "propose" || pending.forwarded?.to !== from) return;
    if (outcome.kind === "appended" && outcome.index > this.#applier.appliedIndex) {
      this.#applier.expect(outcome.index, { origin: { kind: "client", ticket }, term: outcome.term });
      pending.forwarded.isAppended = true;
    } else if (outcome.kind === "tooManyUncommitted" && term === pending.forwarded.term) {
      // It has led without a break since this was sent, so it remembers whether it had taken it before.
      this.#pending.refuse(ticket, outcome);
    } else {
      mark("proposal/outcome-lost");
      // Applied before this answer came; or refused by a node that may have taken another copy before it lost
      // leadership.
      this.#pending.refuse(ticket, { kind: "outcomeUnknown" });
    }
  }

  /** The entry at the index where the proposal of `ticket` was expected, in `term`, has been applied. */
  applied(ticket: number, term: number, entry: Entry, result: ApplyResult | null): void {
    if (result !== null && term === entry.term && this.#isOwn(ticket, entry))
      this.#pending.answer(ticket, { kind: "applied", index: entry.index, term: entry.term, result });
    else this.#superseded(ticket);
  }

  /** Whether an entry holds what was forwarded, and not what a lying member pointed at. */
  #isOwn(ticket: number, entry: Entry): boolean {
    const data = this.#pending.get(ticket)?.forwarded?.data;
    if (data === undefined) return true;
    const held = entry.data.subarray(STAMP_BYTES);
    return held.length === data.length && held.every((byte, at) => byte === data[at]);
  }

  /**
   * Another entry took the place. A proposal of this node's own log never happened then; of a forwarded one the network
   * may have made two.
   */
  #superseded(ticket: number): void {
    mark("proposal/superseded");
    const wasForwarded = this.#pending.get(ticket)?.forwarded !== null;
    this.#pending.refuse(ticket, { kind: wasForwarded ? "outcomeUnknown" : "noLeader" });
  }
}
