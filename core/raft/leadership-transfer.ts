/** How a leader hands leadership to a voter of its choice (thesis 3.10). */
import { mark } from "../marks.ts";
import { campaign, type Elector } from "./election.ts";
import type { Leadership } from "./leadership.ts";
import type { TimeoutNow } from "./messages.ts";
import type { NodeId } from "./records.ts";
import { header } from "./state.ts";
import { transferStatement } from "./statements.ts";

/** Starts a transfer of leadership; its target campaigns. */
export interface TransferState extends Elector {
  readonly leadership: Elector["leadership"] & Pick<Leadership, "startTransfer" | "transferOrdered">;
}

/** Starts handing leadership to `to`. Returns why it cannot, or null. Proposals wait until it is over. */
export function startTransfer(raft: TransferState, to: NodeId): string | null {
  if (raft.role !== "leader") return "this node does not lead";
  if (to === raft.id) return "this node leads already";
  if (!raft.roster.configuration.voters.includes(to)) return `node ${to} is not a voter`;
  if (raft.leadership.transferring !== null)
    return `leadership is being handed to node ${raft.leadership.transferring.to}`;
  raft.leadership.startTransfer(to, raft.nowMs + raft.options.electionTimeoutMs);
  continueTransfer(raft);
  return null;
}

/**
 * Orders the transfer target to campaign, once it has the whole log. Before that it would lose the election and cost
 * an election time-out.
 */
export function continueTransfer(raft: TransferState): void {
  const { transferring } = raft.leadership;
  if (transferring === null || transferring.sent) return;
  const progress = raft.leadership.progress.get(transferring.to);
  if (progress === undefined || progress.match !== raft.log.lastIndex) return;
  mark("transfer/ordered");
  raft.leadership.transferOrdered();
  sendTimeoutNow(raft, transferring.to);
}

export function sendTimeoutNow(raft: TransferState, to: NodeId): void {
  const transfer = raft.environment.sign(transferStatement(raft.clusterId, raft.incarnation, raft.term, to));
  raft.outbox.send({ type: "timeoutNow", ...header(raft, to, raft.term), transfer });
}

export function handleTimeoutNow(raft: TransferState, message: TimeoutNow): void {
  if (
    message.term !== raft.term ||
    raft.leaderId !== message.from ||
    !raft.roster.promotable ||
    raft.role !== "follower"
  ) {
    mark("transfer/order-out-of-date");
    return;
  }
  campaign(raft, message.transfer);
}
