/**
 * One member's consensus state, and the invariants that hold over it. It knows which parts change together. When they
 * change is decided in the files above (see raft.ts).
 */
import { mark } from "../marks.ts";
import { Admission } from "./admission.ts";
import { assert, Halt } from "./assert.ts";
import type { RaftEffect, RaftEnvironment, Restored, Stamp } from "./environment.ts";
import { Leadership } from "./leadership.ts";
import { RaftLog } from "./log.ts";
import type { Header } from "./messages.ts";
import type { RaftOptions } from "./options.ts";
import { Outbox } from "./outbox.ts";
import { PeerClocks } from "./peer-clocks.ts";
import { ReadQueue } from "./read-queue.ts";
import {
  type Certificate,
  type Entry,
  type HardState,
  NOBODY,
  type NodeId,
  type Signature,
  type Snapshot,
  type SnapshotMeta,
} from "./records.ts";
import { Roster } from "./roster.ts";
import { SignatureSet } from "./signature-set.ts";
import { SnapshotAssembly } from "./snapshot-assembly.ts";

/** A campaign is for a term that is at most so far beyond the last that is proven, whatever voters claim. */
export const CLAIMED_TERMS_MAX = 32;

export type Role = "follower" | "preCandidate" | "candidate" | "leader";

export class RaftState {
  readonly id: NodeId;
  readonly options: RaftOptions;
  readonly environment: RaftEnvironment;
  readonly clusterId: string;
  readonly incarnation: number;
  /** Whether the state machine accepts the content of a snapshot. */
  readonly acceptsState: (chunks: readonly Uint8Array[]) => boolean;

  readonly log: RaftLog;
  readonly roster: Roster;
  readonly admission: Admission;
  readonly outbox: Outbox;

  /** While it leads. */
  readonly leadership: Leadership;
  readonly reads = new ReadQueue();
  /** While it campaigns. The votes are kept until the term changes, as evidence against double votes. */
  readonly preVotes = new SignatureSet();
  readonly votes = new SignatureSet();
  /** Since it last became a candidate. */
  readonly clocks = new PeerClocks();
  /** While it follows. */
  readonly assembly = new SnapshotAssembly();

  #nowMs: number;
  #wallMs: number;

  // Durable: see HardState.
  #term: number;
  #votedFor: NodeId;
  #proof: Certificate | null;
  #hardStateChanged = false;

  #role: Role = "follower";
  #leaderId: NodeId = NOBODY;
  #recognized: Certificate | null;
  #transferOrder: Signature = "";
  #campaignTerm = 0;
  /** The latest that a voter has claimed to be in, whether or not its proof counts here. */
  #claimedTerm = 0;
  #lastLeaderContactMs: number;
  #electionDeadlineMs = 0;

  #commitIndex: number;
  #matchedIndex = 0;
  #snapshot: Snapshot;
  #installed: Snapshot | null = null;

  constructor(
    id: NodeId,
    options: RaftOptions,
    environment: RaftEnvironment,
    restored: Restored,
    stamp: Stamp,
    emit: (effect: RaftEffect) => void,
    acceptsState: (chunks: readonly Uint8Array[]) => boolean,
  ) {
    const { snapshot, hardState } = restored;
    this.id = id;
    this.options = options;
    this.environment = environment;
    this.clusterId = snapshot.clusterId;
    this.incarnation = snapshot.incarnation;
    this.acceptsState = acceptsState;
    this.#nowMs = stamp.nowMs;
    this.#wallMs = shownWallMs(stamp.wallMs);
    this.#snapshot = snapshot;
    this.#commitIndex = snapshot.meta.index;
    this.#term = hardState?.term ?? 0;
    this.#votedFor = hardState?.votedFor ?? NOBODY;
    this.#proof = hardState?.proof ?? null;
    // A leader that was acknowledged durably before a restart is still known after it.
    this.#recognized = this.#proof?.kind === "election" && this.#proof.term === this.#term ? this.#proof : null;
    // The last contact before the restart is not remembered. Leader stickiness is a promise to that leader, so its
    // time starts anew.
    this.#lastLeaderContactMs = stamp.nowMs;

    this.log = restoreLog(environment, snapshot.meta, restored.entries);
    this.roster = new Roster(id, snapshot.meta, this.log);
    const own = this.roster.peerOf(id);
    assert(
      own === undefined || own === environment.peerId,
      `node ${id} is bound to another identity than this process has`,
    );
    this.admission = new Admission(this, options, this.roster, emit);
    this.outbox = new Outbox(this.log, this.roster, emit, () => this.#takeHardState());
    this.leadership = new Leadership(id);
  }

  // ---- Time

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Whole milliseconds since 1970, in the range that a message can hold. */
  get wallMs(): number {
    return this.#wallMs;
  }

  /** What the clocks of a quorum have reached, as far as this leader knows. */
  get quorumWallMs(): number {
    return this.clocks.reachedMs(this.roster.configuration, this, this.#nowMs, this.options.electionTimeoutMs);
  }

  /** Sets the clocks to those of the input that is handled now. */
  setClock(stamp: Stamp): void {
    assert(stamp.nowMs >= this.#nowMs, "monotonic time went back: from, to", this.#nowMs, stamp.nowMs);
    this.#nowMs = stamp.nowMs;
    this.#wallMs = shownWallMs(stamp.wallMs);
  }

  /** When this node campaigns, unless it hears a leader. */
  get electionDeadlineMs(): number {
    return this.#electionDeadlineMs;
  }

  resetElectionDeadline(): void {
    this.#electionDeadlineMs = this.#drawElectionDeadline();
  }

  /** Drawn anew each time, so that candidates that collided once do not go on colliding. */
  #drawElectionDeadline(): number {
    const spread = (this.environment.randomUint32() / 0x1_0000_0000) * this.options.electionTimeoutMs;
    return this.#nowMs + this.options.electionTimeoutMs + spread;
  }

  // ---- Terms and roles

  get term(): number {
    return this.#term;
  }

  get votedFor(): NodeId {
    return this.#votedFor;
  }

  /** Why this node is in its term. */
  get proof(): Certificate | null {
    return this.#proof;
  }

  get role(): Role {
    return this.#role;
  }

  /** NOBODY when unknown. */
  get leaderId(): NodeId {
    return this.#leaderId;
  }

  /** The election certificate of this term's leader, once seen: what makes its messages count. */
  get recognized(): Certificate | null {
    return this.#recognized;
  }

  /** The leader's signed order to campaign, while this node follows it. Empty when there is none. */
  get transferOrder(): Signature {
    return this.#transferOrder;
  }

  /** The term that this node asks pre-votes for. */
  get campaignTerm(): number {
    return this.#campaignTerm;
  }

  /** A voter says that it is in that term, and does not prove it. */
  hearClaim(term: number): void {
    this.#claimedTerm = Math.max(this.#claimedTerm, term);
  }

  get lastLeaderContactMs(): number {
    return this.#lastLeaderContactMs;
  }

  /** Moves to a later term as a follower. `proof` says why the term exists. */
  enterTerm(term: number, proof: Certificate): void {
    assert(term > this.#term, "a term is entered that is not later: it, the present", term, this.#term);
    this.#term = term;
    this.#votedFor = NOBODY;
    this.#prove(proof);
    this.votes.clear();
    this.#recognized = null;
    this.#matchedIndex = 0;
    this.becomeFollower(NOBODY);
  }

  /** Steps back within the term. */
  becomeFollower(leader: NodeId): void {
    const wasLeader = this.#role === "leader";
    this.#role = "follower";
    this.#leaderId = leader;
    this.#transferOrder = "";
    if (wasLeader) {
      this.leadership.end();
      this.reads.refuseAll();
    }
    this.resetElectionDeadline();
  }

  /**
   * Asks for pre-votes from now on. `order`: the leader's signed order to campaign in the next term, or empty: then
   * for a term after those that voters have claimed to be in, as far as that may be.
   */
  becomePreCandidate(order: Signature): void {
    this.becomeFollower(NOBODY);
    this.#transferOrder = order;
    const claimed = order === "" ? Math.min(this.#claimedTerm, this.#term + CLAIMED_TERMS_MAX) : 0;
    this.#campaignTerm = Math.max(this.#term, claimed) + 1;
    this.#role = "preCandidate";
    this.preVotes.clear();
  }

  /** Enters the later term, which a quorum's pre-votes allow, and votes for itself there. */
  becomeCandidate(preVoted: Certificate): void {
    const order = this.#transferOrder;
    this.enterTerm(preVoted.term, preVoted);
    this.clocks.clear();
    this.#role = "candidate";
    this.#transferOrder = order;
    this.vote(this.id);
  }

  /** Leads the term for which a quorum has voted. */
  becomeLeader(election: Certificate): void {
    this.#prove(election);
    this.#recognized = election;
    this.#role = "leader";
    this.#leaderId = this.id;
    this.#transferOrder = "";
    // Whom it has followed leads no more. If it steps down soon, nothing keeps it from voting for another.
    this.#lastLeaderContactMs = Number.NEGATIVE_INFINITY;
    this.leadership.start();
    this.#matchedIndex = this.log.lastIndex;
  }

  /** Follows the leader whose election `certificate` proves. */
  recognize(certificate: Certificate): void {
    if (certificate.term > this.#term) this.enterTerm(certificate.term, certificate);
    this.#recognized = certificate;
    if (this.#proof !== certificate) this.#prove(certificate);
    this.#matchedIndex = 0;
    this.becomeFollower(certificate.candidate);
  }

  /** A valid message from this term's leader has arrived. */
  heardLeader(): void {
    this.#lastLeaderContactMs = this.#nowMs;
    // A campaign that the leader ordered keeps its own deadline.
    if (this.#role === "follower") this.resetElectionDeadline();
  }

  vote(candidate: NodeId): void {
    assert(
      this.#votedFor === NOBODY || this.#votedFor === candidate,
      "a second vote in a term: the term, the candidate",
      this.#term,
      candidate,
    );
    this.#votedFor = candidate;
    this.#hardStateChanged = true;
  }

  #prove(certificate: Certificate): void {
    this.#proof = certificate;
    this.#hardStateChanged = true;
  }

  #takeHardState(): HardState | null {
    if (!this.#hardStateChanged) return null;
    this.#hardStateChanged = false;
    return { term: this.#term, votedFor: this.#votedFor, proof: this.#proof };
  }

  // ---- The log

  get commitIndex(): number {
    return this.#commitIndex;
  }

  /** Agrees with this term's leader up to here. */
  get matchedIndex(): number {
    return this.#matchedIndex;
  }

  /** Everything up to `index` is committed. */
  commitTo(index: number): void {
    assert(index >= this.#commitIndex, "the commit index went back: from, to", this.#commitIndex, index);
    this.#commitIndex = index;
    this.roster.prune(index);
  }

  /** Agrees with this term's leader up to `index`, and maybe further. */
  matchTo(index: number): void {
    this.#matchedIndex = Math.max(this.#matchedIndex, index);
  }

  /** Cuts the log back to `index`: a later leader has other entries there. */
  truncateAfter(index: number): void {
    if (index < this.#commitIndex) throw new Halt(`truncation to ${index} below the commit index ${this.#commitIndex}`);
    this.log.truncateAfter(index);
    this.roster.unplaceAfter(index);
    this.#matchedIndex = Math.min(this.#matchedIndex, index);
    this.outbox.logTruncated(index);
  }

  // ---- Snapshots

  /** The latest snapshot, taken here or by a leader. Followers that lag are sent this one. */
  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  /** Has a snapshot of this node's own state stored, and forgets the log up to `keepAfter`. */
  compact(snapshot: Snapshot, keepAfter: number): void {
    this.#snapshot = snapshot;
    this.outbox.saveSnapshot(snapshot, keepAfter);
    this.log.compactTo(keepAfter);
  }

  /** Takes over a leader's snapshot. */
  install(snapshot: Snapshot): void {
    const { meta } = snapshot;
    this.#snapshot = snapshot;
    // It may stand for a prefix of this log; then the entries after it are kept (paper, figure 13, step 6).
    if (this.log.chainAt(meta.index) === meta.chain) {
      mark("snapshot/installed-over-own-log");
      this.outbox.saveSnapshot(snapshot, meta.index);
      this.log.compactTo(meta.index);
    } else {
      this.log.reset(meta);
      this.outbox.saveSnapshot(snapshot, null);
    }
    this.roster.adopt(meta, this.log, this.#commitIndex);
    this.#commitIndex = meta.index;
    this.matchTo(meta.index);
    this.#installed = snapshot;
  }

  /** A leader's snapshot, to be taken over by the state machine before anything is applied. Handed out once. */
  takeInstalled(): Snapshot | null {
    const installed = this.#installed;
    this.#installed = null;
    return installed;
  }

  // ---- As a value

  capture() {
    return {
      clusterId: this.clusterId,
      incarnation: this.incarnation,
      log: this.log.capture(),
      roster: this.roster.capture(),
      admission: this.admission.capture(),
      outbox: this.outbox.capture(),
      leadership: this.leadership.capture(),
      reads: this.reads.capture(),
      preVotes: this.preVotes.capture(),
      votes: this.votes.capture(),
      clocks: this.clocks.capture(),
      assembly: this.assembly.capture(),
      nowMs: this.#nowMs,
      wallMs: this.#wallMs,
      term: this.#term,
      votedFor: this.#votedFor,
      proof: this.#proof,
      hardStateChanged: this.#hardStateChanged,
      role: this.#role,
      leaderId: this.#leaderId,
      recognized: this.#recognized,
      transferOrder: this.#transferOrder,
      campaignTerm: this.#campaignTerm,
      claimedTerm: this.#claimedTerm,
      lastLeaderContactMs: this.#lastLeaderContactMs,
      electionDeadlineMs: this.#electionDeadlineMs,
      commitIndex: this.#commitIndex,
      matchedIndex: this.#matchedIndex,
      snapshot: this.#snapshot,
      installed: this.#installed,
    };
  }

  restore(captured: ReturnType<RaftState["capture"]>): void {
    this.log.restore(captured.log);
    this.roster.restore(captured.roster);
    this.admission.restore(captured.admission);
    this.outbox.restore(captured.outbox);
    this.leadership.restore(captured.leadership);
    this.reads.restore(captured.reads);
    this.preVotes.restore(captured.preVotes);
    this.votes.restore(captured.votes);
    this.clocks.restore(captured.clocks);
    this.assembly.restore(captured.assembly);
    this.#nowMs = captured.nowMs;
    this.#wallMs = captured.wallMs;
    this.#term = captured.term;
    this.#votedFor = captured.votedFor;
    this.#proof = captured.proof;
    this.#hardStateChanged = captured.hardStateChanged;
    this.#role = captured.role;
    this.#leaderId = captured.leaderId;
    this.#recognized = captured.recognized;
    this.#transferOrder = captured.transferOrder;
    this.#campaignTerm = captured.campaignTerm;
    this.#claimedTerm = captured.claimedTerm;
    this.#lastLeaderContactMs = captured.lastLeaderContactMs;
    this.#electionDeadlineMs = captured.electionDeadlineMs;
    this.#commitIndex = captured.commitIndex;
    this.#matchedIndex = captured.matchedIndex;
    this.#snapshot = captured.snapshot;
    this.#installed = captured.installed;
  }
}

function shownWallMs(wallMs: number): number {
  return Number.isNaN(wallMs) ? 0 : Math.min(Math.max(Math.floor(wallMs), 0), Number.MAX_SAFE_INTEGER);
}

/**
 * Checks that what the disk gave back is one unbroken history. A hole or a broken chain halts: it is never read as a
 * shorter log.
 */
function restoreLog(environment: RaftEnvironment, meta: SnapshotMeta, entries: readonly Entry[]): RaftLog {
  const first = entries[0];
  // The first trailing entry has no predecessor to check it against: it becomes the base itself.
  const trailing = first !== undefined && first.index <= meta.index;
  const log = new RaftLog(environment, trailing ? first : meta);
  for (const entry of trailing ? entries.slice(1) : entries) {
    assert(entry.index === log.lastIndex + 1, "the stored log has a hole before an entry", entry.index);
    assert(log.follows(log.lastChain, entry), "a stored entry does not follow from its predecessor", entry.index);
    log.append(entry);
  }
  assert(
    log.lastIndex >= meta.index,
    "the stored log ends before the snapshot: its end, the snapshot",
    log.lastIndex,
    meta.index,
  );
  const chain = log.chainAt(meta.index);
  assert(chain === meta.chain, "the stored log disagrees with the snapshot", meta.index);
  log.stableTo(log.lastIndex);
  return log;
}

/** The fields that every message begins with. */
export function header(raft: Pick<RaftState, "clusterId" | "incarnation" | "id">, to: NodeId, term: number): Header {
  return { clusterId: raft.clusterId, incarnation: raft.incarnation, from: raft.id, to, term };
}
