/** What a node keeps while it leads: its followers' progress, its rounds, a change or a transfer under way. */
import type { RaftLog } from "./log.ts";
import { Progress } from "./progress.ts";
import type { Configuration, NodeId } from "./records.ts";
import { SignatureSet } from "./signature-set.ts";

/** A transfer of leadership under way. */
export interface LeadershipTransfer {
  readonly to: NodeId;
  readonly deadlineMs: number;
  /** The order to campaign was sent. */
  readonly sent: boolean;
}

/** How many of the latest rounds have their sending time kept. */
const ROUNDS_REMEMBERED = 64;

export class Leadership {
  readonly #id: NodeId;
  #progress = new Map<NodeId, Progress>();
  #round = 0;
  #roundSentMs = new Float64Array(ROUNDS_REMEMBERED);
  #heartbeatDeadlineMs = 0;
  #termStartIndex = 0;
  #uncommittedBytes = 0;
  #transferring: LeadershipTransfer | null = null;
  #leaseBlocked = false;
  /** Of the joint configuration under way. */
  readonly endorsements = new SignatureSet();

  constructor(id: NodeId) {
    this.#id = id;
  }

  /** One for each other member of the configuration; empty while this node does not lead. */
  get progress(): ReadonlyMap<NodeId, Progress> {
    return this.#progress;
  }

  /** The latest round of heartbeats. Rises as long as the process lives. */
  get round(): number {
    return this.#round;
  }

  get heartbeatDeadlineMs(): number {
    return this.#heartbeatDeadlineMs;
  }

  /** Index of this leader's first own entry. */
  get termStartIndex(): number {
    return this.#termStartIndex;
  }

  /** Bytes of entries that are not committed. */
  get uncommittedBytes(): number {
    return this.#uncommittedBytes;
  }

  get transferring(): LeadershipTransfer | null {
    return this.#transferring;
  }

  /** An order to campaign was sent in this term: its receiver may win at any time, so the lease does not hold. */
  get leaseBlocked(): boolean {
    return this.#leaseBlocked;
  }

  start(): void {
    this.end();
    this.#leaseBlocked = false;
    this.#uncommittedBytes = 0;
  }

  end(): void {
    this.#progress = new Map();
    this.endorsements.clear();
    this.#transferring = null;
  }

  /** Keeps one progress for each other member of the configuration. */
  track({ members }: Configuration, log: Pick<RaftLog, "lastIndex">, nowMs: number): void {
    for (const { id } of members) {
      if (id !== this.#id && !this.#progress.has(id)) this.#progress.set(id, new Progress(log.lastIndex + 1, nowMs));
    }
    for (const id of this.#progress.keys()) {
      if (!members.some((member) => member.id === id)) this.#progress.delete(id);
    }
  }

  /** Its first own entry is in the log. */
  termStartsAt(index: number): void {
    this.#termStartIndex = index;
  }

  addUncommitted(bytes: number): void {
    this.#uncommittedBytes += bytes;
  }

  /** Begins a new round, sent now. */
  startRound(nowMs: number, heartbeatMs: number): void {
    this.#round++;
    this.#roundSentMs[this.#round % ROUNDS_REMEMBERED] = nowMs;
    this.#heartbeatDeadlineMs = nowMs + heartbeatMs;
  }

  /** When a round was sent; null when it is none of the latest. */
  sentMsOf(round: number): number | null {
    if (round > this.#round || round <= this.#round - ROUNDS_REMEMBERED) return null;
    return this.#roundSentMs[round % ROUNDS_REMEMBERED] ?? null;
  }

  startTransfer(to: NodeId, deadlineMs: number): void {
    this.#transferring = { to, deadlineMs, sent: false };
  }

  /** The order to campaign is sent. */
  transferOrdered(): void {
    if (this.#transferring !== null) this.#transferring = { ...this.#transferring, sent: true };
  }

  giveUpTransfer(): void {
    // An order that was sent may still be followed, however late: there is no lease any more in this term.
    this.#leaseBlocked ||= this.#transferring?.sent === true;
    this.#transferring = null;
  }

  capture() {
    return {
      progress: new Map([...this.#progress].map(([id, progress]) => [id, progress.capture()])),
      round: this.#round,
      roundSentMs: this.#roundSentMs.slice(),
      heartbeatDeadlineMs: this.#heartbeatDeadlineMs,
      termStartIndex: this.#termStartIndex,
      uncommittedBytes: this.#uncommittedBytes,
      transferring: this.#transferring,
      leaseBlocked: this.#leaseBlocked,
      endorsements: this.endorsements.capture(),
    };
  }

  restore(captured: ReturnType<Leadership["capture"]>): void {
    this.#progress = new Map();
    for (const [id, state] of captured.progress) {
      const progress = new Progress(state.next, state.lastHeardMs);
      progress.restore(state);
      this.#progress.set(id, progress);
    }
    this.#round = captured.round;
    this.#roundSentMs = captured.roundSentMs.slice();
    this.#heartbeatDeadlineMs = captured.heartbeatDeadlineMs;
    this.#termStartIndex = captured.termStartIndex;
    this.#uncommittedBytes = captured.uncommittedBytes;
    this.#transferring = captured.transferring;
    this.#leaseBlocked = captured.leaseBlocked;
    this.endorsements.restore(captured.endorsements);
  }
}
