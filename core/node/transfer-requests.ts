/** A transfer of leadership that an operator asked for. There is one at a time. */
import type { NodeId, Raft } from "../raft/index.ts";
import type { ClientRequest } from "../runtime.ts";
import type { PendingRequests } from "./pending-requests.ts";

/** What it needs of consensus. */
type TransferRaft = Pick<Raft, "role" | "leaderId" | "nowMs" | "transferring" | "startTransfer">;

interface Transfer {
  readonly ticket: number;
  readonly to: NodeId;
  /** The order to campaign has left: it may succeed from now on, whatever this node learns. */
  sent: boolean;
}

export class TransferRequests {
  readonly #raft: TransferRaft;
  readonly #pending: PendingRequests;
  #current: Transfer | null = null;

  constructor(raft: TransferRaft, pending: PendingRequests) {
    this.#raft = raft;
    this.#pending = pending;
  }

  request(requestId: number, request: Extract<ClientRequest, { kind: "transferLeadership" }>): void {
    const raft = this.#raft;
    if (raft.role !== "leader") {
      this.#pending.reject(requestId, { kind: "notLeader", leader: raft.leaderId });
      return;
    }
    const reason = raft.startTransfer(request.to);
    if (reason !== null) {
      this.#pending.reject(requestId, { kind: "transferRefused", reason });
      return;
    }
    const ticket = this.#pending.add(requestId, request, raft.nowMs);
    this.#current = { ticket, to: request.to, sent: false };
  }

  /** Answers the transfer under way once it has succeeded, or has been given up. */
  follow(): void {
    const transfer = this.#current;
    if (transfer === null) return;
    const { leaderId, role, transferring } = this.#raft;
    const { ticket, to } = transfer;
    if (transferring?.sent === true) transfer.sent = true;
    if (leaderId === to) {
      this.#pending.answer(ticket, { kind: "leadershipTransferred", to });
    } else if (role === "leader" && transferring !== null) {
      return;
    } else if (role === "leader" && !transfer.sent) {
      this.#pending.refuse(ticket, { kind: "transferRefused", reason: `node ${to} did not catch up in time` });
    } else if (role === "leader") {
      this.#pending.refuse(ticket, { kind: "outcomeUnknown" });
    } else if (this.#pending.get(ticket) !== undefined) {
      return;
    }
    this.#current = null;
  }

  capture() {
    return this.#current === null ? null : { ...this.#current };
  }

  restore(captured: ReturnType<TransferRequests["capture"]>): void {
    this.#current = captured === null ? null : { ...captured };
  }
}
