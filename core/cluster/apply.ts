/**
 * The state machine: a state and committed entries in, the next state and one result an entry out. A pure function: replaying a log anywhere gives
 * the same states and results, and however a log is cut into batches.
 */
import {
  type ApplyResult,
  CLUSTER_LIMITS,
  type CommandResult,
  type Membership,
  openedSession,
  type RequestSession,
  storedResponse,
  touched,
  withResponse,
} from "../domain/index.ts";
import { type AuditedCommand, audited } from "./audit.ts";
import { Batch, type Touched } from "./batch.ts";
import type { CommandRequest } from "./command.ts";
import { decodeEntryData } from "./entry-data.ts";
import { leastRecentlyActive } from "./expiry.ts";
import { createPool, deletePool, setPoolEnabled, setPoolStrategy } from "./ip-pools.ts";
import { admitNode, announceNode, applyMembership } from "./nodes.ts";
import type { ClusterState } from "./state.ts";
import { cancelTask, placeTask, submitTask } from "./tasks.ts";
import { setQuota, takeRequestToken } from "./tenants.ts";
import { createToken, revokeToken } from "./tokens.ts";
import { applyVmCommand } from "./vm-commands.ts";
import { dropNomination, evictVm, observe, placeVm, preempt, rebalance, recoverVm } from "./vm-moves.ts";
import { registerWorker, removeWorker, setAvailability, workerLost } from "./workers.ts";

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
 * Applies committed entries in log order. Whatever their bytes are, the answer is a result and never a throw, and the same on every replica.
 *
 * The cost of an entry does not grow with the number of VMs or sessions.
 *
 * @throws AppliedOutOfOrder when an index does not lie above all that were applied before: a defect of the caller, which must stop the node.
 */
export function applyEntries(state: ClusterState, entries: readonly CommandEntry[]): ApplyOutcome;
export function applyEntries(
  state: ClusterState,
  entries: readonly (CommandEntry | MembershipEntry)[],
): ApplyOutcome<ApplyResult | null>;
export function applyEntries(
  state: ClusterState,
  entries: readonly (CommandEntry | MembershipEntry)[],
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
      results.push(applyEntry(batch, entry));
    }
  }
  return { state: batch.finish(), results, touched: batch.touched };
}

const schedulerConfigured: CommandResult = Object.freeze({ ok: true, kind: "schedulerConfigured" });
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

function applyEntry(batch: Batch, { index, data }: CommandEntry): ApplyResult {
  const { stamp, request, invalid } = decodeEntryData(data);
  if (invalid !== undefined) return { ok: false, refusal: invalid };
  if (stamp.wallMs > batch.timeMs) batch.timeMs = stamp.wallMs;
  return applyRequest(batch, request, index);
}

function applyRequest(batch: Batch, { session, actor = null, command }: CommandRequest, index: number): ApplyResult {
  if (command.kind === "openSession") return openSession(batch, command.clientToken, index);
  if (session !== null) return applyInSession(batch, session, actor, command, index);
  // Decoding refuses a close without a session.
  if (command.kind === "closeSession") return sessionExpired(0);
  return applyFor(batch, actor, command, index);
}

function applyFor(batch: Batch, actor: string | null, command: AuditedCommand, index: number): CommandResult {
  const result = takeRequestToken(batch, command) ?? applyCommand(batch, command, index);
  if (actor !== null) audited(batch, actor, command, result);
  return result;
}

function applyCommand(batch: Batch, command: AuditedCommand, index: number): CommandResult {
  switch (command.kind) {
    case "createVm":
    case "updateVm":
    case "deleteVm":
    case "setVmDesired":
    case "restartVm":
    case "migrateVm":
      return applyVmCommand(batch, command, index);
    case "registerWorker":
      return registerWorker(batch, command);
    case "workerLost":
      return workerLost(batch, command.workerId, command.bootId, false);
    case "confirmWorkerDead":
      return workerLost(batch, command.workerId, null, true);
    case "removeWorker":
      return removeWorker(batch, command.workerId);
    case "setAvailability":
      return setAvailability(batch, command.workerId, command.availability);
    case "observe":
      return observe(batch, command);
    case "placeVm":
      return placeVm(batch, command);
    case "preempt":
      return preempt(batch, command);
    case "evictVm":
      return evictVm(batch, command);
    case "recoverVm":
      return recoverVm(batch, command);
    case "dropNomination":
      return dropNomination(batch, command);
    case "setQuota":
      return setQuota(batch, command.tenant, command.quota);
    case "createPool":
      return createPool(batch, command.spec);
    case "deletePool":
      return deletePool(batch, command.name);
    case "setPoolEnabled":
      return setPoolEnabled(batch, command.name, command.enabled);
    case "setPoolStrategy":
      return setPoolStrategy(batch, command.strategy);
    case "submitTask":
      return submitTask(batch, command);
    case "cancelTask":
      return cancelTask(batch, command.id);
    case "placeTask":
      return placeTask(batch, command);
    case "rebalance":
      return rebalance(batch, command.moves);
    case "configureScheduler":
      batch.scheduler = command.settings;
      batch.roomMayHaveGrown();
      batch.happened({ kind: "schedulerConfigured", strategy: command.settings.strategy });
      return schedulerConfigured;
    case "createToken":
      return createToken(batch, command);
    case "revokeToken":
      return revokeToken(batch, command.id);
    case "admitNode":
      return admitNode(batch, command);
    case "announceNode":
      return announceNode(batch, command);
  }
}

/** A retry finds the session that the first try opened. */
function openSession(batch: Batch, clientToken: string, index: number): ApplyResult {
  const open = batch.sessionOfToken(clientToken);
  if (open !== null) {
    batch.putSession(touched(open, index, open.lowestUnacknowledged));
    return { ok: true, kind: "sessionOpened", sessionId: open.id };
  }
  if (batch.sessionCount >= CLUSTER_LIMITS.sessions) {
    const oldest = leastRecentlyActive(batch, index);
    if (oldest !== null) batch.removeSession(oldest);
  }
  batch.addSession(openedSession(index, clientToken));
  return { ok: true, kind: "sessionOpened", sessionId: index };
}

/**
 * Exactly once: a request with a stored result is answered with that result. One below what the client has acknowledged is refused: its result is
 * forgotten, so whether it was applied cannot be told, and the client needs no answer any more.
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
    batch.putSession(current);
    return earlier;
  }
  if (command.kind === "closeSession") {
    batch.removeSession(session);
    return { ok: true, kind: "sessionClosed", sessionId: id };
  }
  const result = applyFor(batch, actor, command, index);
  batch.putSession(withResponse(current, request, result));
  return result;
}

function sessionExpired(sessionId: number): ApplyResult {
  return { ok: false, refusal: { kind: "sessionExpired", sessionId } };
}
