/** Changes of the membership that an operator asks for. Answered once the final configuration is committed. */
import type { Entry, Raft } from "../raft/index.ts";
import type { ClientRequest } from "../runtime.ts";
import type { Applier } from "./applier.ts";
import type { PendingRequests } from "./pending-requests.ts";

/** What it needs of consensus. */
type MembershipRaft = Pick<Raft, "role" | "leaderId" | "term" | "nowMs" | "changeMembership">;

export class MembershipRequests {
  readonly #raft: MembershipRaft;
  readonly #pending: PendingRequests;
  readonly #applier: Applier;

  constructor(raft: MembershipRaft, pending: PendingRequests, applier: Applier) {
    this.#raft = raft;
    this.#pending = pending;
    this.#applier = applier;
  }

  request(requestId: number, request: Extract<ClientRequest, { kind: "changeMembership" }>): void {
    const raft = this.#raft;
    if (raft.role !== "leader") {
      this.#pending.reject(requestId, { kind: "notLeader", leader: raft.leaderId });
      return;
    }
    const started = raft.changeMembership(request.changes);
    if ("refused" in started) {
      this.#pending.reject(requestId, {
        kind: "membershipRefused",
        reason: started.refused,
        isTemporary: started.isTemporary === true,
      });
      return;
    }
    const ticket = this.#pending.add(requestId, request, raft.nowMs);
    this.#applier.expect(started.jointIndex, { origin: { kind: "client", ticket }, term: raft.term });
  }

  /** The entry at the index of the joint configuration of `ticket`, proposed in `term`, has been applied. */
  jointApplied(ticket: number, term: number, entry: Entry): void {
    const pending = this.#pending.get(ticket);
    if (pending === undefined) return;
    if (term === entry.term) pending.jointCommitted = true;
    // Another leader's entry took the place: the change never happened.
    else this.#pending.refuse(ticket, { kind: "noLeader" });
  }

  finalApplied(entry: Entry): void {
    for (const [ticket, { jointCommitted }] of this.#pending.entries()) {
      if (jointCommitted)
        this.#pending.answer(ticket, { kind: "membershipChanged", index: entry.index, term: entry.term });
    }
  }

  /** A snapshot took the place of entries. Whether the final configuration of a change is among them is unknown. */
  snapshotInstalled(): void {
    for (const [ticket, { jointCommitted }] of this.#pending.entries()) {
      if (jointCommitted) this.#pending.refuse(ticket, { kind: "outcomeUnknown" });
    }
  }
}
