/** What a rule is: the hooks by which an oracle is told of what changed, and how it reports a violation. */
import type {
  ClientAnswer,
  ClientRequest,
  Configuration,
  Digest,
  Evidence,
  Message,
  NodeId,
} from "../../core/index.ts";
import type { ClientOperation, DoorCall } from "../workload/index.ts";
import type { MemberView, NodeView } from "../world/index.ts";

/** The world adds event, time and how to replay it. The message is made only when somebody looks. */
export type Violate = (oracle: string, message: () => string) => void;

/**
 * A member as it was after its last step, and as it is now. While a hook runs the fields still hold the values before
 * the step: the new ones are in `node`.
 */
export interface Watched {
  readonly member: MemberView;
  readonly term: number;
  readonly votedFor: NodeId;
  readonly role: NodeView["role"];
  readonly commitIndex: number;
  /** The chain at `commitIndex`, null when the node could not tell. */
  readonly commitChain: Digest | null;
  readonly appliedIndex: number;
  readonly lastIndex: number;
  readonly lastChain: Digest | null;
  readonly configuration: Configuration;
}

/**
 * One rule. Hooks about members are called for honest ones alone, except `elected`. Within a step: `hardState`,
 * `elected`, `logged`, `configured`, `committed`, `applied`, then `promised`, `ordered`, `answered`, `halted` and
 * `accused` in the order of the effects.
 */
export interface Oracle {
  readonly name: string;
  /** One line for a report: what it checks. */
  readonly summary: string;
  /** How often it compared something. */
  checks: number;
  booted?(watched: Watched, node: NodeView): void;
  crashed?(watched: Watched): void;
  /** The process takes a request, in its next step. */
  requested?(member: MemberView, requestId: number, request: ClientRequest): void;
  /** Term, vote or role changed. */
  hardState?(watched: Watched, node: NodeView): void;
  /** It became leader of `node.term`; also called for Byzantine peers. */
  elected?(watched: Watched, node: NodeView): void;
  /** The end of the log changed: entries were added, cut off, or both; or a snapshot took the log's place. */
  logged?(watched: Watched, node: NodeView): void;
  /** It acts by another configuration. */
  configured?(watched: Watched, node: NodeView): void;
  /** The commit index changed. The shared ledger holds the new entries already. */
  committed?(watched: Watched, node: NodeView): void;
  /** The applied index changed, by entries (`node.lastApplied`) or by a snapshot. */
  applied?(watched: Watched, node: NodeView): void;
  /**
   * It sends something that others will rely on after it crashes: a granted vote, or what it has matched or installed.
   */
  promised?(watched: Watched, node: NodeView, message: Promised): void;
  /** It answers a heartbeat of whom it knows to lead its term. */
  followed?(watched: Watched, answer: HeartbeatResponse): void;
  /** As leader it orders another to campaign. */
  ordered?(watched: Watched, node: NodeView): void;
  /** It answers a request. */
  answered?(watched: Watched, node: NodeView, requestId: number, answer: ClientAnswer): void;
  halted?(watched: Watched, node: NodeView, reason: string, evidence: Evidence | null): void;
  accused?(watched: Watched, node: NodeView, evidence: Evidence): void;
  invoked?(operation: ClientOperation): void;
  completed?(operation: ClientOperation): void;
  /** Somebody who makes, revokes or uses tokens for joining has an answer. */
  admission?(call: DoorCall): void;
  quiet?(): void;
  finished?(): void;
}

export type HeartbeatResponse = Extract<Message, { readonly type: "heartbeatResponse" }>;
export type Promised = Extract<Message, { readonly type: "voteResponse" | "appendResponse" | "snapshotResponse" }>;
