/**
 * How an agent talks to the cluster: which server it asks, which report is under way, and when the next one is due.
 * One report is under way at a time. What a report says, and what follows from a directive, is decided by the agent.
 */
import { assert, CLUSTER_LIMITS } from "../domain/index.ts";
import { mark } from "../marks.ts";
import { REPORT_EVERY_MS } from "./lease.ts";
import { type Directive, decodeDirective, encodeReport, type Report } from "./protocol.ts";
import type { Step } from "./step.ts";
import type { AgentSettings } from "./types.ts";

/** How long an answer may take before another server is asked. */
const ANSWER_TIMEOUT_MS = 1000;
/** Between two reports while something is to be asked; longer each time that nobody answers, or knows the process. */
const QUESTION_GAP_MS = 50;
/** Between two reports of changes. All changes of that time share one report, and one entry of the log. */
const NEWS_GAP_MS = 200;
/**
 * After a report without an answer, while there is a lease to keep: during elections a leader may lead only briefly.
 */
const RETRY_GAP_MS = 250;
/** How many servers are remembered that only servers which have left have named. */
const HINTS_MAX = CLUSTER_LIMITS.voters;

/** Why the agent may want to report before the next regular report is due. */
export interface Pending {
  readonly hasQuestions: boolean;
  /** The leader has not seen the present inventory. */
  readonly hasNews: boolean;
  readonly holdsLease: boolean;
}

/** All state of a channel. */
export interface ReportChannelState {
  readonly told: readonly number[];
  readonly hinted: readonly number[];
  readonly server: number;
  readonly failures: number;
  readonly isRegistered: boolean;
  readonly strangerAnswers: number;
  readonly sequence: number;
  readonly awaited: number;
  readonly sentAtMs: number;
}

/** What an agent is to do: whom to ask is the channel's own matter. */
export type Order = Exclude<Directive, { readonly kind: "left" }>;

/** What the channel adds to a report by itself is left out. */
export type ReportContent = Omit<Report, "workerId" | "bootId" | "sequence" | "facts">;

export class ReportChannel {
  readonly #settings: AgentSettings;
  readonly #step: Step;
  /** Servers of the last grant, or of the settings. */
  #told: readonly number[];
  /**
   * Others that servers which have left the cluster have named since; the first is the next to ask. Only one is asked
   * after each round of `#told`: nobody vouches for a hint, and every false one costs an answer time-out of the lease.
   */
  #hinted: readonly number[] = [];
  /** Position in `#told` of the one to ask; past its end: a hint. */
  #server = 0;
  /** Reports in a row that nobody has answered. */
  #failures = 0;
  #isRegistered = false;
  /** Answers in a row by which the cluster did not know this process: it may have no room for another worker. */
  #strangerAnswers = 0;
  #sequence = 0;
  /** Sequence number of the report that is under way; 0: none. */
  #awaited = 0;
  #sentAtMs = Number.NEGATIVE_INFINITY;

  constructor(settings: AgentSettings, step: Step) {
    this.#settings = settings;
    this.#step = step;
    this.#told = settings.servers;
  }

  /** Whether the cluster knows this process, by its last answer. */
  get isRegistered(): boolean {
    return this.#isRegistered;
  }

  /** When the last report was sent. */
  get sentAtMs(): number {
    return this.#sentAtMs;
  }

  /** What answers the report under way orders; null: nothing, or it is no answer. */
  answered(sequence: number, bytes: Uint8Array | null): Order | null {
    if (sequence !== this.#awaited) return null;
    this.#awaited = 0;
    const directive = bytes === null ? null : decodeDirective(bytes);
    const { workerId, bootId } = this.#settings;
    if (directive?.workerId !== workerId || directive.bootId !== bootId || directive.sequence !== sequence) {
      this.#askAnother();
      return null;
    }
    if (directive.kind === "left") {
      mark("agent/server-has-left");
      const { servers } = this;
      this.#askAnother(directive.voters.filter((id) => !servers.includes(id)));
      return null;
    }
    this.#failures = 0;
    this.#isRegistered = directive.kind === "granted";
    this.#strangerAnswers = this.#isRegistered ? 0 : this.#strangerAnswers + 1;
    return directive;
  }

  /** All that are asked until one answers. */
  get servers(): readonly number[] {
    return this.#hinted.length === 0 ? this.#told : [...this.#told, ...this.#hinted];
  }

  /** Reports go to these servers from now on, beginning with the one that has named them if it is one of them. */
  useServers(servers: readonly number[]): void {
    if (servers.length === 0) return;
    if (this.#hinted.length === 0 && sameServers(servers, this.#told)) return;
    const asked = this.#asked;
    this.#told = servers;
    this.#hinted = [];
    const at = servers.indexOf(asked);
    this.#server = at === -1 ? this.#server % servers.length : at;
  }

  get #asked(): number {
    return this.#told[this.#server] ?? this.#hinted[0] ?? 0;
  }

  /** Whether a report is to be sent now. A report that nobody answered in time counts as failed from here on. */
  isDue(pending: Pending): boolean {
    if (this.#awaited !== 0) {
      if (this.#step.nowMs < this.#sentAtMs + ANSWER_TIMEOUT_MS) return false;
      mark("agent/report-unanswered");
      this.#awaited = 0;
      this.#askAnother();
    }
    return this.#step.nowMs >= this.#dueMs(pending);
  }

  send(content: ReportContent): void {
    const { workerId, bootId, facts } = this.#settings;
    assert(this.#awaited === 0, "one report is under way at a time", this.#awaited);
    const sequence = ++this.#sequence;
    const report = encodeReport({ workerId, bootId, sequence, facts: this.#isRegistered ? null : facts, ...content });
    this.#awaited = sequence;
    this.#sentAtMs = this.#step.nowMs;
    this.#step.push({ kind: "report", to: this.#asked, sequence, report });
  }

  /** When `isDue` may next change by time alone. */
  nextMs(pending: Pending): number {
    return this.#awaited === 0 ? this.#dueMs(pending) : this.#sentAtMs + ANSWER_TIMEOUT_MS;
  }

  #dueMs({ hasQuestions, hasNews, holdsLease }: Pending): number {
    const asks = hasQuestions || !this.#isRegistered;
    if (!asks && !hasNews) return this.#sentAtMs + (this.#failures > 0 && holdsLease ? RETRY_GAP_MS : REPORT_EVERY_MS);
    const gapMs = asks ? QUESTION_GAP_MS : NEWS_GAP_MS;
    return this.#sentAtMs + Math.min(REPORT_EVERY_MS, gapMs * (1 + this.#failures + this.#strangerAnswers));
  }

  capture(): ReportChannelState {
    return {
      told: this.#told,
      hinted: this.#hinted,
      server: this.#server,
      failures: this.#failures,
      isRegistered: this.#isRegistered,
      strangerAnswers: this.#strangerAnswers,
      sequence: this.#sequence,
      awaited: this.#awaited,
      sentAtMs: this.#sentAtMs,
    };
  }

  restore(state: ReportChannelState): void {
    this.#told = state.told;
    this.#hinted = state.hinted;
    this.#server = state.server;
    this.#failures = state.failures;
    this.#isRegistered = state.isRegistered;
    this.#strangerAnswers = state.strangerAnswers;
    this.#sequence = state.sequence;
    this.#awaited = state.awaited;
    this.#sentAtMs = state.sentAtMs;
  }

  /** `news`: servers to remember that were not known. They come before older hints, which may be out of date. */
  #askAnother(news: readonly number[] = []): void {
    this.#failures += 1;
    const asked = this.#server < this.#told.length ? 0 : 1;
    const older = [...this.#hinted.slice(asked), ...this.#hinted.slice(0, asked)];
    this.#hinted = [...news, ...older].slice(0, HINTS_MAX);
    const places = this.#told.length + Math.min(1, this.#hinted.length);
    this.#server = (this.#server + 1) % places;
  }
}

function sameServers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((id, at) => id === b[at]);
}
