/**
 * Which entry was the first for each request of a session, by the committed log alone. A later entry for the same
 * request is a retry that also got into the log: it must change nothing.
 */
import { type CommandRequest, decodeEntryData, type Entry } from "../../core/index.ts";
import type { CommittedLedger, LedgerReader } from "./ledger.ts";

/** Sessions that are remembered: more than may be open at a time. */
const SESSIONS_MAX = 20_000;

export interface Retry {
  readonly entry: Entry;
  readonly request: CommandRequest;
  /**
   * The entry that was first; null when the client had acknowledged its answer before this one, so that it is
   * forgotten.
   */
  readonly firstIndex: number | null;
}

interface KnownSession {
  lowestUnacknowledged: number;
  /** Sequence to index, from `lowestUnacknowledged` on. */
  readonly first: Map<number, number>;
}

export class SessionBook implements LedgerReader {
  readonly #sessions = new Map<number, KnownSession>();
  readonly #listeners: ((retry: Retry) => void)[] = [];

  constructor(ledger: CommittedLedger) {
    ledger.subscribe(this);
  }

  /** Told of each retry as it is committed. */
  onRetry(listener: (retry: Retry) => void): void {
    this.#listeners.push(listener);
  }

  /** Index of the first entry for a request; null when none is committed, or it is forgotten. */
  firstIndex(session: number, sequence: number): number | null {
    return this.#sessions.get(session)?.first.get(sequence) ?? null;
  }

  committedEntry(entry: Entry): void {
    if (entry.kind !== "command") return;
    const { request } = decodeEntryData(entry.data);
    if (request === undefined || request.session === null) return;
    const { id, sequence, lowestUnacknowledged } = request.session;
    const session = this.#session(id);
    const first = session.first.get(sequence);
    if (first !== undefined || sequence < session.lowestUnacknowledged) {
      const retry = { entry, request, firstIndex: first ?? null };
      for (const listener of this.#listeners) listener(retry);
    } else {
      session.first.set(sequence, entry.index);
    }
    if (lowestUnacknowledged > session.lowestUnacknowledged) {
      session.lowestUnacknowledged = lowestUnacknowledged;
      for (const known of session.first.keys()) if (known < lowestUnacknowledged) session.first.delete(known);
    }
  }

  /** Retries of what was skipped pass for first entries from here on. */
  skippedTo(): void {
    this.#sessions.clear();
  }

  #session(id: number): KnownSession {
    const known = this.#sessions.get(id);
    if (known !== undefined) return known;
    const session = { lowestUnacknowledged: 1, first: new Map<number, number>() };
    this.#sessions.set(id, session);
    if (this.#sessions.size > SESSIONS_MAX) {
      for (const oldest of this.#sessions.keys()) {
        this.#sessions.delete(oldest);
        break;
      }
    }
    return session;
  }
}
