/**
 * One member's consensus, as its node sees it. The protocol is in the files below, each a set of functions over the
 * state. A file calls only those further down:
 *
 *   leading.ts               a leader's clock, and what followers answer
 *   following.ts             a follower's side: appends and heartbeats
 *   snapshot-receiving.ts    a follower's side of a snapshot
 *   commit.ts                when entries are committed
 *   membership.ts            changes of who takes part
 *   leadership-transfer.ts   leadership handed to a chosen voter
 *   election.ts              pre-votes, votes, who leads
 *   certificates.ts          the check of what proves an election
 *   introductions.ts         proofs of membership, for nodes that were away
 *   endorsements.ts          signatures that become such proofs
 *   reads.ts, rounds.ts      reads without a log entry
 *   appending.ts             a leader's own entries
 *   sending.ts, snapshot-sending.ts
 *   state.ts                 the state that they share, and its parts: roster, log, outbox, leadership, ...
 *
 * The contract: call `begin`, then any of the others, then `expire` and `finish`. What should happen goes to `emit`.
 * Nothing here knows what a command means.
 *
 * "Thesis" is Diego Ongaro, Consensus: Bridging Theory and Practice (Stanford, 2014); "paper" is Ongaro and
 * Ousterhout, In Search of an Understandable Consensus Algorithm, extended version (2014).
 */
import { appendAsLeader } from "./appending.ts";
import { advanceCommit } from "./commit.ts";
import { isJoint } from "./configuration.ts";
import { campaign, countOwnVote, handleRequestVote, handleVoteResponse } from "./election.ts";
import type { RaftEffect, RaftEnvironment, Restored, Stamp } from "./environment.ts";
import { handleAppend, handleHeartbeat } from "./following.ts";
import { handleIntroduction, handleWhoAreYou, introduceOrAsk } from "./introductions.ts";
import type { LeadershipTransfer } from "./leadership.ts";
import { handleTimeoutNow, startTransfer } from "./leadership-transfer.ts";
import { handleAppendResponse, handleHeartbeatResponse, handleSnapshotResponse, leaderTick } from "./leading.ts";
import { changeMembership, endorse, isHeard, type MembershipChange } from "./membership.ts";
import type { ConsensusMessageType, Header, Message, MessageOf } from "./messages.ts";
import type { RaftOptions } from "./options.ts";
import type { Progress } from "./progress.ts";
import type { ReadOrigin, ReadyRead } from "./read-queue.ts";
import { holdsLease, requestRead } from "./reads.ts";
import type {
  Configuration,
  ConfigurationChange,
  Entry,
  LineageLink,
  NodeId,
  PeerId,
  Snapshot,
  SnapshotMeta,
} from "./records.ts";
import { handleSnapshotChunk } from "./snapshot-receiving.ts";
import { header, RaftState, type Role } from "./state.ts";
import { snapshotDigest } from "./statements.ts";
import type { LogView } from "./views.ts";

/**
 * Each handles one type of message, from a member whose identity was proved. An introduction may come from anybody.
 */
const HANDLERS: { readonly [Type in ConsensusMessageType]: (state: RaftState, message: MessageOf<Type>) => void } = {
  requestVote: handleRequestVote,
  voteResponse: handleVoteResponse,
  append: handleAppend,
  appendResponse: handleAppendResponse,
  heartbeat: handleHeartbeat,
  heartbeatResponse: handleHeartbeatResponse,
  snapshotChunk: handleSnapshotChunk,
  snapshotResponse: handleSnapshotResponse,
  timeoutNow: handleTimeoutNow,
  whoAreYou: handleWhoAreYou,
  introduction: handleIntroduction,
};

/** The metadata of a snapshot that follows from the log, and not from its content. */
export type SnapshotBase = Omit<SnapshotMeta, "digest" | "chunkCount" | "sizeBytes">;

export class Raft {
  readonly #state: RaftState;
  readonly #endorse = () => endorse(this.#state);
  readonly #countOwnVote = (term: number) => countOwnVote(this.#state, term);

  /**
   * @param emit takes effects in the order in which they are to be carried out
   * @param acceptsState whether the state machine could take over the content of a snapshot
   */
  constructor(
    id: NodeId,
    options: RaftOptions,
    environment: RaftEnvironment,
    restored: Restored,
    stamp: Stamp,
    emit: (effect: RaftEffect) => void,
    acceptsState: (chunks: readonly Uint8Array[]) => boolean,
  ) {
    this.#state = new RaftState(id, options, environment, restored, stamp, emit, acceptsState);
  }

  /** Draws the first election time-out. Once, before any step, but not after `restore`. */
  start(): void {
    this.#state.resetElectionDeadline();
  }

  /** All that it knows, as a value. Between steps only. */
  capture() {
    return this.#state.capture();
  }

  /** Goes on where the one that was captured stood. */
  restore(captured: ReturnType<Raft["capture"]>): void {
    this.#state.restore(captured);
  }

  // ---- What others may know

  get id(): NodeId {
    return this.#state.id;
  }
  get term(): number {
    return this.#state.term;
  }
  get votedFor(): NodeId {
    return this.#state.votedFor;
  }
  get role(): Role {
    return this.#state.role;
  }
  /** NOBODY when unknown. */
  get leaderId(): NodeId {
    return this.#state.leaderId;
  }
  get commitIndex(): number {
    return this.#state.commitIndex;
  }
  get log(): LogView {
    return this.#state.log;
  }
  /** This node's clocks, as of the present input. */
  get nowMs(): number {
    return this.#state.nowMs;
  }
  get wallMs(): number {
    return this.#state.wallMs;
  }
  /** What the wall clocks of a quorum have reached, as far as this leader knows; 0 when it does not know. */
  get quorumWallMs(): number {
    return this.#state.quorumWallMs;
  }
  /** When it next wants to be woken. */
  get deadlineMs(): number {
    const { role, leadership, roster, outbox, electionDeadlineMs } = this.#state;
    if (role === "leader") return leadership.heartbeatDeadlineMs;
    return roster.promotable && outbox.diskIdle ? electionDeadlineMs : Number.POSITIVE_INFINITY;
  }
  /** Whether every write that was issued is durable. */
  get diskIdle(): boolean {
    return this.#state.outbox.diskIdle;
  }
  /** Whether commands may be appended here: not while leadership is being handed over. */
  get takesProposals(): boolean {
    return this.#state.role === "leader" && this.#state.leadership.transferring === null;
  }
  /** The transfer of leadership under way. */
  get transferring(): LeadershipTransfer | null {
    return this.#state.leadership.transferring;
  }
  /** Bytes of entries in this leader's log that are not committed. */
  get uncommittedBytes(): number {
    return this.#state.leadership.uncommittedBytes;
  }
  /** Index of this leader's first own entry. */
  get termStartIndex(): number {
    return this.#state.leadership.termStartIndex;
  }

  // ---- Who takes part

  /** The configuration this node acts by: the latest in its log, committed or not. */
  get configuration(): Configuration {
    return this.#state.roster.configuration;
  }
  get configurationIndex(): number {
    return this.#state.roster.latest.index;
  }
  /** What proves the present configuration to those who know an earlier one. */
  get lineage(): readonly LineageLink[] {
    return this.#state.roster.lineage;
  }
  /** An introduction or the log shows that this node's id has left for good. */
  get removed(): boolean {
    return this.#state.roster.removed;
  }
  /** The configuration that shows it; null: it has not left. */
  get leftBy(): Configuration | null {
    return this.#state.roster.leftBy;
  }

  /** While it leads: whether the member has answered it within an election time-out. */
  hasHeardFrom(id: NodeId): boolean {
    return isHeard(this.#state, id);
  }

  /** Whom this node speaks with: see `Roster`. */
  get peers(): ReadonlyMap<NodeId, PeerId> {
    return this.#state.roster.peers;
  }

  /** Whether a member has this identity. The transport asks once for each connection. */
  isAdmitted(peerId: PeerId): boolean {
    return this.#state.admission.isAdmitted(peerId);
  }

  /** What this leader knows of a follower; undefined where it does not lead, or the node is no other member. */
  progressOf(id: NodeId): Readonly<Progress> | undefined {
    return this.#state.role === "leader" ? this.#state.leadership.progress.get(id) : undefined;
  }

  // ---- One step

  begin(stamp: Stamp): void {
    const state = this.#state;
    state.setClock(stamp);
    // A leader that was paused may have been replaced: check-quorum comes before anything else.
    if (state.role === "leader" && state.nowMs >= state.leadership.heartbeatDeadlineMs) leaderTick(state);
  }

  /** Whether `message` may be looked at, which came over a connection that proved the identity `from`. */
  admit(from: PeerId, message: Message): boolean {
    const verdict = this.#state.admission.judge(from, message, this.#state.nowMs);
    if (verdict === "stranger") introduceOrAsk(this.#state, from, message);
    return verdict === "admitted";
  }

  /** Handles a message that was admitted. */
  handle<Type extends ConsensusMessageType>(message: MessageOf<Type>): void {
    HANDLERS[message.type](this.#state, message);
  }

  /** Every write up to `writeId` is durable. */
  written(writeId: number): void {
    this.#state.outbox.written(writeId, this.#endorse, this.#countOwnVote);
    advanceCommit(this.#state);
  }

  /**
   * After the input was handled: what the clock says. No campaign while the disk has something to do: it needs no disk
   * to take the others to a new term, and none of those terms could be won on a disk that stands still.
   */
  expire(): void {
    const state = this.#state;
    if (state.role !== "leader" && state.nowMs >= state.electionDeadlineMs && state.outbox.diskIdle) {
      if (state.roster.promotable) campaign(state);
      else state.resetElectionDeadline();
    }
  }

  /**
   * Last of a step: hands what has to be stored to the disk, and messages to the wire or to the write they wait for.
   */
  finish(): void {
    this.#state.outbox.finish(this.#countOwnVote);
  }

  /** Sends a message of the node's own. It must promise nothing that has to be durable. */
  send(message: Message): void {
    this.#state.outbox.send(message);
  }

  /** The fields that a message of this term begins with. */
  header(to: NodeId): Header {
    return header(this.#state, to, this.#state.term);
  }

  // ---- Requests

  /** Appends commands to the leader's log and sends them. */
  append(commands: readonly Uint8Array[]): Entry[] {
    return appendAsLeader(this.#state, "command", commands);
  }

  /** Queues a read on the leader; `takeReadyReads` has it once it may be served. */
  requestRead(origin: ReadOrigin): void {
    requestRead(this.#state, origin);
  }

  /** Reads whose index is known by now, or that failed. Each is handed out once. */
  takeReadyReads(): readonly ReadyRead[] {
    return this.#state.reads.takeReady();
  }

  /** Whether the leader may answer a read without asking anybody. */
  holdsLease(): boolean {
    return holdsLease(this.#state);
  }

  /**
   * Starts a change. Returns the index of its joint entry; it is done when the final configuration that follows it is
   * committed.
   */
  changeMembership(changes: readonly ConfigurationChange[]): MembershipChange {
    return changeMembership(this.#state, changes);
  }

  /** Starts handing leadership to `to`. Returns why it cannot, or null. Proposals wait until it is over. */
  startTransfer(to: NodeId): string | null {
    return startTransfer(this.#state, to);
  }

  // ---- Snapshots

  /** The latest snapshot, taken here or by a leader. */
  get snapshot(): Snapshot {
    return this.#state.snapshot;
  }

  /** A leader's snapshot, to be taken over by the state machine before anything is applied. Handed out once. */
  takeInstalled(): Snapshot | null {
    return this.#state.takeInstalled();
  }

  /**
   * The base of a snapshot of the state after the applied entry `index`; null while no snapshot can be taken there. A
   * node that joined acts by a configuration from beyond its log until its log reaches it. And the entry of a joint
   * configuration is needed, for endorsements, until the final one is committed.
   */
  snapshotBaseAt(index: number): SnapshotBase | null {
    const { log, roster } = this.#state;
    const committed = roster.configurations[0];
    const term = log.termAt(index);
    const chain = log.chainAt(index);
    if (committed === undefined || committed.index > index || term === null || chain === null) return null;
    const placed = roster.configurationAt(index);
    if (isJoint(placed.configuration)) return null;
    return {
      index,
      term,
      chain,
      configuration: placed.configuration,
      configurationIndex: placed.index,
      lineage: roster.lineage.filter((link) => link.jointIndex <= index),
    };
  }

  /**
   * Stores the node's own snapshot, and compacts the log. Some entries before it stay, for followers a little behind.
   */
  compact(base: SnapshotBase, chunks: readonly Uint8Array[]): void {
    const state = this.#state;
    const { clusterId, incarnation, log, options } = state;
    const meta = {
      ...base,
      digest: snapshotDigest(state.environment, chunks),
      chunkCount: chunks.length,
      sizeBytes: chunks.reduce((sum, chunk) => sum + chunk.length, 0),
    };
    const keepAfter = Math.max(
      log.firstIndex - 1,
      Math.min(base.index - options.snapshotTrailingEntries, log.stableIndex),
    );
    state.compact({ clusterId, incarnation, meta, chunks }, keepAfter);
  }
}
