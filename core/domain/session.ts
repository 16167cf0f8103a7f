/** Client sessions (Ongaro's thesis, section 6.3): what is remembered so that a retried request happens once. */
import type { CommandResult } from "./result.ts";

export interface Session {
  /** Log index of the entry that opened it. */
  readonly id: number;
  readonly clientToken: string;
  /** Log index of the last entry that named it. No two sessions share one. */
  readonly lastActiveIndex: number;
  /** The client has acknowledged every answer below. Never falls. */
  readonly lowestUnacknowledged: number;
  /** First results of the requests from `lowestUnacknowledged` on, by rising sequence; fewer than 64 numbers apart. */
  readonly responses: readonly StoredResponse[];
}

export interface StoredResponse {
  readonly sequence: number;
  readonly result: CommandResult;
}

export function openedSession(index: number, clientToken: string): Session {
  return Object.freeze({
    id: index,
    clientToken,
    lastActiveIndex: index,
    lowestUnacknowledged: 1,
    responses: noResponses,
  });
}

const noResponses: readonly StoredResponse[] = Object.freeze([]);

/** The session as it is after an entry at `index` named it, having told what the client has acknowledged. */
export function touched(session: Session, index: number, acknowledgedBelow: number): Session {
  const lowestUnacknowledged = Math.max(session.lowestUnacknowledged, acknowledgedBelow);
  return Object.freeze({
    id: session.id,
    clientToken: session.clientToken,
    lastActiveIndex: index,
    lowestUnacknowledged,
    responses: responsesFrom(session, lowestUnacknowledged),
  });
}

function responsesFrom(session: Session, lowestUnacknowledged: number): readonly StoredResponse[] {
  const { responses } = session;
  const first = responses[0];
  if (first === undefined || first.sequence >= lowestUnacknowledged) return responses;
  return Object.freeze(responses.filter((response) => response.sequence >= lowestUnacknowledged));
}

export function storedResponse(session: Session, sequence: number): CommandResult | null {
  for (const response of session.responses) if (response.sequence === sequence) return response.result;
  return null;
}

/** The session with the first result of a request that has none yet. `result` is deeply frozen. */
export function withResponse(session: Session, { sequence }: RequestSession, result: CommandResult): Session {
  const responses = session.responses.slice();
  // Most requests come in order: look for the place from the end.
  let at = responses.length;
  while (at > 0 && (responses[at - 1]?.sequence ?? 0) > sequence) at--;
  responses.splice(at, 0, Object.freeze({ sequence, result }));
  return Object.freeze({
    id: session.id,
    clientToken: session.clientToken,
    lastActiveIndex: session.lastActiveIndex,
    lowestUnacknowledged: session.lowestUnacknowledged,
    responses: Object.freeze(responses),
  });
}

/**
 * Makes a retried request happen once (Ongaro's thesis, section 6.3).
 *
 * A client numbers its requests from 1 and retries one unchanged, with the same `sequence`, until it has an answer. `lowestUnacknowledged` is
 * the lowest number whose answer it still waits for: results below it are forgotten.
 */
export interface RequestSession {
  /** As answered to openSession: the log index of its entry. */
  readonly id: number;
  readonly sequence: number;
  /** 1 to `sequence`, and less than 64 below it. */
  readonly lowestUnacknowledged: number;
}
