/** Proposals that other members forward to this node, because they take it for the leader. */
import { mark } from "../marks.ts";
import type { Entry, Forward, ForwardResponse, NodeId, Raft, RaftOptions } from "../raft/index.ts";
import type { ProposalBatch } from "./proposal-batch.ts";

/** What it needs of consensus. */
type ForwardsRaft = Pick<Raft, "term" | "takesProposals" | "header" | "send">;

/** Enough for every duplicate that is still under way. */
const SEEN_MAX = 4096;

type MemberOrigin = Pick<Forward, "requestId"> & { readonly id: NodeId };

export class ForwardedProposals {
  readonly #raft: ForwardsRaft;
  readonly #options: RaftOptions;
  readonly #batch: ProposalBatch;
  /** Tickets of proposals seen lately, oldest first: a network that duplicates does not double them. */
  #seen = new Set<number>();

  constructor(raft: ForwardsRaft, options: RaftOptions, batch: ProposalBatch) {
    this.#raft = raft;
    this.#options = options;
    this.#batch = batch;
  }

  receive({ from, requestId, data, term }: Forward): void {
    const origin = { kind: "member", id: from, requestId } as const;
    if (this.#seen.has(requestId)) {
      mark("proposal/forwarded-twice");
      return;
    }
    if (term !== this.#raft.term) {
      mark("proposal/forwarded-to-another-term");
      // Meant for this node's leadership of another term, which may have taken it.
      this.#respond(origin, { kind: "noLeader" });
      return;
    }
    this.#remember(requestId);
    if (!this.#raft.takesProposals || data.length > this.#options.maxRequestBytes) {
      this.#respond(origin, { kind: "noLeader" });
    } else if (this.#batch.isFullFor(data)) {
      this.#respond(origin, { kind: "tooManyUncommitted", limitBytes: this.#options.maxUncommittedBytes });
    } else {
      this.#batch.add({ data, origin });
    }
  }

  #remember(requestId: number): void {
    this.#seen.add(requestId);
    if (this.#seen.size <= SEEN_MAX) return;
    for (const oldest of this.#seen) {
      this.#seen.delete(oldest);
      break;
    }
  }

  appended(origin: MemberOrigin, { index, term }: Entry): void {
    this.#respond(origin, { kind: "appended", index, term });
  }

  notAppended(origin: MemberOrigin): void {
    this.#respond(origin, { kind: "noLeader" });
  }

  #respond({ id, requestId }: MemberOrigin, outcome: ForwardResponse["outcome"]): void {
    const raft = this.#raft;
    raft.send({ type: "forwardResponse", ...raft.header(id), requestId, outcome });
  }

  capture() {
    return new Set(this.#seen);
  }

  restore(captured: ReturnType<ForwardedProposals["capture"]>): void {
    this.#seen = new Set(captured);
  }
}
