/** What this node's clients ask: each kind of request has a file of its own; here is what they share. */
import type { ApplyResult } from "../domain/index.ts";
import { mark } from "../marks.ts";
import { type Entry, NOBODY, type NodeId, type Raft, type RaftOptions, unreachable } from "../raft/index.ts";
import type { ClientRequest } from "../runtime.ts";
import type { Applier } from "./applier.ts";
import { ClientProposals } from "./client-proposals.ts";
import { ClientReads } from "./client-reads.ts";
import { MembershipRequests } from "./membership-requests.ts";
import { type Answer, PendingRequests } from "./pending-requests.ts";
import type { ProposalBatch } from "./proposal-batch.ts";
import { TransferRequests } from "./transfer-requests.ts";
import type { WorkerReports } from "./worker-reports.ts";

export class ClientRequests {
  readonly pending: PendingRequests;
  readonly proposals: ClientProposals;
  readonly reads: ClientReads;
  readonly membership: MembershipRequests;
  readonly #transfers: TransferRequests;
  readonly #raft: Raft;
  readonly #options: RaftOptions;
  readonly #reports: WorkerReports;
  readonly #applier: Applier;
  /** The leader when requests were last looked through for those that wait for another. */
  #askedLeader: NodeId = NOBODY;

  constructor(
    raft: Raft,
    options: RaftOptions,
    batch: ProposalBatch,
    applier: Applier,
    reports: WorkerReports,
    answer: Answer,
  ) {
    this.#raft = raft;
    this.#options = options;
    this.#applier = applier;
    this.#reports = reports;
    this.pending = new PendingRequests(options.requestTimeoutMs, answer);
    this.proposals = new ClientProposals(raft, options, this.pending, batch, applier);
    this.reads = new ClientReads(raft, options, this.pending, applier);
    this.membership = new MembershipRequests(raft, this.pending, applier);
    this.#transfers = new TransferRequests(raft, this.pending);
  }

  request(requestId: number, request: ClientRequest): void {
    const { maxPendingRequests } = this.#options;
    if (this.pending.size >= maxPendingRequests) {
      this.pending.reject(requestId, { kind: "tooManyPending", limit: maxPendingRequests });
      return;
    }
    switch (request.kind) {
      case "propose":
        this.proposals.request(requestId, request);
        return;
      case "read":
        this.reads.request(requestId, request);
        return;
      case "changeMembership":
        this.membership.request(requestId, request);
        return;
      case "transferLeadership":
        this.#transfers.request(requestId, request);
        return;
      case "report":
        this.#reports.request(requestId, request.peerId, request.data, this.#applier.state);
        return;
      default:
        unreachable(request);
    }
  }

  /** The entry at an index that a client waits for has been applied. */
  reached(ticket: number, term: number, entry: Entry, result: ApplyResult | null): void {
    if (this.pending.get(ticket)?.request.kind === "changeMembership")
      this.membership.jointApplied(ticket, term, entry);
    else this.proposals.applied(ticket, term, entry, result);
  }

  /** Answers who has waited too long, and who waits for nothing. */
  expire(): void {
    // Also when nobody waits: the client of a transfer may have been told that it took too long.
    this.#transfers.follow();
    if (this.pending.size === 0) return;
    this.#giveUpOnFormerLeader();
    for (const [ticket, { deadlineMs, request }] of this.pending.entries()) {
      if (this.#raft.nowMs < deadlineMs) return;
      if (request.kind === "read") this.reads.timedOut(ticket);
      else this.pending.refuse(ticket, { kind: "outcomeUnknown" });
    }
  }

  /**
   * Whoever was asked leads no more, as far as this node knows: to wait for its answer until the request times out
   * would only keep the client from asking again. What it is known to have appended may still commit: its client waits.
   */
  #giveUpOnFormerLeader(): void {
    const { leaderId } = this.#raft;
    if (leaderId === this.#askedLeader) return;
    this.#askedLeader = leaderId;
    for (const [ticket, { request, forwarded, readIndex }] of this.pending.entries()) {
      if (forwarded === null || forwarded.to === leaderId || forwarded.isAppended || readIndex !== null) continue;
      mark("proposal/former-leader-given-up");
      this.pending.refuse(ticket, { kind: request.kind === "read" ? "noLeader" : "outcomeUnknown" });
    }
  }

  capture() {
    return {
      pending: this.pending.capture(),
      reads: this.reads.capture(),
      transfer: this.#transfers.capture(),
      askedLeader: this.#askedLeader,
    };
  }

  restore(captured: ReturnType<ClientRequests["capture"]>): void {
    this.pending.restore(captured.pending);
    this.reads.restore(captured.reads);
    this.#transfers.restore(captured.transfer);
    this.#askedLeader = captured.askedLeader;
  }
}
