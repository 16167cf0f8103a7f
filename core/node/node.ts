/**
 * One node: an input in, effects out. Wires consensus to the replicated state and to clients; knows no protocol detail of either.
 *
 * After every input: consensus first, then what it committed is applied, then whoever waited for that is answered, then what must be stored goes to the
 * disk. A failed assertion anywhere halts the node, and nothing of that step leaves it.
 */

import {
  applyEntries,
  type ClusterState,
  type CommandEntry,
  decodeSnapshot,
  emptyState,
  encodeRequest,
  InvalidCommand,
  type MembershipEntry,
  query,
  STAMP_BYTES,
  stampRequest,
} from "../cluster/index.ts";
import type { ApplyResult } from "../domain/index.ts";
import {
  type Configuration,
  checkRaftOptions,
  decodeConfigurationRecord,
  type Entry,
  type Forward,
  type ForwardResponse,
  GENESIS_CHAIN,
  Halt,
  type Introduction,
  initialConfiguration,
  isJoint,
  type LineageLink,
  type LogView,
  type Message,
  NOBODY,
  type NodeId,
  type PeerId,
  Raft,
  type RaftOptions,
  type Role,
  unreachable,
} from "../raft/index.ts";
import type {
  ClientAnswer,
  ClientRequest,
  Effect,
  Input,
  RequestRefusal,
  Restored,
  Runtime,
  Stamp,
} from "../runtime.ts";
import { SnapshotTaker } from "./snapshot-taker.ts";
import { DESK_TICKET, WorkerDesk } from "./worker-desk.ts";

/** An entry that has just been applied; results belong to commands alone. */
export interface AppliedEntry {
  readonly entry: Entry;
  readonly result: ApplyResult | null;
}

export interface MemberStatus {
  readonly id: NodeId;
  readonly peerId: PeerId;
  readonly role: "voter" | "learner";
  readonly matchIndex: number | null;
  readonly lastHeardMs: number | null;
}

/** Where a proposal in the batch came from. */
interface Proposal {
  readonly data: Uint8Array;
  /** This node's id for its own clients. */
  readonly from: NodeId;
  readonly ticket: number;
}

interface PendingRequest {
  readonly requestId: number;
  readonly deadlineMs: number;
  readonly request: ClientRequest;
  /** A read: serve it once this is applied. */
  readIndex: number | null;
  /** A membership change: its own joint entry is committed, so the next final configuration is what it asked for. */
  jointCommitted: boolean;
  /** A proposal or a read that went to another node. */
  forwarded: Forwarded | null;
}

/** Who was asked, in which of its terms, and what was proposed: nobody else's answer counts, and no other entry is taken for it. */
interface Forwarded {
  readonly to: NodeId;
  readonly term: number;
  readonly data: Uint8Array;
  /** It has answered that the proposal is in its log. */
  isAppended: boolean;
}

/** Tickets of one process. With 2^32 places to start, two lives of a node do not meet in practice, and all stay safe integers. */
const TICKETS_PER_LIFE = 2 ** 20;
/** Enough for every duplicate that is still under way. */
const SEEN_FORWARDS = 4096;

const NO_BYTES = new Uint8Array(0);
const NOTHING_APPLIED: readonly AppliedEntry[] = [];
const NO_EFFECTS: readonly Effect[] = [];

export class Node {
  readonly id: NodeId;
  state: ClusterState;
  appliedIndex: number;
  halted = false;
  /** What the last step applied, in order. */
  lastApplied: readonly AppliedEntry[] = NOTHING_APPLIED;

  readonly #raft: Raft;
  /** Of this step, in the order in which they are carried out. */
  #effects: Effect[] = [];
  readonly #options: RaftOptions;
  /**
   * By ticket: a number that no other process of this node ever uses, so that a late answer to a former life is never taken for one to this. In order
   * of their deadlines, since all wait equally long.
   */
  readonly #requests = new Map<number, PendingRequest>();
  #nextTicket: number;
  /** Tickets of forwarded proposals seen lately, oldest first: a network that duplicates does not double them. */
  readonly #seenForwards = new Set<number>();
  /** Who waits for which log index, and the term that the entry there must have to be theirs. */
  readonly #awaited = new Map<number, { readonly ticket: number; readonly term: number }>();
  /** Reads whose index is known and not applied yet. */
  readonly #awaitingReads = new Set<number>();
  #transfer: { readonly ticket: number; readonly to: NodeId; sent: boolean } | null = null;
  #batch: Proposal[] = [];
  #batchBytes = 0;
  #batchSinceMs = 0;
  readonly #snapshots: SnapshotTaker;
  readonly #desk: WorkerDesk;
  /** The leader when requests were last looked through for those that wait for another. */
  #askedLeader: NodeId = NOBODY;
  #announcedWakeMs = Number.POSITIVE_INFINITY;
  /** Decoded while its snapshot was checked. */
  #offeredState: ClusterState | null = null;

  /** What every first voter starts from. `members` all have a vote. */
  static genesis(
    clusterId: string,
    incarnation: number,
    members: readonly { readonly id: NodeId; readonly peerId: PeerId }[],
  ): Restored {
    return Node.joining(clusterId, incarnation, initialConfiguration(members), 0, []);
  }

  /**
   * What a joining node starts from: it trusts the final configuration that the join protocol gave it, at the index of its entry, with the links that
   * led there. It has no log.
   */
  static joining(
    clusterId: string,
    incarnation: number,
    configuration: Configuration,
    configurationIndex: number,
    lineage: readonly LineageLink[],
  ): Restored {
    const meta = {
      index: 0,
      term: 0,
      chain: GENESIS_CHAIN,
      configuration,
      configurationIndex,
      lineage,
      digest: "",
      chunkCount: 0,
      sizeBytes: 0,
    };
    return { hardState: null, snapshot: { clusterId, incarnation, meta, chunks: [] }, entries: [] };
  }

  /** @throws when what was restored is damaged or belongs to another identity, or an option makes no sense: such a node must not run. */
  constructor(id: NodeId, options: RaftOptions, runtime: Runtime, restored: Restored, stamp: Stamp) {
    checkRaftOptions(options);
    this.id = id;
    this.#options = options;
    const { meta, chunks } = restored.snapshot;
    this.state = meta.index === 0 ? emptyState() : decodeSnapshot(chunks);
    this.appliedIndex = meta.index;
    this.#nextTicket = runtime.randomUint32() * TICKETS_PER_LIFE;
    const emit = (effect: Effect): void => {
      this.#effects.push(effect);
    };
    this.#raft = new Raft(id, options, runtime, restored, stamp, emit, (offered) => {
      try {
        this.#offeredState = decodeSnapshot(offered);
        return true;
      } catch {
        return false;
      }
    });
    this.#snapshots = new SnapshotTaker(this.#raft, options);
    this.#desk = new WorkerDesk(this.#raft, options, (requestId, answer) =>
      emit({ kind: "answer", requestId, answer }),
    );
  }

  // ---- Views

  get term(): number {
    return this.#raft.term;
  }
  get votedFor(): NodeId {
    return this.#raft.votedFor;
  }
  get role(): Role {
    return this.#raft.role;
  }
  /** NOBODY when unknown. */
  get leaderId(): NodeId {
    return this.#raft.leaderId;
  }
  get commitIndex(): number {
    return this.#raft.commitIndex;
  }
  get removed(): boolean {
    return this.#raft.removed;
  }
  get configuration(): Configuration {
    return this.#raft.configuration;
  }
  get configurationIndex(): number {
    return this.#raft.configurationIndex;
  }
  /** What proves the present configuration to those who know an earlier one. */
  get lineage(): readonly LineageLink[] {
    return this.#raft.lineage;
  }
  /** Whether the transport shall admit this peer: a member of a configuration that this node acts by, or has been shown with proof. */
  isMember(peerId: PeerId): boolean {
    return this.#raft.isAdmitted(peerId);
  }
  /** Every member; how far its log matches, and when it was last heard (on this node's monotonic clock), are known to the leader alone. */
  memberStatus(): readonly MemberStatus[] {
    const { configuration } = this.#raft;
    return configuration.members.map(({ id, peerId }) => {
      const known = this.#raft.progressOf(id);
      return {
        id,
        peerId,
        role: configuration.learners.includes(id) ? "learner" : "voter",
        matchIndex: known?.match ?? null,
        lastHeardMs: known === undefined || !Number.isFinite(known.lastHeardMs) ? null : known.lastHeardMs,
      };
    });
  }
  /** What proves to a member that has been away who belongs to the cluster now, itself or no more. */
  introduction(to: NodeId): Introduction {
    return { type: "introduction", ...this.#raft.header(to), links: this.#raft.lineage };
  }
  get snapshotIndex(): number {
    return this.#raft.snapshot.meta.index;
  }
  get log(): LogView {
    return this.#raft.log;
  }

  // ---- Life

  /** The effects of coming to life. Once, before any step. */
  start(): readonly Effect[] {
    this.#announceWake();
    return this.#takeEffects();
  }

  /** Never throws: a failed assertion becomes the effect `halt`. The returned array must not be changed. */
  step(input: Input): readonly Effect[] {
    if (this.halted) {
      if (input.kind !== "request") return NO_EFFECTS;
      return [{ kind: "answer", requestId: input.requestId, answer: refused({ kind: "halted" }) }];
    }
    try {
      this.lastApplied = NOTHING_APPLIED;
      this.#raft.begin(input);
      this.#handle(input);
      this.#settle();
      return this.#takeEffects();
    } catch (error) {
      this.halted = true;
      this.lastApplied = NOTHING_APPLIED;
      const evidence = error instanceof Halt ? error.evidence : null;
      const reason = error instanceof Error ? error.message : String(error);
      const answer = refused({ kind: "outcomeUnknown" });
      const answers = [...this.#requests.values()].map(
        ({ requestId }): Effect => ({ kind: "answer", requestId, answer }),
      );
      this.#requests.clear();
      return [...answers, { kind: "halt", reason, evidence }];
    }
  }

  #handle(input: Input): void {
    switch (input.kind) {
      case "wake":
        // However early it comes, the world's timer is spent.
        this.#announcedWakeMs = Number.POSITIVE_INFINITY;
        return;
      case "message":
        if (this.#raft.admit(input.from, input.message)) this.#handleMessage(input.message);
        return;
      case "written":
        this.#raft.written(input.writeId);
        return;
      case "writeFailed":
        throw new Halt(`write ${input.writeId} failed: ${input.reason}; what is on the disk is unknown`);
      case "request":
        this.#handleRequest(input.requestId, input.request);
        return;
      default:
        unreachable(input);
    }
  }

  #handleMessage(message: Message): void {
    const raft = this.#raft;
    switch (message.type) {
      case "readIndex":
        if (raft.role === "leader") raft.requestRead({ from: message.from, requestId: message.requestId });
        else this.#answerRead(message.from, message.requestId, null);
        return;
      case "readIndexResponse":
        if (this.#requests.get(message.requestId)?.forwarded?.to === message.from) {
          this.#readConfirmed(message.requestId, message.index);
        }
        return;
      case "forward":
        this.#handleForward(message);
        return;
      case "forwardResponse":
        this.#handleForwardResponse(message);
        return;
      case "report":
        this.#desk.passedOn(message, this.state);
        return;
      case "directive":
        this.#desk.directed(message);
        return;
      default:
        raft.handle(message);
    }
  }

  /** After the input: time, batch, apply, answers, disk, next deadline. */
  #settle(): void {
    const raft = this.#raft;
    raft.expire();
    if (this.#batch.length > 0) this.#flushIfDue();
    this.#takeInstalled();
    if (this.appliedIndex < raft.commitIndex) this.#apply();
    this.#snapshots.step(this.state, this.appliedIndex);
    this.#serveReadyReads();
    if (this.#requests.size > 0) this.#expireRequests();
    this.#desk.step(this.state, this.appliedIndex, this.#raft.takesProposals, (data, ticket) =>
      this.#enqueue({ data, from: this.id, ticket }),
    );
    // The only voter has confirmed by itself what the desk has just asked.
    this.#serveReadyReads();
    if (this.#batch.length > 0) this.#flushIfDue();
    raft.finish();
    this.#announceWake();
  }

  #serveReadyReads(): void {
    for (const { origin, index } of this.#raft.takeReadyReads()) {
      if (origin.requestId === DESK_TICKET && origin.from === this.id) this.#desk.roundEnded(index, this.appliedIndex);
      else if (origin.from === this.id) this.#readConfirmed(origin.requestId, index);
      else this.#answerRead(origin.from, origin.requestId, index);
    }
  }

  #takeEffects(): readonly Effect[] {
    const effects = this.#effects;
    if (effects.length === 0) return NO_EFFECTS;
    this.#effects = [];
    return effects;
  }

  /** Asks to be woken only when the wake that is under way would come too late: a deadline that moves on costs nothing. */
  #announceWake(): void {
    let atMs = Math.min(this.#raft.deadlineMs, this.#desk.deadlineMs);
    if (this.#batch.length > 0) atMs = Math.min(atMs, this.#batchSinceMs + this.#options.batchMs);
    if (this.#snapshots.isEncoding) atMs = this.#raft.nowMs;
    if (this.#requests.size > 0) {
      for (const { deadlineMs } of this.#requests.values()) {
        atMs = Math.min(atMs, deadlineMs);
        break;
      }
    }
    if (atMs >= this.#announcedWakeMs) return;
    this.#announcedWakeMs = atMs;
    this.#effects.push({ kind: "wakeAt", atMs });
  }

  // ---- Clients

  #handleRequest(requestId: number, request: ClientRequest): void {
    if (this.#requests.size >= this.#options.maxPendingRequests) {
      this.#reject(requestId, { kind: "tooManyPending", limit: this.#options.maxPendingRequests });
      return;
    }
    switch (request.kind) {
      case "propose":
        this.#propose(requestId, request);
        return;
      case "read":
        this.#read(requestId, request);
        return;
      case "changeMembership":
        this.#changeMembership(requestId, request);
        return;
      case "transferLeadership":
        this.#transferLeadership(requestId, request);
        return;
      case "report":
        this.#desk.request(requestId, request.peerId, request.data, this.state);
        return;
      default:
        unreachable(request);
    }
  }

  #await(requestId: number, request: ClientRequest): number {
    const ticket = this.#nextTicket++;
    const deadlineMs = this.#raft.nowMs + this.#options.requestTimeoutMs;
    this.#requests.set(ticket, {
      requestId,
      deadlineMs,
      request,
      readIndex: null,
      jointCommitted: false,
      forwarded: null,
    });
    return ticket;
  }

  /** Ends a request that waits. One that was answered already stays answered: each gets one answer. */
  #answer(ticket: number, answer: ClientAnswer): void {
    const pending = this.#requests.get(ticket);
    if (pending === undefined) return;
    this.#requests.delete(ticket);
    this.#awaitingReads.delete(ticket);
    this.#effects.push({ kind: "answer", requestId: pending.requestId, answer });
  }

  #refuse(ticket: number, refusal: RequestRefusal): void {
    this.#answer(ticket, refused(refusal));
  }

  /** Turns a request away before it waits for anything. */
  #reject(requestId: number, refusal: RequestRefusal): void {
    this.#effects.push({ kind: "answer", requestId, answer: refused(refusal) });
  }

  #propose(requestId: number, request: Extract<ClientRequest, { kind: "propose" }>): void {
    const raft = this.#raft;
    let data: Uint8Array;
    try {
      data = encodeRequest(request.request);
    } catch (error) {
      if (!(error instanceof InvalidCommand)) throw error;
      this.#reject(requestId, { kind: "invalidRequest", field: error.field, reason: error.message });
      return;
    }
    const limitBytes = this.#options.maxRequestBytes;
    if (data.length > limitBytes) {
      this.#reject(requestId, { kind: "requestTooLarge", sizeBytes: data.length, limitBytes });
      return;
    }
    if (this.#raft.takesProposals) {
      if (this.#isFull(data)) {
        this.#reject(requestId, { kind: "tooManyUncommitted", limitBytes: this.#options.maxUncommittedBytes });
        return;
      }
      this.#enqueue({ data, from: this.id, ticket: this.#await(requestId, request) });
      return;
    }
    if (raft.leaderId === NOBODY || raft.leaderId === this.id) {
      this.#reject(requestId, { kind: "noLeader" });
      return;
    }
    const ticket = this.#await(requestId, request);
    this.#forwardTo(raft.leaderId, ticket, data);
    raft.send({ type: "forward", ...raft.header(raft.leaderId), requestId: ticket, data });
  }

  #forwardTo(to: NodeId, ticket: number, data: Uint8Array): void {
    const pending = this.#requests.get(ticket);
    if (pending !== undefined) pending.forwarded = { to, term: this.#raft.term, data, isAppended: false };
  }

  #isFull(data: Uint8Array): boolean {
    return this.#raft.uncommittedBytes + this.#batchBytes + data.length > this.#options.maxUncommittedBytes;
  }

  #enqueue(proposal: Proposal): void {
    if (this.#batch.length === 0) this.#batchSinceMs = this.#raft.nowMs;
    this.#batch.push(proposal);
    this.#batchBytes += proposal.data.length;
  }

  #flushIfDue(): void {
    const raft = this.#raft;
    const due =
      !this.#raft.takesProposals ||
      raft.diskIdle ||
      this.#batch.length >= this.#options.batchEntries ||
      this.#batchBytes >= this.#options.batchBytes ||
      raft.nowMs >= this.#batchSinceMs + this.#options.batchMs;
    if (!due) return;
    const batch = this.#batch;
    this.#batch = [];
    this.#batchBytes = 0;
    if (!this.#raft.takesProposals) {
      for (const { from, ticket } of batch) {
        if (ticket < DESK_TICKET) this.#desk.settled(ticket);
        else if (from === this.id) this.#refuse(ticket, { kind: "noLeader" });
        else this.#respondForward(from, ticket, { kind: "noLeader" });
      }
      return;
    }
    const stamp = { wallMs: raft.wallMs, proposer: this.id };
    const entries = raft.append(batch.map(({ data }) => stampRequest(data, stamp)));
    for (const [at, { from, ticket }] of batch.entries()) {
      const entry = entries[at];
      if (entry === undefined) continue;
      if (from === this.id) this.#awaited.set(entry.index, { ticket, term: entry.term });
      else this.#respondForward(from, ticket, { kind: "appended", index: entry.index, term: entry.term });
    }
  }

  #respondForward(to: NodeId, requestId: number, outcome: ForwardResponse["outcome"]): void {
    const raft = this.#raft;
    raft.send({ type: "forwardResponse", ...raft.header(to), requestId, outcome });
  }

  #handleForward({ from, requestId: ticket, data, term }: Forward): void {
    if (this.#seenForwards.has(ticket)) return;
    if (term !== this.#raft.term) {
      // Meant for another time as leader; that one may have taken it.
      this.#respondForward(from, ticket, { kind: "noLeader" });
      return;
    }
    this.#seenForwards.add(ticket);
    if (this.#seenForwards.size > SEEN_FORWARDS) {
      for (const oldest of this.#seenForwards) {
        this.#seenForwards.delete(oldest);
        break;
      }
    }
    if (!this.#raft.takesProposals || data.length > this.#options.maxRequestBytes) {
      this.#respondForward(from, ticket, { kind: "noLeader" });
    } else if (this.#isFull(data)) {
      this.#respondForward(from, ticket, { kind: "tooManyUncommitted", limitBytes: this.#options.maxUncommittedBytes });
    } else {
      this.#enqueue({ data, from, ticket });
    }
  }

  #handleForwardResponse({ from, requestId: ticket, outcome, term }: ForwardResponse): void {
    const pending = this.#requests.get(ticket);
    if (pending?.request.kind !== "propose" || pending.forwarded?.to !== from) return;
    if (outcome.kind === "appended" && outcome.index > this.appliedIndex) {
      this.#awaited.set(outcome.index, { ticket, term: outcome.term });
      pending.forwarded.isAppended = true;
    } else if (outcome.kind === "tooManyUncommitted" && term === pending.forwarded.term) {
      // It has led without a break since this was sent, so it remembers whether it had taken it before.
      this.#refuse(ticket, outcome);
    } else {
      // Applied before this answer came; or refused by a node that may have taken another copy before it lost leadership.
      this.#refuse(ticket, { kind: "outcomeUnknown" });
    }
  }

  #read(requestId: number, request: Extract<ClientRequest, { kind: "read" }>): void {
    const raft = this.#raft;
    if (request.consistency === "stale") {
      this.#serveRead(this.#await(requestId, request), request);
      return;
    }
    if (request.consistency === "lease") {
      if (!this.#options.leaseReads) {
        this.#reject(requestId, { kind: "leaseReadsOff" });
        return;
      }
      if (raft.holdsLease()) {
        this.#serveRead(this.#await(requestId, request), request);
        return;
      }
    }
    if (raft.leaderId === NOBODY) {
      this.#reject(requestId, { kind: "noLeader" });
      return;
    }
    const ticket = this.#await(requestId, request);
    if (raft.role === "leader") raft.requestRead({ from: this.id, requestId: ticket });
    else {
      this.#forwardTo(raft.leaderId, ticket, NO_BYTES);
      raft.send({ type: "readIndex", ...raft.header(raft.leaderId), requestId: ticket });
    }
  }

  #answerRead(to: NodeId, ticket: number, index: number | null): void {
    const raft = this.#raft;
    raft.send({ type: "readIndexResponse", ...raft.header(to), requestId: ticket, index });
  }

  #readConfirmed(ticket: number, index: number | null): void {
    const pending = this.#requests.get(ticket);
    if (pending?.request.kind !== "read" || pending.readIndex !== null) return;
    if (index === null) {
      this.#refuse(ticket, { kind: "noLeader" });
    } else if (index <= this.appliedIndex) {
      this.#serveRead(ticket, pending.request);
    } else {
      pending.readIndex = index;
      this.#awaitingReads.add(ticket);
    }
  }

  #serveRead(ticket: number, request: Extract<ClientRequest, { kind: "read" }>): void {
    this.#answer(ticket, { kind: "read", index: this.appliedIndex, result: query(this.state, request.query) });
  }

  #changeMembership(requestId: number, request: Extract<ClientRequest, { kind: "changeMembership" }>): void {
    const raft = this.#raft;
    if (raft.role !== "leader") {
      this.#reject(requestId, { kind: "notLeader", leader: raft.leaderId });
      return;
    }
    const started = raft.changeMembership(request.changes);
    if ("refused" in started) {
      this.#reject(requestId, {
        kind: "membershipRefused",
        reason: started.refused,
        isTemporary: started.isTemporary === true,
      });
      return;
    }
    this.#awaited.set(started.jointIndex, { ticket: this.#await(requestId, request), term: raft.term });
  }

  #transferLeadership(requestId: number, request: Extract<ClientRequest, { kind: "transferLeadership" }>): void {
    const raft = this.#raft;
    if (raft.role !== "leader") {
      this.#reject(requestId, { kind: "notLeader", leader: raft.leaderId });
      return;
    }
    const reason = raft.startTransfer(request.to);
    if (reason !== null) this.#reject(requestId, { kind: "transferRefused", reason });
    else this.#transfer = { ticket: this.#await(requestId, request), to: request.to, sent: false };
  }

  #expireRequests(): void {
    this.#followTransfer();
    this.#giveUpOnFormerLeader();
    for (const [ticket, { deadlineMs, request }] of this.#requests) {
      if (this.#raft.nowMs < deadlineMs) break;
      this.#refuse(ticket, { kind: request.kind === "read" ? "readTimedOut" : "outcomeUnknown" });
    }
  }

  /**
   * Whoever was asked leads no more, as far as this node knows: waiting for its answer until the request times out would only keep the client from asking again. What it
   * is known to have appended may still commit, and is waited for.
   */
  #giveUpOnFormerLeader(): void {
    const { leaderId } = this.#raft;
    if (leaderId === this.#askedLeader) return;
    this.#askedLeader = leaderId;
    for (const [ticket, { request, forwarded, readIndex }] of this.#requests) {
      if (forwarded === null || forwarded.to === leaderId || forwarded.isAppended || readIndex !== null) continue;
      this.#refuse(ticket, { kind: request.kind === "read" ? "noLeader" : "outcomeUnknown" });
    }
  }

  /** Answers the transfer under way once it has succeeded, or has been given up. */
  #followTransfer(): void {
    const transfer = this.#transfer;
    if (transfer === null) return;
    const { leaderId, role, transferring } = this.#raft;
    const { ticket, to } = transfer;
    if (transferring?.sent === true) transfer.sent = true;
    if (leaderId === to) {
      this.#answer(ticket, { kind: "leadershipTransferred", to });
    } else if (role === "leader" && transferring !== null) {
      return;
    } else if (role === "leader" && !transfer.sent) {
      this.#refuse(ticket, { kind: "transferRefused", reason: `node ${to} did not catch up in time` });
    } else if (role === "leader") {
      this.#refuse(ticket, { kind: "outcomeUnknown" });
    } else if (this.#requests.has(ticket)) {
      return;
    }
    this.#transfer = null;
  }

  // ---- Applying

  #apply(): void {
    const raft = this.#raft;
    const entries = raft.log.slice(this.appliedIndex + 1, raft.commitIndex);
    const replicated = entries.filter(isReplicated);
    let results: readonly (ApplyResult | null)[] = [];
    if (replicated.length > 0) {
      const outcome = applyEntries(this.state, replicated.map(replicatedEntry));
      this.state = outcome.state;
      results = outcome.results;
      this.#desk.applied(outcome.state, outcome.touched);
    }
    this.appliedIndex = raft.commitIndex;
    this.#snapshots.applied(entries);
    const applied: AppliedEntry[] = [];
    let at = 0;
    for (const entry of entries) {
      const result = isReplicated(entry) ? (results[at++] ?? null) : null;
      applied.push({ entry, result });
      const awaited = this.#awaited.get(entry.index);
      if (awaited !== undefined) {
        this.#awaited.delete(entry.index);
        if (awaited.ticket < DESK_TICKET) this.#desk.settled(awaited.ticket);
        else if (awaited.term !== entry.term || !this.#isOwn(awaited.ticket, entry)) this.#superseded(awaited.ticket);
        else if (result !== null) {
          this.#answer(awaited.ticket, { kind: "applied", index: entry.index, term: entry.term, result });
        } else {
          const change = this.#requests.get(awaited.ticket);
          if (change !== undefined) change.jointCommitted = true;
        }
      }
      if (entry.kind === "configuration") this.#membershipApplied(entry);
    }
    this.lastApplied = applied;
    this.#serveAwaitingReads();
  }

  /** Whether an entry holds what was forwarded, and not what a lying member pointed at. */
  #isOwn(ticket: number, entry: Entry): boolean {
    const data = this.#requests.get(ticket)?.forwarded?.data;
    if (data === undefined) return true;
    const held = entry.data.subarray(STAMP_BYTES);
    return held.length === data.length && held.every((byte, at) => byte === data[at]);
  }

  /** Another entry took the place. An own proposal never happened then; of a forwarded one the network may have made two. */
  #superseded(ticket: number): void {
    const wasForwarded = this.#requests.get(ticket)?.forwarded !== null;
    this.#refuse(ticket, { kind: wasForwarded ? "outcomeUnknown" : "noLeader" });
  }

  #serveAwaitingReads(): void {
    for (const ticket of this.#awaitingReads) {
      const pending = this.#requests.get(ticket);
      if (pending?.request.kind !== "read") this.#awaitingReads.delete(ticket);
      else if (pending.readIndex !== null && pending.readIndex <= this.appliedIndex)
        this.#serveRead(ticket, pending.request);
    }
  }

  #membershipApplied(entry: Entry): void {
    if (isJoint(decodeConfigurationRecord(entry.data).configuration)) return;
    for (const [ticket, { jointCommitted }] of this.#requests) {
      if (jointCommitted) this.#answer(ticket, { kind: "membershipChanged", index: entry.index, term: entry.term });
    }
  }

  #takeInstalled(): void {
    const installed = this.#raft.takeInstalled();
    if (installed === null) return;
    if (this.#offeredState === null) throw new Halt("assertion failed: an installed snapshot was not decoded");
    this.state = this.#offeredState;
    this.#offeredState = null;
    this.appliedIndex = installed.meta.index;
    this.#snapshots.reset();
    for (const [index, { ticket }] of this.#awaited) {
      if (index > installed.meta.index) continue;
      this.#awaited.delete(index);
      this.#refuse(ticket, { kind: "outcomeUnknown" });
    }
    for (const [ticket, { jointCommitted }] of this.#requests) {
      if (jointCommitted) this.#refuse(ticket, { kind: "outcomeUnknown" });
    }
    this.#serveAwaitingReads();
  }
}

/** Whether the replicated state is told of an entry. A joint configuration is a passage: the final one that follows it at once tells. */
export function isReplicated(entry: Entry): boolean {
  if (entry.kind === "configuration") return !isJoint(decodeConfigurationRecord(entry.data).configuration);
  return entry.kind === "command";
}

/** What it is told. */
export function replicatedEntry(entry: Entry): CommandEntry | MembershipEntry {
  if (entry.kind === "command") return entry;
  const { voters, learners, members } = decodeConfigurationRecord(entry.data).configuration;
  return { index: entry.index, term: entry.term, membership: { voters, learners, members } };
}

function refused(refusal: RequestRefusal): ClientAnswer {
  return { kind: "refused", refusal };
}
