/**
 * Proposals on their way into the log. They wait for each other while the disk is busy, up to the limits of a batch:
 * one write then makes all of them durable.
 */
import type { NodeId, Raft, RaftOptions } from "../raft/index.ts";

/** Who is told what became of a proposal. */
export type ProposalOrigin =
  /** A client of this node, by its ticket among the pending requests. */
  | { readonly kind: "client"; readonly ticket: number }
  /** This node's orchestrator, by the proposal's key, in the term in which it leads. */
  | { readonly kind: "orchestrator"; readonly term: number; readonly key: string }
  /** Another member, which forwarded it. */
  | { readonly kind: "member"; readonly id: NodeId; readonly requestId: number };

export interface Proposal {
  readonly data: Uint8Array;
  readonly origin: ProposalOrigin;
}

/** What the batch looks at to know when it is due. */
export type LeaderView = Pick<Raft, "takesProposals" | "uncommittedBytes" | "diskIdle" | "nowMs">;

const NONE: readonly Proposal[] = [];

export class ProposalBatch {
  readonly #raft: LeaderView;
  readonly #options: RaftOptions;
  #proposals: Proposal[] = [];
  #bytes = 0;
  #sinceMs = 0;

  constructor(raft: LeaderView, options: RaftOptions) {
    this.#raft = raft;
    this.#options = options;
  }

  /** When it is due at the latest. */
  get deadlineMs(): number {
    return this.#proposals.length === 0 ? Number.POSITIVE_INFINITY : this.#sinceMs + this.#options.batchMs;
  }

  /** Whether `data` would go beyond what may wait for its commit. */
  isFullFor(data: Uint8Array): boolean {
    return this.#raft.uncommittedBytes + this.#bytes + data.length > this.#options.maxUncommittedBytes;
  }

  add(proposal: Proposal): void {
    if (this.#proposals.length === 0) this.#sinceMs = this.#raft.nowMs;
    this.#proposals.push(proposal);
    this.#bytes += proposal.data.length;
  }

  /** All proposals if they are due, or can no longer be appended; otherwise none. */
  takeDue(): readonly Proposal[] {
    if (this.#proposals.length === 0 || !this.#isDue()) return NONE;
    const due = this.#proposals;
    this.#proposals = [];
    this.#bytes = 0;
    return due;
  }

  #isDue(): boolean {
    const { batchEntries, batchBytes } = this.#options;
    return (
      !this.#raft.takesProposals ||
      this.#raft.diskIdle ||
      this.#proposals.length >= batchEntries ||
      this.#bytes >= batchBytes ||
      this.#raft.nowMs >= this.deadlineMs
    );
  }

  capture() {
    return { proposals: [...this.#proposals], bytes: this.#bytes, sinceMs: this.#sinceMs };
  }

  restore(captured: ReturnType<ProposalBatch["capture"]>): void {
    this.#proposals = [...captured.proposals];
    this.#bytes = captured.bytes;
    this.#sinceMs = captured.sinceMs;
  }
}
