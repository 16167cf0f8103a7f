/**
 * The error that a procedure ends with. It has the same form everywhere: over HTTP, in calls between members, and as
 * an exception of the client.
 */

/** The codes and their HTTP status. Codes are stable: programs may rely on them. */
export const API_ERRORS = {
  invalidRequest: 400,
  unauthenticated: 401,
  unknownProcedure: 404,
  vmNotFound: 404,
  tokenNotFound: 404,
  nodeNotFound: 404,
  workerNotFound: 404,
  poolNotFound: 404,
  taskNotFound: 404,
  noEarlierRun: 404,
  vmExists: 409,
  tokenExists: 409,
  generationMismatch: 409,
  sessionExpired: 409,
  sequenceTooOld: 409,
  membershipRefused: 409,
  transferRefused: 409,
  vmHasChanged: 409,
  vmIsBeingDeleted: 409,
  vmIsNotPlaced: 409,
  vmIsPlaced: 409,
  machineNotFound: 409,
  workerHasNoDriver: 409,
  workerHasChanged: 409,
  workerInUse: 409,
  workerIsMember: 409,
  workerIsOnline: 409,
  workerRemoved: 409,
  doesNotFit: 409,
  poolExists: 409,
  poolDisabled: 409,
  poolOverlaps: 409,
  poolInUse: 409,
  poolExhausted: 409,
  noPoolWithTags: 409,
  poolsDisabled: 409,
  poolsExhausted: 409,
  taskExists: 409,
  taskHasChanged: 409,
  requestTooLarge: 413,
  limitReached: 429,
  quotaExceeded: 429,
  tooManyRequests: 429,
  tooSoon: 429,
  tooManyPending: 503,
  tooManyUncommitted: 503,
  /** No leader is known although enough voters are connected: an election is under way. The request had no effect. */
  noLeader: 503,
  /** Too few voters are connected; `details.missing` says which are not. The request had no effect. */
  quorumLost: 503,
  /** It may have happened. Retry within the same session. */
  outcomeUnknown: 504,
  readTimedOut: 504,
  /** The node has stopped itself after a failed assertion or a disk error. */
  halted: 503,
  /** The host of the VM does not answer, neither to this node nor to another member. */
  workerUnreachable: 503,
  stopping: 503,
  internal: 500,
} as const;

export type ApiErrorCode = keyof typeof API_ERRORS;

export interface ApiErrorBody {
  readonly code: ApiErrorCode;
  /** What happened, to what. */
  readonly message: string;
  /** What to do about it. */
  readonly hint: string;
  /** Fields of the error, by code: `field`, `missing`, `leader`, `actual`, ... */
  readonly details: Readonly<Record<string, unknown>>;
}

export class ApiError extends Error implements ApiErrorBody {
  override readonly name = "ApiError";
  readonly code: ApiErrorCode;
  readonly hint: string;
  readonly details: Readonly<Record<string, unknown>>;
  /** The id of the request in the node's log; null: it never reached a node. */
  readonly requestId: string | null;

  constructor(
    code: ApiErrorCode,
    message: string,
    hint: string,
    details: Readonly<Record<string, unknown>> = {},
    requestId: string | null = null,
  ) {
    super(message);
    this.code = code;
    this.hint = hint;
    this.details = details;
    this.requestId = requestId;
  }
}
