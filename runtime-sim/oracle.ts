/**
 * How the simulated world and the oracles meet: what an oracle may look at, and when it is told of what. Oracles look from outside; nothing
 * that they do reaches a node.
 *
 * The world calls one `Observer`, the `Oracles` of `oracles/index.ts`. That looks once per step at what changed on the host and calls only the
 * oracles whose hook concerns it, so that a step in which nothing changed costs a few integer comparisons, however many oracles there are.
 */
import type {
  ApplyResult,
  ClientAnswer,
  ClusterState,
  Configuration,
  Digest,
  Effect,
  Entry,
  Evidence,
  Message,
  NodeId,
  ReadConsistency,
} from "../core/index.ts";

/** An entry as a node applied it; `result` is null for no-ops and configurations. */
export interface AppliedEntry {
  readonly entry: Entry;
  readonly result: ApplyResult | null;
}

export interface LogView {
  readonly firstIndex: number;
  readonly lastIndex: number;
  readonly stableIndex: number;
  termAt(index: number): number | null;
  chainAt(index: number): Digest | null;
  entryAt(index: number): Entry | null;
}

/** The part of core's `Node` that oracles look at. All O(1). */
export interface NodeView {
  readonly id: NodeId;
  readonly halted: boolean;
  readonly term: number;
  readonly votedFor: NodeId;
  readonly role: "follower" | "preCandidate" | "candidate" | "leader";
  readonly leaderId: NodeId;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  readonly removed: boolean;
  readonly state: ClusterState;
  readonly configuration: Configuration;
  readonly configurationIndex: number;
  readonly log: LogView;
  readonly lastApplied: readonly AppliedEntry[];
}

/** What has become durable, by the world's own book-keeping. */
export interface DurableView {
  /** Null where nothing is (before the snapshot's index, after the last entry) and where the world has damaged it. */
  durableTermAt(index: number): number | null;
  durableChainAt(index: number): Digest | null;
  /** The snapshot's index when no entry follows it. */
  readonly durableLastIndex: number;
  readonly durableTerm: number;
  readonly durableVote: NodeId;
  /** Times this disk has damaged or forgotten what was durable, failed a write, or been full. Slowness, and losing what was never durable, do not count. */
  readonly faults: number;
}

/** One simulated host; the same object for the whole run. A host that loses its disk goes on under a fresh id, as a fresh object. */
export interface ObservedNode {
  readonly id: NodeId;
  /** Null while it is down. */
  readonly node: NodeView | null;
  /** Processes started so far. */
  readonly boots: number;
  /** False for a Byzantine peer: no demand is made on its own state. Never changes. */
  readonly honest: boolean;
  readonly disk: DurableView;
}

/** What the world tells, always right after the fact. */
export interface Observer {
  /** A process came up: `host.node` is set, its state restored. The effects of its `start` are then told as a step. */
  booted(host: ObservedNode): void;
  /** `host.node` is null, or will be before anything else is told. */
  crashed(host: ObservedNode): void;
  /** After every step of a node, before any of its effects is carried out. */
  stepped(host: ObservedNode, effects: readonly Effect[]): void;
  invoked(operation: ClientOperation): void;
  completed(operation: ClientOperation): void;
  /** Faults have stopped; from here on liveness is demanded. */
  quiet(): void;
  /** The end of the run. */
  finished(): void;
}

/** Where the spec's metadata carries `ClientOperation.value`, in decimal digits. */
export const VALUE_KEY = "value";

/** One call of a client, mutable until it is completed. Completed once, also when its outcome is unknown. */
export interface ClientOperation {
  readonly id: number;
  /** The process that calls: it has at most one operation under way. */
  readonly client: number;
  readonly kind: "create" | "update" | "delete" | "get";
  readonly key: string;
  /** What is written: unique in the run and positive, carried in the spec's metadata under `VALUE_KEY`. Zero for get and delete. */
  readonly value: number;
  readonly expectedGeneration: number | null;
  readonly consistency: ReadConsistency;
  /** As answered to `openSession`; 0 for a request without a session. */
  readonly session: number;
  readonly sequence: number;
  readonly invokedAtMs: number;
  completedAtMs: number | null;
  /** ok: applied or read. refused: certainly without effect, whether the state machine or the node refused. */
  outcome: "pending" | "ok" | "refused" | "unknown";
  /** The definite answer; null while there is none. */
  answer: ClientAnswer | null;
}

/** The world adds event, time and how to replay it. The message is made only when somebody looks. */
export type Violate = (oracle: string, message: () => string) => void;

/**
 * A host as it was after its last step, and as it is now. While a hook runs the fields still hold the values before the step: the
 * new ones are in `node`.
 */
export interface Watched {
  readonly host: ObservedNode;
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
 * One rule. Hooks for hosts are called for honest hosts alone, except `elected`. Within a step: `hardState`, `elected`, `logged`, `committed`,
 * `applied`, then `promised`, `halted` and `accused` in the order of the effects.
 */
export interface Oracle {
  readonly name: string;
  /** One line for a report: what it checks. */
  readonly summary: string;
  /** How often it compared something. */
  checks: number;
  booted?(watched: Watched, node: NodeView): void;
  crashed?(watched: Watched): void;
  /** Term, vote or role changed. */
  hardState?(watched: Watched, node: NodeView): void;
  /** It became leader of `node.term`; also called for Byzantine peers. */
  elected?(watched: Watched, node: NodeView): void;
  /** The end of the log changed: entries were added, cut off, or both; or a snapshot took the log's place. */
  logged?(watched: Watched, node: NodeView): void;
  /** The commit index changed. The shared ledger holds the new entries already. */
  committed?(watched: Watched, node: NodeView): void;
  /** The applied index changed, by entries (`node.lastApplied`) or by a snapshot. */
  applied?(watched: Watched, node: NodeView): void;
  /** It sends something that others will rely on after it crashes: a granted vote, or what it has matched or installed. */
  promised?(watched: Watched, node: NodeView, message: Promised): void;
  halted?(watched: Watched, node: NodeView, reason: string, evidence: Evidence | null): void;
  accused?(watched: Watched, node: NodeView, evidence: Evidence): void;
  invoked?(operation: ClientOperation): void;
  completed?(operation: ClientOperation): void;
  quiet?(): void;
  finished?(): void;
}

export type Promised = Extract<Message, { readonly type: "voteResponse" | "appendResponse" | "snapshotResponse" }>;
