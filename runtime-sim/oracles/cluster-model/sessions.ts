/** Sessions: which requests were applied, and what they were answered. */
import type { ApplyResult, CommandResult, RequestSession } from "../../../core/index.ts";

export interface ModelSession {
  readonly id: number;
  readonly clientToken: string;
  lastActiveIndex: number;
  lowestUnacknowledged: number;
  /** By sequence, from `lowestUnacknowledged` on. */
  readonly results: Map<number, CommandResult>;
}

export class Sessions {
  readonly all = new Map<number, ModelSession>();
  readonly #limit: number;

  /** `limit`: how many there may be. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  open(clientToken: string, index: number): ApplyResult {
    const known = [...this.all.values()].find((session) => session.clientToken === clientToken);
    if (known !== undefined) {
      known.lastActiveIndex = index;
      return { ok: true, kind: "sessionOpened", sessionId: known.id };
    }
    if (this.all.size >= this.#limit) this.#expireOldest();
    this.all.set(index, {
      id: index,
      clientToken,
      lastActiveIndex: index,
      lowestUnacknowledged: 1,
      results: new Map(),
    });
    return { ok: true, kind: "sessionOpened", sessionId: index };
  }

  #expireOldest(): void {
    let oldest: ModelSession | null = null;
    for (const session of this.all.values())
      if (oldest === null || session.lastActiveIndex < oldest.lastActiveIndex) oldest = session;
    if (oldest !== null) this.all.delete(oldest.id);
  }

  /** `apply` carries the command out; null: the session is to be closed. */
  request(asked: RequestSession, index: number, apply: (() => CommandResult) | null): ApplyResult {
    const { id, sequence } = asked;
    const session = this.all.get(id);
    if (session === undefined) return { ok: false, refusal: { kind: "sessionExpired", sessionId: id } };
    if (sequence < session.lowestUnacknowledged) {
      const { lowestUnacknowledged } = session;
      return { ok: false, refusal: { kind: "sequenceTooOld", sequence, lowestUnacknowledged } };
    }
    session.lastActiveIndex = index;
    session.lowestUnacknowledged = Math.max(session.lowestUnacknowledged, asked.lowestUnacknowledged);
    for (const known of session.results.keys()) if (known < session.lowestUnacknowledged) session.results.delete(known);
    const earlier = session.results.get(sequence);
    if (earlier !== undefined) return earlier;
    if (apply === null) {
      this.all.delete(id);
      return { ok: true, kind: "sessionClosed", sessionId: id };
    }
    const result = apply();
    session.results.set(sequence, result);
    return result;
  }
}
