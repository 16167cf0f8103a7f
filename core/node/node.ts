/**
 * One node: an input in, effects out. Wires consensus to the replicated state, to clients and to workers; knows no
 * protocol detail of any.
 *
 * After every input: consensus first, then what it committed is applied, then whoever waited for that is answered, then
 * what must be stored goes to the disk. A failed assertion anywhere halts the node, and nothing of that step leaves it.
 *
 *   proposal-batch.ts    proposals on their way into the log      applier.ts          committed entries
 *   client-requests.ts   what this node's clients ask             worker-reports.ts   what workers report
 *   forwarded-proposals.ts  what other members forward            snapshot-taker.ts   this node's own snapshots
 */
import { type ClusterState, LEVEL, stampRequest } from "../cluster/index.ts";
import { type CountLimits, DEFAULT_COUNT_LIMITS } from "../domain/index.ts";
import { mark } from "../marks.ts";
import {
  type Configuration,
  checkRaftOptions,
  GENESIS_CHAIN,
  Halt,
  type Introduction,
  initialConfiguration,
  type LineageLink,
  type LogView,
  type Message,
  type NodeId,
  type PeerId,
  Raft,
  type RaftOptions,
  type Role,
  unreachable,
} from "../raft/index.ts";
import type { ClientAnswer, Effect, Input, Restored, Runtime, Stamp } from "../runtime.ts";
import { type AppliedEntry, Applier, type ApplyListener } from "./applier.ts";
import { ClientRequests } from "./client-requests.ts";
import { ForwardedProposals } from "./forwarded-proposals.ts";
import { type StartRefusal, whyNotStart } from "./newcomer.ts";
import { type Proposal, ProposalBatch, type ProposalOrigin } from "./proposal-batch.ts";
import { SnapshotTaker } from "./snapshot-taker.ts";
import { WorkerReports } from "./worker-reports.ts";

export interface MemberStatus {
  readonly id: NodeId;
  readonly peerId: PeerId;
  readonly role: "voter" | "learner";
  readonly matchIndex: number | null;
  readonly lastHeardMs: number | null;
  /** When the latest round of heartbeats that it has answered left. */
  readonly answeredMs: number | null;
}

/** All that a node knows, as plain data. */
export type NodeState = ReturnType<Node["capture"]>;

const NOTHING_APPLIED: readonly AppliedEntry[] = [];
const NO_EFFECTS: readonly Effect[] = [];

export class Node {
  readonly id: NodeId;
  halted = false;
  /** What the last step applied, in order. */
  lastApplied: readonly AppliedEntry[] = NOTHING_APPLIED;

  readonly #runtime: Runtime;
  readonly #raft: Raft;
  readonly #applier: Applier;
  readonly #batch: ProposalBatch;
  readonly #clients: ClientRequests;
  readonly #forwards: ForwardedProposals;
  readonly #reports: WorkerReports;
  readonly #snapshots: SnapshotTaker;
  readonly #applyListener: ApplyListener;
  /** Of this step, in the order in which they are carried out. */
  #effects: Effect[] = [];
  #announcedWakeMs = Number.POSITIVE_INFINITY;

  /** What every first voter starts from. `members` all have a vote. */
  static genesis(
    clusterId: string,
    incarnation: number,
    members: readonly { readonly id: NodeId; readonly peerId: PeerId }[],
  ): Restored {
    return Node.joining(clusterId, incarnation, initialConfiguration(members), 0, []);
  }

  /**
   * What a joining node starts from: it trusts the final configuration that the join protocol gave it, at the index of
   * its entry, with the links that led there. It has no log.
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

  /**
   * `limits`: the same for every member of a cluster, for ever. `level`: the feature level of the build.
   *
   * @throws when what was restored is damaged or belongs to another identity, or an option makes no sense: such a node
   * must not run.
   */
  constructor(
    id: NodeId,
    options: RaftOptions,
    runtime: Runtime,
    restored: Restored,
    stamp: Stamp,
    limits: CountLimits = DEFAULT_COUNT_LIMITS,
    level: number = LEVEL,
  ) {
    checkRaftOptions(options);
    this.id = id;
    this.#runtime = runtime;
    const emit = (effect: Effect): void => {
      this.#effects.push(effect);
    };
    const answer = (requestId: number, given: ClientAnswer): void => emit({ kind: "answer", requestId, answer: given });
    const applier = new Applier(restored.snapshot, limits, level);
    const raft = new Raft(id, options, runtime, restored, stamp, emit, (chunks) => applier.offer(chunks));
    this.#raft = raft;
    this.#applier = applier;
    this.#batch = new ProposalBatch(raft, options);
    this.#reports = new WorkerReports(raft, options, answer);
    this.#clients = new ClientRequests(raft, options, this.#batch, applier, this.#reports, answer);
    this.#forwards = new ForwardedProposals(raft, options, this.#batch);
    this.#snapshots = new SnapshotTaker(raft, options);
    this.#applyListener = this.#listener();
  }

  // ---- Views

  get state(): ClusterState {
    return this.#applier.state;
  }
  get appliedIndex(): number {
    return this.#applier.appliedIndex;
  }
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
  /**
   * By id the identities of the members of every configuration that this node acts by, or has been shown with proof,
   * itself too. The same value until it changes.
   */
  get peers(): ReadonlyMap<NodeId, PeerId> {
    return this.#raft.peers;
  }
  /**
   * Whether the transport shall admit this peer: a member of a configuration that this node acts by, or has been shown
   * with proof.
   */
  isMember(peerId: PeerId): boolean {
    return this.#raft.isAdmitted(peerId);
  }
  /**
   * Every member. How far its log matches, and when it was last heard (on this node's monotonic clock), the leader
   * alone knows, and of the others alone.
   */
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
        answeredMs: known === undefined || !Number.isFinite(known.roundSentMs) ? null : known.roundSentMs,
      };
    });
  }
  /** What proves to a member that has been away who belongs to the cluster now, itself or no more. */
  introduction(to: NodeId): Introduction {
    return { type: "introduction", ...this.#raft.header(to), links: this.#raft.lineage };
  }
  /** For the leader: what the member `id`, which was taken in and has never run, starts from. */
  startOf(id: NodeId): { readonly restored: Restored } | { readonly refused: StartRefusal } {
    const refused = whyNotStart(this.#raft, id);
    if (refused !== null) return { refused };
    const { configuration, configurationIndex, lineage, snapshot } = this.#raft;
    const { clusterId, incarnation } = snapshot;
    return { restored: Node.joining(clusterId, incarnation, configuration, configurationIndex, lineage) };
  }
  get snapshotIndex(): number {
    return this.#raft.snapshot.meta.index;
  }
  get log(): LogView {
    return this.#raft.log;
  }

  // ---- Steps

  /** The effects of starting. Once, before any step. */
  start(): readonly Effect[] {
    this.#clients.pending.start(this.#runtime.randomUint32());
    this.#raft.start();
    this.#announceWake();
    return this.#takeEffects();
  }

  /** Never throws: a failed assertion becomes the effect `halt`. The returned array must not be changed. */
  step(input: Input): readonly Effect[] {
    if (this.halted) {
      if (input.kind !== "request") return NO_EFFECTS;
      mark("request-refused/halted");
      const answer = { kind: "refused", refusal: { kind: "halted" } } as const;
      return [{ kind: "answer", requestId: input.requestId, answer }];
    }
    try {
      this.lastApplied = NOTHING_APPLIED;
      this.#raft.begin(input);
      this.#handle(input);
      this.#settle();
      return this.#takeEffects();
    } catch (error) {
      return this.#halt(error);
    }
  }

  /** Nothing of the present step leaves this node but the answers to whoever waits. */
  #halt(error: unknown): readonly Effect[] {
    this.halted = true;
    this.lastApplied = NOTHING_APPLIED;
    this.#effects = [];
    this.#clients.pending.refuseAll({ kind: "outcomeUnknown" });
    this.#reports.refuseOwn();
    const evidence = error instanceof Halt ? error.evidence : null;
    const reason = error instanceof Error ? error.message : String(error);
    return [...this.#takeEffects(), { kind: "halt", reason, evidence }];
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
        this.#clients.request(input.requestId, input.request);
        return;
      default:
        unreachable(input);
    }
  }

  #handleMessage(message: Message): void {
    switch (message.type) {
      case "readIndex":
        this.#clients.reads.requestedBy(message.from, message.requestId);
        return;
      case "readIndexResponse":
        this.#clients.reads.responded(message);
        return;
      case "forward":
        this.#forwards.receive(message);
        return;
      case "forwardResponse":
        this.#clients.proposals.responded(message);
        return;
      case "report":
        this.#reports.passedOn(message, this.state);
        return;
      case "directive":
        this.#reports.directed(message);
        return;
      default:
        this.#raft.handle(message);
    }
  }

  /** After the input: time, batch, apply, answers, disk, next deadline. */
  #settle(): void {
    const raft = this.#raft;
    raft.expire();
    this.#flush();
    this.#install();
    if (this.appliedIndex < raft.commitIndex) this.#apply();
    this.#snapshots.step(this.state, this.appliedIndex);
    this.#serveReadyReads();
    this.#clients.expire();
    for (const proposal of this.#reports.step(this.state, this.appliedIndex)) this.#batch.add(proposal);
    // The only voter has confirmed by itself that it leads.
    this.#serveReadyReads();
    this.#flush();
    raft.finish();
    this.#announceWake();
  }

  #takeEffects(): readonly Effect[] {
    const effects = this.#effects;
    if (effects.length === 0) return NO_EFFECTS;
    this.#effects = [];
    return effects;
  }

  /**
   * Asks to be woken only when the wake that is under way would come too late: to put a deadline off costs nothing.
   */
  #announceWake(): void {
    const { nowMs, deadlineMs } = this.#raft;
    const parts = this.#snapshots.isEncoding
      ? nowMs
      : Math.min(deadlineMs, this.#reports.deadlineMs, this.#batch.deadlineMs);
    const atMs = Math.min(parts, this.#clients.pending.deadlineMs);
    if (atMs >= this.#announcedWakeMs) return;
    this.#announcedWakeMs = atMs;
    this.#effects.push({ kind: "wakeAt", atMs });
  }

  // ---- As a value

  /**
   * All that this node knows, as plain data: see `encodeNodeState`. Parts that never change are shared with this node,
   * all others are copied. Not contained: the options, the runtime with its random stream, and `lastApplied`. Between
   * steps only.
   */
  capture() {
    return {
      id: this.id,
      halted: this.halted,
      announcedWakeMs: this.#announcedWakeMs,
      raft: this.#raft.capture(),
      applier: this.#applier.capture(),
      batch: this.#batch.capture(),
      clients: this.#clients.capture(),
      forwards: this.#forwards.capture(),
      reports: this.#reports.capture(),
      snapshots: this.#snapshots.capture(),
    };
  }

  /**
   * A node that goes on where the captured one stood: it answers any further inputs with equal effects, given a runtime
   * whose random stream goes on there too. It draws nothing meanwhile, and must not be started.
   */
  static restore(captured: NodeState, options: RaftOptions, runtime: Runtime): Node {
    const { clusterId, incarnation, roster, nowMs, wallMs } = captured.raft;
    const placed = roster.configurations.at(-1);
    if (placed === undefined) throw new RangeError("a captured node has no configuration");
    const { level, state } = captured.applier;
    const beginning = Node.joining(clusterId, incarnation, placed.configuration, placed.index, []);
    const node = new Node(captured.id, options, runtime, beginning, { nowMs, wallMs }, state.limits, level);
    node.halted = captured.halted;
    node.#announcedWakeMs = captured.announcedWakeMs;
    node.#raft.restore(captured.raft);
    node.#applier.restore(captured.applier);
    node.#batch.restore(captured.batch);
    node.#clients.restore(captured.clients);
    node.#forwards.restore(captured.forwards);
    node.#reports.restore(captured.reports);
    node.#snapshots.restore(captured.snapshots);
    return node;
  }

  // ---- From one part to the next

  /** Appends the proposals that are due, or tells who made them that they will not be. */
  #flush(): void {
    const proposals = this.#batch.takeDue();
    if (proposals.length > 0) this.#append(proposals);
  }

  #append(proposals: readonly Proposal[]): void {
    const raft = this.#raft;
    if (!raft.takesProposals) {
      for (const { origin } of proposals) this.#notAppended(origin);
      return;
    }
    const stamp = { wallMs: raft.quorumWallMs, proposer: this.id };
    const entries = raft.append(proposals.map(({ data }) => stampRequest(data, stamp)));
    for (const [at, { origin }] of proposals.entries()) {
      const entry = entries[at];
      if (entry === undefined) continue;
      if (origin.kind === "member") this.#forwards.appended(origin, entry);
      else this.#applier.expect(entry.index, { origin, term: entry.term });
    }
  }

  #notAppended(origin: ProposalOrigin): void {
    if (origin.kind === "member") this.#forwards.notAppended(origin);
    else if (origin.kind === "orchestrator") this.#reports.settled(origin);
    else this.#clients.proposals.notAppended(origin.ticket);
  }

  #apply(): void {
    const entries = this.#raft.log.slice(this.appliedIndex + 1, this.#raft.commitIndex);
    this.lastApplied = this.#applier.apply(entries, this.#applyListener);
    this.#snapshots.applied(entries);
    this.#clients.reads.applied();
  }

  #listener(): ApplyListener {
    const clients = this.#clients;
    const reports = this.#reports;
    return {
      stateChanged: (state, touched) => reports.applied(state, touched),
      reached: ({ origin, term }, entry, result) => {
        if (origin.kind === "orchestrator") reports.settled(origin);
        else clients.reached(origin.ticket, term, entry, result);
      },
      skipped: (origin) => {
        if (origin.kind === "client") clients.pending.refuse(origin.ticket, { kind: "outcomeUnknown" });
      },
      finalConfiguration: (entry) => clients.membership.finalApplied(entry),
    };
  }

  /** Takes over a leader's snapshot. */
  #install(): void {
    const installed = this.#raft.takeInstalled();
    if (installed === null) return;
    this.#applier.install(installed.meta.index, this.#applyListener);
    this.#snapshots.reset();
    this.#clients.membership.snapshotInstalled();
    this.#clients.reads.applied();
  }

  #serveReadyReads(): void {
    for (const { origin, index } of this.#raft.takeReadyReads()) {
      if (origin.kind === "client") this.#clients.reads.confirmed(origin.ticket, index);
      else if (origin.kind === "member") this.#clients.reads.respond(origin.id, origin.requestId, index);
      else this.#reports.roundEnded(index, this.appliedIndex);
    }
  }
}
