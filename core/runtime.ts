/**
 * The only door between the core and any world. The world hands in plain inputs and carries out plain effects; both
 * are immutable values. Nothing here is asynchronous: what comes of an effect returns later as an input.
 */

import type { ClusterQuery, ClusterQueryResult, CommandRequest } from "./cluster/index.ts";
import type { ApplyResult } from "./domain/index.ts";
import type {
  ConfigurationChange,
  Evidence,
  Message,
  NodeId,
  PeerId,
  RaftEffect,
  RaftEnvironment,
  Restored,
  Stamp,
} from "./raft/index.ts";

export type { Restored, Stamp, Write } from "./raft/index.ts";

/** What a world offers synchronously: what consensus needs, and nothing more. */
export type Runtime = RaftEnvironment;

export type Input = Stamp &
  (
    | { readonly kind: "wake" }
    /** `from` is the peer that the transport authenticated, never a field of the message. */
    | { readonly kind: "message"; readonly from: PeerId; readonly message: Message }
    /** Every write up to and including this id is durable. Ids complete in the order in which they were issued. */
    | { readonly kind: "written"; readonly writeId: number }
    /** A write failed. After a failed fsync nothing is known of the file, so the node stops (the fsyncgate lesson). */
    | { readonly kind: "writeFailed"; readonly writeId: number; readonly reason: string }
    | { readonly kind: "request"; readonly requestId: number; readonly request: ClientRequest }
  );

export type Effect =
  | RaftEffect
  /** Wake the node at `atMs` of its monotonic clock. Replaces the deadline before; waking early is harmless. */
  | { readonly kind: "wakeAt"; readonly atMs: number }
  | { readonly kind: "answer"; readonly requestId: number; readonly answer: ClientAnswer }
  /** The node has stopped itself and refuses every later request. Needs an operator. */
  | { readonly kind: "halt"; readonly reason: string; readonly evidence: Evidence | null };

export type ReadConsistency = "linearizable" | "lease" | "stale";

export type ClientRequest =
  /** Replicate a command. With a session it happens exactly once, however often it is retried. */
  | { readonly kind: "propose"; readonly request: CommandRequest }
  | { readonly kind: "read"; readonly query: ClusterQuery; readonly consistency: ReadConsistency }
  | { readonly kind: "changeMembership"; readonly changes: readonly ConfigurationChange[] }
  | { readonly kind: "transferLeadership"; readonly to: NodeId }
  /** A worker reports. `peerId` is who its connection says it is. */
  | { readonly kind: "report"; readonly peerId: PeerId; readonly data: Uint8Array };

export type ClientAnswer =
  | { readonly kind: "applied"; readonly index: number; readonly term: number; readonly result: ApplyResult }
  | { readonly kind: "read"; readonly index: number; readonly result: ClusterQueryResult }
  /** The final configuration is committed, not merely proposed. */
  | { readonly kind: "membershipChanged"; readonly index: number; readonly term: number }
  | { readonly kind: "leadershipTransferred"; readonly to: NodeId }
  /** For the agent that reported. */
  | { readonly kind: "directive"; readonly data: Uint8Array }
  | { readonly kind: "refused"; readonly refusal: RequestRefusal };

/**
 * Why a request was not carried out. Every kind but `outcomeUnknown` promises that it had and will have no effect.
 * Errors are values here: the core never throws at its caller.
 */
export type RequestRefusal =
  /** Only the leader does this. `leader` is who that is, as far as this node knows; 0: nobody known. */
  | { readonly kind: "notLeader"; readonly leader: NodeId }
  /** Nobody known leads; ask again later, or another node. */
  | { readonly kind: "noLeader" }
  /** The leader cannot take more until entries commit. */
  | { readonly kind: "tooManyUncommitted"; readonly limitBytes: number }
  | { readonly kind: "tooManyPending"; readonly limit: number }
  /** A field is not what it must be. */
  | { readonly kind: "invalidRequest"; readonly field: string; readonly reason: string }
  | { readonly kind: "requestTooLarge"; readonly sizeBytes: number; readonly limitBytes: number }
  /** It may have happened, may still happen, or never will. Retry within the same session to find out safely. */
  | { readonly kind: "outcomeUnknown" }
  | { readonly kind: "readTimedOut" }
  /** `isTemporary`: something else is in the way, and will be over soon. */
  | { readonly kind: "membershipRefused"; readonly reason: string; readonly isTemporary: boolean }
  | { readonly kind: "transferRefused"; readonly reason: string }
  | { readonly kind: "leaseReadsOff" }
  | { readonly kind: "halted" };

/** What a world shows of its cores. */
export interface CoreWatch {
  /** A process has begun; `effects` is what its core wants at once. */
  booted(peerId: PeerId, restored: Restored, stamp: Stamp, effects: readonly Effect[]): void;
  stepped(peerId: PeerId, input: Input, effects: readonly Effect[]): void;
}
