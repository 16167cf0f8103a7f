/** One member's consensus state, and the invariants that hold over it. What changes it when lies in the files above: see raft.ts. */
import { assert, Halt } from "./assert.ts";
import { decodeConfigurationRecord } from "./codec/index.ts";
import { isVoter, leaveJoint } from "./configuration.ts";
import type { RaftEffect, RaftEnvironment, Restored, Stamp, Write } from "./environment.ts";
import type { Evidence } from "./evidence.ts";
import { LIMITS } from "./limits.ts";
import { RaftLog } from "./log.ts";
import type { Header, Message } from "./messages.ts";
import type { RaftOptions } from "./options.ts";
import type { Progress } from "./progress.ts";
import {
  type Certificate,
  type Configuration,
  type ConfigurationRecord,
  type Entry,
  type HardState,
  type LineageLink,
  NOBODY,
  type NodeId,
  type PeerId,
  type Signature,
  type Snapshot,
  type SnapshotMeta,
} from "./types.ts";

export type Role = "follower" | "preCandidate" | "candidate" | "leader";

/** A configuration in the log or in the snapshot, with the index from which it counts. */
export interface PlacedConfiguration extends ConfigurationRecord {
  readonly index: number;
}

/** A write on its way to the disk, and what waits for it. Writes complete in order. */
interface PendingWrite {
  readonly id: number;
  /** The log is durable up to here once this write is. Lowered when a later truncation overtakes it. */
  stableIndex: number;
  messages: Message[];
  readonly thenDo: (() => void)[];
}

/** Leadership on its way to another voter. */
export interface LeadershipTransfer {
  readonly to: NodeId;
  readonly deadlineMs: number;
  /** The order to campaign has left. */
  sent: boolean;
}

/** Chunks of a snapshot that is arriving. Kept across leaders: the same snapshot from another one goes on where this stopped. */
export interface IncomingSnapshot {
  readonly meta: SnapshotMeta;
  readonly chunks: Uint8Array[];
  /** Whose chunks they are; NOBODY once there is more than one sender. */
  readonly from: NodeId;
}

/** Who asked: this node's own client, or a follower on behalf of its own. */
export interface ReadOrigin {
  readonly from: NodeId;
  readonly requestId: number;
}

export interface PendingRead {
  readonly origin: ReadOrigin;
  readonly index: number;
  /** A quorum's answers to this round or a later one confirm it. Zero: waits for the first commit of this term. */
  round: number;
}

/** Serve once `index` is applied; null: leadership was lost before it was confirmed. */
export interface ReadyRead {
  readonly origin: ReadOrigin;
  readonly index: number | null;
}

/** Evidence kept for at most this many distinct (kind, peer, term); beyond it a liar would fill the log. */
const MAX_EVIDENCE = 1024;

export class RaftState {
  readonly id: NodeId;
  readonly options: RaftOptions;
  readonly environment: RaftEnvironment;
  readonly clusterId: string;
  readonly incarnation: number;
  readonly log: RaftLog;

  // Durable: see HardState. Changed only through `enterTerm` and `vote`.
  term: number;
  votedFor: NodeId;
  proof: Certificate | null;

  role: Role = "follower";
  leaderId: NodeId = NOBODY;
  commitIndex: number;

  /** Newest last. The first is in force at the commit index, the others come after it. */
  configurations: PlacedConfiguration[];
  lineage: readonly LineageLink[];
  /** The final configuration after the newest link, while this node does not know it to be committed by itself. */
  introduced: {
    readonly jointIndex: number;
    readonly configuration: Configuration;
    /** Its entry is in this node's own log; otherwise another member showed it. */
    readonly inLog: boolean;
  } | null = null;
  /** Whom this node listens to: ids with the identity each is bound to. */
  roster = new Map<NodeId, PeerId>();
  /** Proven bindings: of committed configurations and introductions, of present members and of all who have left. */
  bindings = new Map<NodeId, PeerId>();
  /** Proven liars. Nothing they send is looked at again by this process. */
  readonly evicted = new Set<NodeId>();
  /** An introduction or the log shows that this node's id has left for good. */
  removed = false;
  /**
   * Whether this node may campaign: a voter of its latest configuration, or of one before it that is not known to be replaced. One that is being
   * removed may be the only one with the entry that removes it (thesis 4.2.2).
   */
  promotable = false;

  // Follower.
  /** The election certificate of this term's leader, once seen: what makes its messages count. */
  recognized: Certificate | null;
  /** Agrees with this term's leader up to here. */
  matchedIndex = 0;
  lastLeaderContactMs: number;
  electionDeadlineMs = 0;
  incoming: IncomingSnapshot | null = null;

  // Candidate. Kept until the term changes, as evidence against double votes.
  votes = new Map<NodeId, Signature>();
  preVotes = new Map<NodeId, Signature>();
  /** The leader's signed wish that this node campaigns, while it does. */
  transferOrder: Signature = "";

  // Leader.
  progress = new Map<NodeId, Progress>();
  round = 0;
  /** When each of the latest 64 rounds left. */
  readonly roundSentMs = new Float64Array(64);
  heartbeatDeadlineMs = 0;
  /** Index of this leader's first own entry. */
  termStartIndex = 0;
  uncommittedBytes = 0;
  endorsements = new Map<NodeId, Signature>();
  transferring: LeadershipTransfer | null = null;
  /** An order to take over has left in this term: whoever has it may win at any time, so no lease holds. */
  leaseBlocked = false;
  pendingReads: PendingRead[] = [];
  readyReads: ReadyRead[] = [];

  // This step.
  nowMs: number;
  wallMs: number;
  /** A snapshot from a leader to be taken over by the state machine before anything is applied. */
  installed: Snapshot | null = null;
  /** The latest snapshot, here or from a leader: what laggards are sent. */
  snapshot: Snapshot;

  /** Hands an effect to the node, which passes them on in this order. */
  readonly emit: (effect: RaftEffect) => void;
  /** Whether the state machine could take over this content. */
  readonly acceptsState: (chunks: readonly Uint8Array[]) => boolean;

  #hardStateChanged = false;
  #snapshotChanged: Write["snapshot"] = null;
  /** First entry that no write holds yet. */
  #unwrittenIndex: number;
  #messages: Message[] = [];
  #thenDo: (() => void)[] = [];
  readonly #pendingWrites: PendingWrite[] = [];
  #nextWriteId = 1;
  readonly #evidenceKeys = new Set<string>();
  readonly #strangerAtMs = new Map<string, number>();

  constructor(
    id: NodeId,
    options: RaftOptions,
    environment: RaftEnvironment,
    restored: Restored,
    stamp: Stamp,
    emit: (effect: RaftEffect) => void,
    acceptsState: (chunks: readonly Uint8Array[]) => boolean,
  ) {
    this.emit = emit;
    this.acceptsState = acceptsState;
    const { snapshot, hardState } = restored;
    this.id = id;
    this.options = options;
    this.environment = environment;
    this.clusterId = snapshot.clusterId;
    this.incarnation = snapshot.incarnation;
    this.nowMs = stamp.nowMs;
    this.wallMs = stamp.wallMs;
    this.snapshot = snapshot;
    this.lineage = snapshot.meta.lineage;
    this.commitIndex = snapshot.meta.index;
    this.term = hardState?.term ?? 0;
    this.votedFor = hardState?.votedFor ?? NOBODY;
    this.proof = hardState?.proof ?? null;
    // A leader that was acknowledged durably before a restart is still known after it.
    this.recognized = this.proof?.kind === "election" && this.proof.term === this.term ? this.proof : null;
    // Promises made to a leader before the restart are not remembered, so the silence they ask for starts anew.
    this.lastLeaderContactMs = stamp.nowMs;

    this.log = restoreLog(environment, snapshot.meta, restored.entries);
    this.#unwrittenIndex = this.log.lastIndex + 1;
    this.configurations = [
      { index: snapshot.meta.configurationIndex, configuration: snapshot.meta.configuration, link: null },
    ];
    for (let index = snapshot.meta.index + 1; index <= this.log.lastIndex; index++) {
      const entry = this.log.entryAt(index);
      if (entry?.kind === "configuration") this.place(entry);
    }
    this.#rebuildRoster();
    const own = this.roster.get(id);
    assert(
      own === undefined || own === environment.peerId,
      `node ${id} is bound to another identity than this process has`,
    );
    this.resetElectionDeadline();
  }

  // ---- Configuration

  /** The configuration this node acts by: the latest in its log, committed or not (thesis 4.1). */
  get configuration(): Configuration {
    return this.latest.configuration;
  }

  get latest(): PlacedConfiguration {
    const last = this.configurations[this.configurations.length - 1];
    assert(last !== undefined, "a node always has a configuration");
    return last;
  }

  /** The configuration in force at `index`, which is at or after the commit index's own. */
  configurationAt(index: number): PlacedConfiguration {
    let found = this.configurations[0];
    for (const placed of this.configurations) if (placed.index <= index) found = placed;
    assert(found !== undefined && found.index <= index, "no configuration is known at an index", index);
    return found;
  }

  /** Takes up a configuration entry that has just entered the log. */
  place(entry: Entry): void {
    // A node that joined trusts a later configuration than the ones it meets on the way there.
    if (entry.index <= this.latest.index) return;
    const record = decodeConfigurationRecord(entry.data);
    this.configurations.push({ index: entry.index, ...record });
    if (record.link !== null) this.#addLink(record.link, true);
    this.#rebuildRoster();
  }

  /** Forgets configurations that a truncation removed from the log. Links stay: their signatures prove them by themselves. */
  unplaceAfter(index: number): void {
    while (this.configurations.length > 1 && this.latest.index > index) this.configurations.pop();
    this.#rebuildRoster();
  }

  /** Forgets configurations that a committed later one has replaced. */
  pruneConfigurations(): void {
    let changed = false;
    for (
      let second = this.configurations[1];
      second !== undefined && second.index <= this.commitIndex;
      second = this.configurations[1]
    ) {
      this.configurations.shift();
      changed = true;
    }
    const committed = this.configurations[0];
    if (this.introduced !== null && committed !== undefined && committed.index > this.introduced.jointIndex) {
      this.introduced = null;
      changed = true;
    }
    if (changed) this.#rebuildRoster();
  }

  /** A snapshot replaced the log: its configuration is the only one known. */
  adoptConfiguration(meta: SnapshotMeta): void {
    const trusted = this.configurations[0];
    if (trusted === undefined || trusted.index < meta.configurationIndex) {
      this.configurations = [{ index: meta.configurationIndex, configuration: meta.configuration, link: null }];
    } else {
      // It joined trusting a later configuration than the snapshot's.
      this.configurations = [trusted];
    }
    for (let index = meta.index + 1; index <= this.log.lastIndex; index++) {
      const entry = this.log.entryAt(index);
      if (entry?.kind === "configuration") this.place(entry);
    }
    for (const link of meta.lineage) this.#addLink(link, true);
    this.pruneConfigurations();
    this.#rebuildRoster();
  }

  /** Takes up a link whose signatures have been checked. */
  introduce(link: LineageLink): void {
    this.#addLink(link, false);
    this.#rebuildRoster();
  }

  #addLink(link: LineageLink, inLog: boolean): void {
    const newest = this.lineage[this.lineage.length - 1];
    if (newest === undefined || link.jointIndex > newest.jointIndex) {
      this.lineage = [...this.lineage, link].slice(-LIMITS.lineageLinks);
      // A quorum signed it, so it counts before this node knows that it is committed: after a restart it knows of no commits.
      this.introduced = { jointIndex: link.jointIndex, configuration: leaveJoint(link.joint), inLog };
    }
  }

  #rebuildRoster(): void {
    this.roster = new Map();
    this.bindings = new Map();
    const introduced = this.introduced?.configuration;
    const committed = this.configurations[0]?.configuration;
    for (const { configuration } of this.configurations) {
      for (const { id, peerId } of configuration.members) this.roster.set(id, peerId);
    }
    for (const { id, peerId } of introduced?.members ?? []) this.roster.set(id, peerId);
    for (const configuration of [committed, introduced]) {
      if (configuration === undefined) continue;
      for (const { id, peerId } of configuration.retired) this.bindings.set(id, peerId);
      for (const { id, peerId } of configuration.members) this.bindings.set(id, peerId);
    }
    // While the entry that removes it is only in its own log, it may be needed to commit that very entry.
    const leftBy = this.introduced?.inLog === false ? introduced : committed;
    this.removed = leftBy?.retired.some((member) => member.id === this.id) ?? false;
    this.promotable = !this.removed && this.configurations.some(({ configuration }) => isVoter(configuration, this.id));
  }

  // ---- The gate

  /** Whether a member has this identity. Asked by the transport, once a connection. */
  isAdmitted(peerId: PeerId): boolean {
    for (const [id, known] of this.roster) if (known === peerId) return !this.evicted.has(id);
    return false;
  }

  /**
   * Whether `message` may be looked at: this cluster and incarnation, for this node, from the member whose identity
   * the connection proved. Nothing in it, its term least of all, is read before that. A stranger is nobody who is
   * known here, and may be told so.
   */
  admit(from: PeerId, message: Message): "admitted" | "refused" | "stranger" {
    if (message.clusterId !== this.clusterId || message.incarnation !== this.incarnation) return "refused";
    if (message.to !== this.id) return "refused";
    if (this.roster.get(message.from) === from) return this.evicted.has(message.from) ? "refused" : "admitted";
    if (this.bindings.has(message.from) && this.bindings.get(message.from) !== from) {
      this.report(`impersonation ${from}`, { kind: "impersonation", peer: from, claimed: message.from });
      return "refused";
    }
    // An introduction proves itself by the signatures of those who are known. One a heartbeat and peer is enough for an honest one, and keeps a
    // stranger cheap.
    const isIntroduction = message.type === "introduction";
    if (this.#strangerToWait(isIntroduction ? `introduction ${from}` : from)) return "refused";
    return isIntroduction ? "admitted" : "stranger";
  }

  #strangerToWait(key: string): boolean {
    const beforeMs = this.#strangerAtMs.get(key);
    if (beforeMs !== undefined && this.nowMs < beforeMs + this.options.heartbeatMs) return true;
    if (this.#strangerAtMs.size >= MAX_EVIDENCE) this.#strangerAtMs.clear();
    this.#strangerAtMs.set(key, this.nowMs);
    return false;
  }

  // ---- Terms and votes

  /** Moves to a later term as a follower. `proof` says why the term exists. */
  enterTerm(term: number, proof: Certificate): void {
    assert(term > this.term, "a term is entered that is not later: it, the present", term, this.term);
    this.term = term;
    this.votedFor = NOBODY;
    this.proof = proof;
    this.#hardStateChanged = true;
    this.votes = new Map();
    this.recognized = null;
    this.matchedIndex = 0;
    this.becomeFollower(NOBODY);
  }

  /** Steps back within the term. */
  becomeFollower(leader: NodeId): void {
    const wasLeader = this.role === "leader";
    this.role = "follower";
    this.leaderId = leader;
    this.transferOrder = "";
    if (wasLeader) {
      this.progress = new Map();
      this.endorsements = new Map();
      this.transferring = null;
      for (const read of this.pendingReads) this.readyReads.push({ origin: read.origin, index: null });
      this.pendingReads = [];
    }
    this.resetElectionDeadline();
  }

  /** Follows the leader whose election `certificate` proves. */
  recognize(certificate: Certificate): void {
    if (certificate.term > this.term) this.enterTerm(certificate.term, certificate);
    this.recognized = certificate;
    if (this.proof !== certificate) {
      this.proof = certificate;
      this.#hardStateChanged = true;
    }
    this.matchedIndex = 0;
    this.becomeFollower(certificate.candidate);
  }

  vote(candidate: NodeId): void {
    assert(
      this.votedFor === NOBODY || this.votedFor === candidate,
      "a second vote in a term: the term, the candidate",
      this.term,
      candidate,
    );
    this.votedFor = candidate;
    this.#hardStateChanged = true;
  }

  /** Replaces the reason for being in this term, as a candidate does once it leads. */
  prove(certificate: Certificate): void {
    this.proof = certificate;
    this.#hardStateChanged = true;
  }

  // ---- Deadlines

  /** Drawn anew each time, so that candidates who collided once do not collide for ever. */
  resetElectionDeadline(): void {
    const spread = (this.environment.randomUint32() / 0x1_0000_0000) * this.options.electionTimeoutMs;
    this.electionDeadlineMs = this.nowMs + this.options.electionTimeoutMs + spread;
  }

  /** A valid word from this term's leader. */
  heardLeader(): void {
    this.lastLeaderContactMs = this.nowMs;
    // A campaign that the leader asked for has until its own deadline.
    if (this.role === "follower") this.resetElectionDeadline();
  }

  /** When Raft next wants to be woken. */
  get deadlineMs(): number {
    if (this.role === "leader") return this.heartbeatDeadlineMs;
    return this.promotable ? this.electionDeadlineMs : Number.POSITIVE_INFINITY;
  }

  begin(stamp: Stamp): void {
    assert(stamp.nowMs >= this.nowMs, "monotonic time went back: from, to", this.nowMs, stamp.nowMs);
    this.nowMs = stamp.nowMs;
    this.wallMs = stamp.wallMs;
  }

  // ---- Speech and durability

  /** Says something that promises nothing. */
  send(message: Message): void {
    const peer = this.roster.get(message.to);
    if (peer !== undefined) this.emit({ kind: "send", to: peer, message });
  }

  /** Says something that is true only once all that was decided up to now is durable. */
  sendDurably(message: Message): void {
    this.#messages.push(message);
  }

  /** Does something once all that was decided up to now is durable. Forgotten if the process ends before. */
  onceDurable(action: () => void): void {
    this.#thenDo.push(action);
  }

  /** The log was cut back to `index`: writes under way no longer make anything after it durable. */
  truncateAfter(index: number): void {
    if (index < this.commitIndex) throw new Halt(`truncation to ${index} below the commit index ${this.commitIndex}`);
    this.log.truncateAfter(index);
    this.unplaceAfter(index);
    this.matchedIndex = Math.min(this.matchedIndex, index);
    this.#unwrittenIndex = Math.min(this.#unwrittenIndex, index + 1);
    for (const write of this.#pendingWrites) {
      write.stableIndex = Math.min(write.stableIndex, index);
      write.messages = write.messages.filter((message) => !acknowledgesBeyond(message, index));
    }
    this.#messages = this.#messages.filter((message) => !acknowledgesBeyond(message, index));
  }

  /** A snapshot to be stored. `keepAfter`: stored entries up to it go, the later ones stay; null: the whole stored log goes. */
  saveSnapshot(snapshot: Snapshot, keepAfter: number | null): void {
    this.snapshot = snapshot;
    this.#snapshotChanged = { snapshot, keepAfter };
    if (keepAfter === null) {
      this.#unwrittenIndex = this.log.lastIndex + 1;
      for (const write of this.#pendingWrites) write.stableIndex = Math.min(write.stableIndex, this.log.stableIndex);
    }
  }

  get diskIdle(): boolean {
    return this.#pendingWrites.length === 0;
  }

  /** Hands what has to be stored to the disk, and messages to the wire or to the write they wait for. */
  finish(): void {
    const last = this.log.lastIndex;
    if (this.#hardStateChanged || this.#snapshotChanged !== null || this.#unwrittenIndex <= last) {
      const id = this.#nextWriteId++;
      const hardState: HardState | null = this.#hardStateChanged
        ? { term: this.term, votedFor: this.votedFor, proof: this.proof }
        : null;
      const entries = this.#unwrittenIndex <= last ? this.log.slice(this.#unwrittenIndex, last) : null;
      this.emit({ kind: "write", write: { id, hardState, entries, snapshot: this.#snapshotChanged } });
      this.#pendingWrites.push({ id, stableIndex: last, messages: this.#messages, thenDo: this.#thenDo });
      this.#hardStateChanged = false;
      this.#snapshotChanged = null;
      this.#unwrittenIndex = last + 1;
      this.#messages = [];
      this.#thenDo = [];
    } else if (this.#messages.length > 0 || this.#thenDo.length > 0) {
      const pending = this.#pendingWrites[this.#pendingWrites.length - 1];
      if (pending === undefined) {
        for (const message of this.#messages) this.send(message);
        const actions = this.#thenDo;
        this.#messages = [];
        this.#thenDo = [];
        for (const action of actions) action();
        // An action decides nothing that needs the disk without going round once more.
        if (actions.length > 0) this.finish();
      } else {
        pending.messages.push(...this.#messages);
        pending.thenDo.push(...this.#thenDo);
        this.#messages = [];
        this.#thenDo = [];
      }
    }
  }

  /** Every write up to `writeId` is durable. `grown` is called after each of them, before what waited for it is said. */
  written(writeId: number, grown: () => void): void {
    for (
      let first = this.#pendingWrites[0];
      first !== undefined && first.id <= writeId;
      first = this.#pendingWrites[0]
    ) {
      this.#pendingWrites.shift();
      if (first.stableIndex > this.log.stableIndex) this.log.stableIndex = first.stableIndex;
      grown();
      for (const message of first.messages) this.send(message);
      for (const action of first.thenDo) action();
    }
  }

  // ---- Evidence

  /** Keeps evidence once per `key`. */
  report(key: string, evidence: Evidence): void {
    if (this.#evidenceKeys.has(key) || this.#evidenceKeys.size >= MAX_EVIDENCE) return;
    this.#evidenceKeys.add(key);
    this.emit({ kind: "evidence", evidence });
  }

  /** Listens to a proven liar no more. */
  evict(id: NodeId): void {
    if (id !== this.id) this.evicted.add(id);
  }
}

/** What was cut is no longer promised, although the write that it waited for will still complete. */
function acknowledgesBeyond(message: Message, index: number): boolean {
  return message.type === "appendResponse" && message.outcome === "matched" && message.matchIndex > index;
}

/** Checks that what the disk gave back is one unbroken history. A hole or a broken chain halts: it is never read as a shorter log. */
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
  log.stableIndex = log.lastIndex;
  return log;
}

/** The fields that every message begins with. */
export function header(raft: RaftState, to: NodeId, term: number): Header {
  return { clusterId: raft.clusterId, incarnation: raft.incarnation, from: raft.id, to, term };
}
