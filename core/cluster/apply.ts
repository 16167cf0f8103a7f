/**
 * The state machine: takes a state and committed entries, returns the next state and one result for each entry. It is
 * a pure function: replaying a log on any machine, in batches of any size, gives the same states and results.
 */
import {
  type ApplyResult,
  type Membership,
  openedSession,
  type RequestSession,
  storedResponse,
  touched,
  withResponse,
} from "../domain/index.ts";
import { isMarking, mark } from "../marks.ts";
import { Batch, type Touched } from "./batch.ts";
import { type AuditedCommand, applyCommand, type CommandRequest, LEVEL, levelOf } from "./command.ts";
import { decodeEntryData } from "./entry-data.ts";
import { leastRecentlyActive } from "./expiry.ts";
import { checkTouchedIndexes } from "./index-checks.ts";
import { applyMembership } from "./nodes.ts";
import type { ClusterState } from "./state.ts";

/** What the state machine needs of a log entry. */
export interface CommandEntry {
  readonly index: number;
  readonly term: number;
  /** See entry-data.ts. Must never change. */
  readonly data: Uint8Array;
}

/** An entry of the log that tells who takes part from here on. */
export interface MembershipEntry {
  readonly index: number;
  readonly term: number;
  readonly membership: Membership;
}

export interface ApplyOutcome<Result = ApplyResult> {
  readonly state: ClusterState;
  /** One for each entry, in their order; null for a membership. */
  readonly results: readonly Result[];
  readonly touched: Touched;
}

/**
 * Applies committed entries in log order. Whatever their bytes are, the answer is a result and never a throw, and the
 * same on every replica.
 *
 * The cost of an entry does not grow with the number of VMs or sessions.
 *
 * `level`: the feature level of the build; every replica must know every command that is committed.
 *
 * @throws AppliedOutOfOrder when an index does not lie above all that were applied before: a defect of the caller,
 * which must stop the node.
 */
export function applyEntries(state: ClusterState, entries: readonly CommandEntry[], level?: number): ApplyOutcome;
export function applyEntries(
  state: ClusterState,
  entries: readonly (CommandEntry | MembershipEntry)[],
  level?: number,
): ApplyOutcome<ApplyResult | null>;
export function applyEntries(
  state: ClusterState,
  entries: readonly (CommandEntry | MembershipEntry)[],
  level: number = LEVEL,
): ApplyOutcome<ApplyResult | null> {
  if (entries.length === 0) return { state, results: [], touched: NOTHING_TOUCHED };
  const batch = new Batch(state);
  const results: (ApplyResult | null)[] = [];
  for (const entry of entries) {
    if (!Number.isSafeInteger(entry.index) || entry.index <= batch.appliedIndex)
      throw new AppliedOutOfOrder(entry.index, batch.appliedIndex);
    batch.appliedIndex = entry.index;
    batch.term = entry.term;
    if ("membership" in entry) {
      applyMembership(batch, entry.membership);
      results.push(null);
    } else {
      const result = applyEntry(batch, entry, level);
      if (isMarking && !result.ok) mark(`refused/${result.refusal.kind}`);
      results.push(result);
    }
  }
  checkTouchedIndexes(batch);
  return { state: batch.finish(), results, touched: batch.touched };
}

const UNKNOWN_COMMAND: ApplyResult = Object.freeze({
  ok: false,
  refusal: Object.freeze({ kind: "invalidCommand", field: "command", reason: "is unknown here" }),
});
const NOTHING_TOUCHED: Touched = Object.freeze({ vms: [], workers: [], tasks: [] });

/** An entry was about to be applied twice, or out of order. */
export class AppliedOutOfOrder extends Error {
  override readonly name = "AppliedOutOfOrder";
  readonly index: number;
  readonly appliedIndex: number;

  constructor(index: number, appliedIndex: number) {
    super(`entry ${index} was given to a state that has applied ${appliedIndex}`);
    this.index = index;
    this.appliedIndex = appliedIndex;
  }
}

function applyEntry(batch: Batch, { index, data }: CommandEntry, level: number): ApplyResult {
  const { stamp, request, invalid } = decodeEntryData(data);
  if (invalid !== undefined) return { ok: false, refusal: invalid };
  // A build of that level cannot decode it.
  if (levelOf(request.command) > level) return UNKNOWN_COMMAND;
  if (stamp.wallMs > batch.timeMs) batch.timeMs = stamp.wallMs;
  return applyRequest(batch, request, index);
}

function applyRequest(batch: Batch, { session, actor = null, command }: CommandRequest, index: number): ApplyResult {
  if (command.kind === "openSession") return openSession(batch, command.clientToken, index);
  if (session !== null) return applyInSession(batch, session, actor, command, index);
  // Decoding refuses a close without a session.
  if (command.kind === "closeSession") return sessionExpired(0);
  return applyCommand(batch, actor, command);
}

/** A retry finds the session that the first try opened. */
function openSession(batch: Batch, clientToken: string, index: number): ApplyResult {
  const open = batch.sessionOfToken(clientToken);
  if (open !== null) {
    mark("session/opened-again");
    batch.putSession(touched(open, index, open.lowestUnacknowledged));
    return { ok: true, kind: "sessionOpened", sessionId: open.id };
  }
  if (batch.sessionCount >= batch.limits.sessions) {
    const oldest = leastRecentlyActive(batch, index);
    if (oldest !== null) {
      mark("session/expired-for-another");
      batch.removeSession(oldest);
    }
  }
  batch.addSession(openedSession(index, clientToken));
  return { ok: true, kind: "sessionOpened", sessionId: index };
}

/**
 * Exactly once: a request whose result is stored is answered with that result. A request below what the client has
 * acknowledged is refused. Its result was forgotten, so nobody can tell whether it was applied, and the client does
 * not need the answer any more.
 */
function applyInSession(
  batch: Batch,
  request: RequestSession,
  actor: string | null,
  command: AuditedCommand | { readonly kind: "closeSession" },
  index: number,
): ApplyResult {
  const { id, sequence } = request;
  const session = batch.session(id);
  if (session === null) return sessionExpired(id);
  const { lowestUnacknowledged } = session;
  if (sequence < lowestUnacknowledged)
    return { ok: false, refusal: { kind: "sequenceTooOld", sequence, lowestUnacknowledged } };

  const current = touched(session, index, request.lowestUnacknowledged);
  const earlier = storedResponse(current, sequence);
  if (earlier !== null) {
    mark("session/answered-from-memory");
    batch.putSession(current);
    return earlier;
  }
  if (command.kind === "closeSession") {
    batch.removeSession(session);
    return { ok: true, kind: "sessionClosed", sessionId: id };
  }
  const result = applyCommand(batch, actor, command);
  batch.putSession(withResponse(current, request, result));
  return result;
}

function sessionExpired(sessionId: number): ApplyResult {
  return { ok: false, refusal: { kind: "sessionExpired", sessionId } };
}
