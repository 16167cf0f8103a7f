/** Client sessions (Ongaro's thesis, section 6.3): what is remembered so that a retried request happens once. */
import { type Infer, type InferShape, integer, list, record, text } from "../schema/index.ts";
import { CLUSTER_LIMITS } from "./limits.ts";
import { demandAtLeast, demandAtMost } from "./numbers.ts";
import { type CommandResult, resultOf, storedResultSchema } from "./result.ts";

/**
 * Makes a retried request happen once (Ongaro's thesis, section 6.3).
 *
 * A client numbers its requests from 1 and retries one unchanged, with the same `sequence`, until it has an answer.
 * `lowestUnacknowledged` is the lowest number whose answer it still waits for: results below it are forgotten.
 */
export const requestSessionSchema = record({
  id: integer(1).doc("As answered when it was opened: the log index of its entry"),
  sequence: integer(1).doc("Number of this request; a retry carries the same"),
  lowestUnacknowledged: integer(1).doc("The lowest number whose answer is still awaited"),
}).rule(
  `lowestUnacknowledged is at most sequence, and less than ${CLUSTER_LIMITS.outstandingRequests} below it`,
  ({ sequence, lowestUnacknowledged }) => {
    // By the request's own numbers alone: what is refused for being too far ahead is refused for ever, and can never
    // apply after its refusal.
    demandAtLeast(sequence - CLUSTER_LIMITS.outstandingRequests + 1, lowestUnacknowledged, ".lowestUnacknowledged");
    demandAtMost(sequence, lowestUnacknowledged, ".lowestUnacknowledged");
  },
  (session) => ({ ...session, lowestUnacknowledged: session.sequence }),
);
export type RequestSession = Infer<typeof requestSessionSchema>;

const storedSessionFields = {
  id: integer(1).doc("Log index of the entry that opened it"),
  clientToken: text(1, CLUSTER_LIMITS.clientTokenLength),
  /** No two sessions share one. */
  lastActiveIndex: integer(1).doc("Log index of the last entry that named it"),
  lowestUnacknowledged: integer(1).doc("The client has acknowledged every answer below. Never falls"),
};

/** What a snapshot holds of a session. */
export const storedSessionSchema = record({
  ...storedSessionFields,
  responses: list(record({ sequence: integer(1), result: storedResultSchema }), {
    lengthMax: CLUSTER_LIMITS.outstandingRequests,
  }),
}).rule(
  "its responses are those of outstanding requests, in order",
  ({ id, lastActiveIndex, lowestUnacknowledged, responses }) => {
    demandAtMost(lastActiveIndex, id, ".id");
    const highest = lowestUnacknowledged + CLUSTER_LIMITS.outstandingRequests - 1;
    let lowest = lowestUnacknowledged;
    for (const { sequence } of responses) {
      demandAtLeast(lowest, sequence, ".responses.sequence");
      demandAtMost(highest, sequence, ".responses.sequence");
      lowest = sequence + 1;
    }
  },
  (session) => ({ ...session, id: 1, responses: [] }),
);

export interface Session extends InferShape<typeof storedSessionFields> {
  /** First results of the requests from `lowestUnacknowledged` on, by rising sequence; fewer than 64 numbers apart. */
  readonly responses: readonly StoredResponse[];
}

export interface StoredResponse {
  readonly sequence: number;
  readonly result: CommandResult;
}

/** The session that a snapshot held. */
export function restoredSession({ responses, ...session }: Infer<typeof storedSessionSchema>): Session {
  const restored = responses.map(({ sequence, result }) => Object.freeze({ sequence, result: resultOf(result) }));
  return Object.freeze({ ...session, responses: Object.freeze(restored) });
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
