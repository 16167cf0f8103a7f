/**
 * The interface between the simulated world and the oracles: what an oracle may look at, and when it is told of what.
 * Nothing that an oracle does reaches a node.
 *
 * The world calls one `Observer`, the `Oracles` of `oracles/index.ts`. It compares the member with its last step once,
 * and calls only the oracles that watch what has changed. So a step in which nothing changed costs a few integer
 * comparisons, however many oracles there are.
 */
import type {
  ApplyResult,
  ClientRequest,
  ClusterState,
  Configuration,
  Digest,
  Effect,
  Entry,
  NodeId,
} from "../../core/index.ts";
import type { LinkState } from "../network/index.ts";

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
  /**
   * Of each member: when the latest round of heartbeats that it has answered left, on this node's monotonic clock. Null
   * where that is not known.
   */
  memberStatus(): readonly { readonly id: NodeId; readonly answeredMs: number | null }[];
}

/** What is durable, by the simulator's own records. */
export interface DurableView {
  /** Null where nothing is (before the snapshot's index, after the last entry) and where the world has damaged it. */
  durableTermAt(index: number): number | null;
  durableChainAt(index: number): Digest | null;
  /** The snapshot's index when no entry follows it. */
  readonly durableLastIndex: number;
  readonly durableTerm: number;
  readonly durableVote: NodeId;
  /**
   * Times this disk has damaged or forgotten what was durable, failed a write, or been full. Slowness, and losing what
   * was never durable, do not count.
   */
  readonly faults: number;
  /** Times that the member began again from nothing, under its old id. */
  readonly startsAnew: number;
}

/** The clocks of a host, by the simulator's own records. */
export interface ClockView {
  /** The most that the wall clock has ever been off true time, either way. `nowUs`: virtual time. */
  wallErrorMaxMs(nowUs: number): number;
  /** The same of its oscillator alone: without what the wall clock jumped. */
  paceErrorMaxMs(nowUs: number): number;
  /** Milliseconds of the present process. */
  monotonicMs(nowUs: number): number;
}

/**
 * One member; the same object for the whole run. When a disk is lost, a new member with a new id takes its host:
 * another object.
 */
export interface MemberView {
  readonly id: NodeId;
  /** Null while it is down. */
  readonly node: NodeView | null;
  /** Processes started so far. */
  readonly boots: number;
  /** False for a Byzantine peer: no demand is made on its own state. Never changes. */
  readonly honest: boolean;
  readonly disk: DurableView;
  readonly clock: ClockView;
  /** The feature level of its build. */
  readonly level: number;
  /** The number of its host in the network. */
  readonly hostIndex: number;
  /** Whether its process was asked this and has not answered yet. */
  awaits(requestId: number): boolean;
}

/** What a host is like for the process on it. */
export interface HostCondition {
  /**
   * Until then the process is paused or slow, its clock wrong or frozen, or its disk not working; Infinity when the
   * end is not known. Past when nothing is the matter.
   */
  readonly hamperedUntilUs: number;
  /** How often its clock has been changed. */
  readonly clockChanges: number;
  /** Its monotonic clock, now. */
  readonly clockMs: number;
  /** An input has come that the process has not taken, because it is paused or slow. */
  readonly keepsInputsWaiting: boolean;
}

export interface LinkCondition extends LinkState {
  /** Probability that a message arrives damaged. */
  readonly damageChance: number;
}

/** What hosts and links are like at the moment. */
export interface ConditionsView {
  /** Called right after whatever a fault does. What ends by itself, at a known time, does not count. */
  onChange: (() => void) | null;
  /** Virtual time. */
  readonly nowUs: number;
  /** Events so far: the number of the present one. */
  readonly events: number;
  host(member: MemberView): HostCondition;
  link(from: MemberView, to: MemberView): LinkCondition;
}

/** What the world tells, always right after it happened. */
export interface Observer {
  /**
   * A process came up: `member.node` is set, its state restored. The effects of its `start` are then told as a step.
   */
  booted(member: MemberView): void;
  /** `member.node` is null, or will be before anything else is told. */
  crashed(member: MemberView): void;
  /** A request has reached the process, which takes it in its next step. */
  requested(member: MemberView, requestId: number, request: ClientRequest): void;
  /** After every step of a node, before any of its effects is carried out. */
  stepped(member: MemberView, effects: readonly Effect[]): void;
}
