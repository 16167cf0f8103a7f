/**
 * Where reports of workers arrive. A follower passes them on. The leader lets its orchestrator hear them, and answers
 * once a quorum has confirmed that it still leads: so no report is ever answered by a leader that another has followed,
 * and no worker relies on what is no longer so. Reports that wait share one round. A server that knows that it has left
 * the cluster, and still runs, says which members to ask instead.
 *
 * Also the way by which the orchestrator proposes, and hears what became of it.
 */
import { decodeReport, encodeDirective, type Report } from "../agent/index.ts";
import { type ClusterState, encodeRequest, nodeOf, type Touched } from "../cluster/index.ts";
import { CLUSTER_LIMITS } from "../domain/index.ts";
import { mark } from "../marks.ts";
import { Orchestrator, type Proposal as OwnProposal } from "../orchestrator/index.ts";
import {
  type Directed,
  NOBODY,
  type NodeId,
  type PeerId,
  type Raft,
  type RaftOptions,
  type Reported,
} from "../raft/index.ts";
import type { ClientAnswer } from "../runtime.ts";
import type { Answer } from "./pending-requests.ts";
import type { Proposal, ProposalOrigin } from "./proposal-batch.ts";

/** What it needs of consensus: who leads, and to speak, and to be told that this node still leads. */
type ReportsRaft = Pick<
  Raft,
  | "id"
  | "term"
  | "role"
  | "leaderId"
  | "takesProposals"
  | "termStartIndex"
  | "configuration"
  | "leftBy"
  | "nowMs"
  | "hasHeardFrom"
  | "header"
  | "send"
  | "requestRead"
>;

/** A report that waits for its answer: of a worker that asked this node, or of one that asked another. */
interface Waiting {
  readonly from: NodeId;
  readonly requestId: number;
  readonly report: Report;
  readonly deadlineMs: number;
}

interface Passed {
  readonly requestId: number;
  /** The leader that was asked. */
  readonly to: NodeId;
  readonly deadlineMs: number;
}

/**
 * From the start of one round to that of the next: what comes meanwhile shares it. A thousand workers then cost fifty
 * rounds a second and not a thousand; a report that comes after a pause is asked about at once.
 */
const ROUND_EVERY_MS = 20;

/** Of the learners, a worker is told of no more than could all become voters. */
const LEARNERS_NAMED_MAX = CLUSTER_LIMITS.voters;

const NO_PROPOSALS: readonly never[] = [];
const REFUSED_FOR_NOW: ClientAnswer = { kind: "refused", refusal: { kind: "noLeader" } };

export class WorkerReports {
  readonly #raft: ReportsRaft;
  readonly #options: RaftOptions;
  /** Null while this node does not lead. */
  #orchestrator: Orchestrator | null = null;
  readonly #answer: Answer;
  #leadingTerm = 0;
  #mayPropose = false;
  /** For the next round, and in the one that is under way; both oldest first. */
  #waiting: Waiting[] = [];
  #inRound: Waiting[] = [];
  /** Also when nobody waits for its end any more: the next report needs another. */
  #isRoundOut = false;
  #nextRoundMs = Number.NEGATIVE_INFINITY;
  /** Reports that went to the leader, by a number of their own. They all wait equally long, so the oldest is first. */
  #passed = new Map<number, Passed>();
  #nextPassed = 1;

  constructor(raft: ReportsRaft, options: RaftOptions, answer: Answer) {
    this.#answer = answer;
    this.#raft = raft;
    this.#options = options;
  }

  get deadlineMs(): number {
    // While it cannot propose, nothing that is due could be done.
    let atMs = Number.POSITIVE_INFINITY;
    if (this.#mayPropose && this.#orchestrator !== null) atMs = this.#orchestrator.deadlineMs;
    for (const { deadlineMs } of this.#passed.values()) {
      atMs = Math.min(atMs, deadlineMs);
      break;
    }
    if (this.#waiting.length > 0 && !this.#isRoundOut) atMs = Math.min(atMs, this.#nextRoundMs);
    const oldest = this.#inRound[0] ?? this.#waiting[0];
    return oldest === undefined ? atMs : Math.min(atMs, oldest.deadlineMs);
  }

  // ---- Reports

  /** A worker that is connected to this node reports. `peerId` is who the connection says it is. */
  request(requestId: number, peerId: PeerId, data: Uint8Array, state: ClusterState): void {
    const raft = this.#raft;
    if (raft.leftBy !== null) {
      this.#answer(requestId, sendOn(data, raft.leftBy.voters));
      return;
    }
    if (raft.role === "leader") {
      const refusal = this.#hear(raft.id, requestId, peerId, data, state);
      if (refusal !== null) this.#answer(requestId, refusal);
      return;
    }
    if (raft.leaderId === NOBODY || this.#passed.size >= this.#options.maxPendingRequests) {
      this.#answer(requestId, REFUSED_FOR_NOW);
      return;
    }
    const passed = this.#nextPassed++;
    const deadlineMs = raft.nowMs + this.#options.requestTimeoutMs;
    this.#passed.set(passed, { requestId, to: raft.leaderId, deadlineMs });
    raft.send({ type: "report", ...raft.header(raft.leaderId), requestId: passed, peerId, data });
  }

  /** Another server passes a report on. */
  passedOn({ from, requestId, peerId, data }: Reported, state: ClusterState): void {
    if (this.#raft.role !== "leader" || this.#hear(from, requestId, peerId, data, state) !== null)
      this.#direct(from, requestId, null);
  }

  directed({ from, requestId, data }: Directed): void {
    const passed = this.#passed.get(requestId);
    if (passed?.to !== from) return;
    this.#passed.delete(requestId);
    this.#answer(passed.requestId, data === null ? REFUSED_FOR_NOW : { kind: "directive", data });
  }

  #hear(from: NodeId, requestId: number, peerId: PeerId, data: Uint8Array, state: ClusterState): ClientAnswer | null {
    if (this.#orchestrator === null || this.#waiting.length >= this.#options.maxPendingRequests) return REFUSED_FOR_NOW;
    const report = decodeReport(data);
    if (report === null) return invalid("report", "is no report of a worker");
    if (nodeOf(state, report.workerId)?.peerId !== peerId)
      return invalid("report.workerId", `node ${report.workerId} is not known under this identity`);
    this.#orchestrator.hear(report, this.#raft.nowMs);
    this.#waiting.push({ from, requestId, report, deadlineMs: this.#raft.nowMs + this.#options.requestTimeoutMs });
    return null;
  }

  #startRound(): void {
    if (this.#isRoundOut || this.#waiting.length === 0 || this.#raft.nowMs < this.#nextRoundMs) return;
    this.#isRoundOut = true;
    this.#nextRoundMs = this.#raft.nowMs + ROUND_EVERY_MS;
    this.#inRound = this.#waiting;
    this.#waiting = [];
    this.#raft.requestRead({ kind: "leadershipCheck" });
  }

  /** A quorum has confirmed that this node led after those reports had come. Null: it has not. */
  roundEnded(index: number | null, appliedIndex: number): void {
    this.#isRoundOut = false;
    const answered = this.#inRound;
    this.#inRound = [];
    if (answered.length === 0) return;
    const servers = index === null || appliedIndex < index ? null : this.#servers();
    if (servers === null) mark("lease/report-not-answered-without-quorum");
    for (const { from, requestId, report } of answered) {
      const directive =
        servers === null ? null : (this.#orchestrator?.directive(report, servers, this.#raft.nowMs) ?? null);
      const data = directive === null ? null : encodeDirective(directive);
      if (from === this.#raft.id)
        this.#answer(requestId, data === null ? REFUSED_FOR_NOW : { kind: "directive", data });
      else this.#direct(from, requestId, data);
    }
  }

  /**
   * Voters first. Learners pass reports on too, and are named in time: of those that a worker has heard of, the others
   * may all leave soon after a learner has become a voter. A learner that is down is not named, and of many not all:
   * a worker whose server fails asks one after the other, and those that are silent cost it its lease.
   */
  #servers(): readonly NodeId[] {
    const { voters, learners } = this.#raft.configuration;
    const named = [...voters];
    for (const id of learners) {
      if (named.length >= voters.length + LEARNERS_NAMED_MAX) break;
      if (this.#raft.hasHeardFrom(id)) named.push(id);
    }
    return named;
  }

  #direct(to: NodeId, requestId: number, data: Uint8Array | null): void {
    const raft = this.#raft;
    raft.send({ type: "directive", ...raft.header(to), requestId, data });
  }

  // ---- Leading

  /** Entries have been applied; `results` of its own proposals come one by one through `settled`. */
  applied(state: ClusterState, touched: Touched): void {
    this.#orchestrator?.applied(state, touched, this.#raft.nowMs);
  }

  /** A proposal of the orchestrator has been applied, or never will be. One of an earlier term is forgotten already. */
  settled({ term, key }: Extract<ProposalOrigin, { kind: "orchestrator" }>): void {
    if (term === this.#leadingTerm) this.#orchestrator?.settled(key);
  }

  /** After everything else: what is to be proposed. */
  step(state: ClusterState, appliedIndex: number): readonly Proposal[] {
    const raft = this.#raft;
    this.#expire();
    const mayLead = raft.role === "leader" && appliedIndex >= raft.termStartIndex;
    this.#mayPropose = mayLead && raft.takesProposals;
    if (!mayLead) {
      if (this.#orchestrator !== null) this.#stopLeading();
      return NO_PROPOSALS;
    }
    if (this.#orchestrator === null || this.#leadingTerm !== raft.term) {
      this.#stopLeading();
      this.#leadingTerm = raft.term;
      this.#orchestrator = new Orchestrator(this.#options.clockDriftBound, state, raft.nowMs);
    }
    const proposals = this.#mayPropose ? this.#orchestrator.step(raft.nowMs) : NO_PROPOSALS;
    this.#startRound();
    return proposals.length === 0 ? NO_PROPOSALS : this.#encoded(proposals);
  }

  #encoded(proposals: readonly OwnProposal[]): readonly Proposal[] {
    const { term } = this.#raft;
    return proposals.map(({ key, command }) => ({
      data: encodeRequest({ session: null, command }),
      origin: { kind: "orchestrator", term, key },
    }));
  }

  /** The node halts: the workers that are connected to it are to ask another. Nothing can be told to other members. */
  refuseOwn(): void {
    for (const { from, requestId } of [...this.#inRound, ...this.#waiting])
      if (from === this.#raft.id) this.#answer(requestId, REFUSED_FOR_NOW);
    for (const { requestId } of this.#passed.values()) this.#answer(requestId, REFUSED_FOR_NOW);
    this.#inRound = [];
    this.#waiting = [];
    this.#passed.clear();
  }

  #stopLeading(): void {
    this.#orchestrator = null;
    if (this.#inRound.length + this.#waiting.length > 0) mark("lease/leader-ends-with-reports-waiting");
    this.#inRound = this.#refuse(this.#inRound, Number.POSITIVE_INFINITY);
    this.#waiting = this.#refuse(this.#waiting, Number.POSITIVE_INFINITY);
  }

  /** Those that are due by `nowMs` are told to ask again. Returns the others. */
  #refuse(reports: Waiting[], nowMs: number): Waiting[] {
    let due = 0;
    for (const { from, requestId, deadlineMs } of reports) {
      if (nowMs < deadlineMs) break;
      due++;
      if (from === this.#raft.id) this.#answer(requestId, REFUSED_FOR_NOW);
      else this.#direct(from, requestId, null);
    }
    return due === 0 ? reports : reports.slice(due);
  }

  #expire(): void {
    this.#inRound = this.#refuse(this.#inRound, this.#raft.nowMs);
    this.#waiting = this.#refuse(this.#waiting, this.#raft.nowMs);
    for (const [number, { requestId, deadlineMs }] of this.#passed) {
      if (this.#raft.nowMs < deadlineMs) return;
      this.#passed.delete(number);
      this.#answer(requestId, REFUSED_FOR_NOW);
    }
  }

  capture() {
    return {
      orchestrator: this.#orchestrator?.capture() ?? null,
      leadingTerm: this.#leadingTerm,
      mayPropose: this.#mayPropose,
      waiting: [...this.#waiting],
      inRound: [...this.#inRound],
      isRoundOut: this.#isRoundOut,
      nextRoundMs: this.#nextRoundMs,
      passed: new Map(this.#passed),
      nextPassed: this.#nextPassed,
    };
  }

  restore(captured: ReturnType<WorkerReports["capture"]>): void {
    const { orchestrator } = captured;
    this.#orchestrator =
      orchestrator === null ? null : Orchestrator.restored(this.#options.clockDriftBound, orchestrator);
    this.#leadingTerm = captured.leadingTerm;
    this.#mayPropose = captured.mayPropose;
    this.#waiting = [...captured.waiting];
    this.#inRound = [...captured.inRound];
    this.#isRoundOut = captured.isRoundOut;
    this.#nextRoundMs = captured.nextRoundMs;
    this.#passed = new Map(captured.passed);
    this.#nextPassed = captured.nextPassed;
  }
}

/** To a worker that asks a server which has left. It may be no news to it; who has its report decides. */
function sendOn(data: Uint8Array, voters: readonly NodeId[]): ClientAnswer {
  const report = decodeReport(data);
  if (report === null) return invalid("report", "is no report of a worker");
  mark("lease/report-to-a-server-that-left");
  const { workerId, bootId, sequence } = report;
  return { kind: "directive", data: encodeDirective({ kind: "left", workerId, bootId, sequence, voters }) };
}

function invalid(field: string, reason: string): ClientAnswer {
  return { kind: "refused", refusal: { kind: "invalidRequest", field, reason } };
}
