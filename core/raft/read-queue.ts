/** Reads on their way through a leader: those that wait for a round to be confirmed, and those that may be served. */
import type { NodeId } from "./records.ts";

/** Who asked for a read. Consensus hands it back with the answer. */
export type ReadOrigin =
  /** This node's own client. */
  | { readonly kind: "client"; readonly ticket: number }
  /** A follower on behalf of its own. */
  | { readonly kind: "member"; readonly id: NodeId; readonly requestId: number }
  /** The node itself, which reads nothing: it asks whether it still leads. */
  | { readonly kind: "leadershipCheck" };

/** Serve once `index` is applied; null: leadership was lost before it was confirmed. */
export interface ReadyRead {
  readonly origin: ReadOrigin;
  readonly index: number | null;
}

interface PendingRead {
  readonly origin: ReadOrigin;
  readonly index: number;
  /** A quorum's answers to this round or a later one confirm it. Zero: waits for the first commit of this term. */
  round: number;
}

export class ReadQueue {
  #pending: PendingRead[] = [];
  #ready: ReadyRead[] = [];

  /** How many reads wait for a round. */
  get length(): number {
    return this.#pending.length;
  }

  /** Whether the newest waits for a round, and not for the first commit of this term. */
  get waitsForRound(): boolean {
    const newest = this.#pending[this.#pending.length - 1];
    return newest !== undefined && newest.round > 0;
  }

  add(origin: ReadOrigin, index: number, round: number): void {
    this.#pending.push({ origin, index, round });
  }

  refuse(origin: ReadOrigin): void {
    this.#ready.push({ origin, index: null });
  }

  /** Leadership is lost: none of them is ever confirmed. */
  refuseAll(): void {
    for (const { origin } of this.#pending) this.refuse(origin);
    this.#pending = [];
  }

  /**
   * Releases what the round `confirmed` and those before it confirm. Reads that waited for this term's first commit
   * wait for `nextRound` from now on. Returns whether any was released, and the latest round that another waits for
   * (0: none).
   */
  release(confirmed: number, nextRound: number): { readonly released: boolean; readonly wantedRound: number } {
    const waiting: PendingRead[] = [];
    let wantedRound = 0;
    for (const read of this.#pending) {
      if (read.round === 0) read.round = nextRound;
      if (read.round <= confirmed) this.#ready.push({ origin: read.origin, index: read.index });
      else {
        waiting.push(read);
        wantedRound = Math.max(wantedRound, read.round);
      }
    }
    const released = waiting.length < this.#pending.length;
    this.#pending = waiting;
    return { released, wantedRound };
  }

  /** Reads that may be served by now, or that failed. Each is handed out once. */
  takeReady(): readonly ReadyRead[] {
    const ready = this.#ready;
    if (ready.length > 0) this.#ready = [];
    return ready;
  }

  capture() {
    return { pending: this.#pending.map((read) => ({ ...read })), ready: [...this.#ready] };
  }

  restore(captured: ReturnType<ReadQueue["capture"]>): void {
    this.#pending = captured.pending.map((read) => ({ ...read }));
    this.#ready = [...captured.ready];
  }
}
