/** One call as its client sees it: how often it was sent, and whether that may have had an effect nobody told of. */
import type { ClientRequest } from "../../core/index.ts";
import type { ClientOperation } from "./operation.ts";
import type { ClientSession } from "./session.ts";

export class Call {
  readonly operation: ClientOperation;
  /** Null: without a session a request is sent once. */
  readonly session: ClientSession | null;
  /** Who asks, as the request says; null: it does not say. */
  readonly actor: string | null;
  readonly giveUpUs: number;
  /** To be told that the session, or the answer, is gone is what it is after. */
  readonly isAfterGone: boolean;
  /** How often it was sent, each with a number of its own; the latest is the last. */
  readonly attempts: number[] = [];
  readonly unanswered = new Set<number>();
  /** What the first attempt told of the answers that its session has. */
  acknowledgesBelow = 0;
  /** Attempts in a row that came to nothing. */
  failures = 0;
  /** Until then the latest attempt is waited for. */
  patienceUs = Number.POSITIVE_INFINITY;
  isUncertain = false;
  /** Whom to tell of the outcome. */
  onCompleted: ((operation: ClientOperation) => void) | null = null;

  constructor(
    operation: ClientOperation,
    session: ClientSession | null,
    actor: string | null,
    giveUpUs: number,
    isAfterGone: boolean,
  ) {
    this.operation = operation;
    this.session = session;
    this.actor = actor;
    this.giveUpUs = giveUpUs;
    this.isAfterGone = isAfterGone;
  }

  get attempt(): number {
    return this.attempts.at(-1) ?? 0;
  }

  get isOpening(): boolean {
    const { asked } = this.operation;
    return asked.kind === "write" && asked.command.kind === "openSession";
  }

  /** What is sent. */
  request(): ClientRequest {
    const { asked, sequence } = this.operation;
    if (asked.kind === "read") return { kind: "read", query: asked.query, consistency: asked.consistency };
    const { command } = asked;
    const lowestUnacknowledged = Math.min(sequence, this.session?.lowestUnacknowledged ?? 0);
    if (this.attempts.length <= 1) this.acknowledgesBelow = lowestUnacknowledged;
    const session = this.session && { id: this.session.id, sequence, lowestUnacknowledged };
    const { actor } = this;
    return { kind: "propose", request: actor === null ? { session, command } : { session, actor, command } };
  }

  /** Whether it may be sent again without happening twice. */
  get isRepeatable(): boolean {
    return this.session !== null || this.operation.asked.kind === "read" || this.isOpening;
  }
}
