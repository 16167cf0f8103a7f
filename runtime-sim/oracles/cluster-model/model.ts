/**
 * The replicated state as its documents have it, written anew and as plainly as can be: every count by counting, every
 * order by sorting, every earlier state kept. It shares the definitions of data with the core, and the arithmetic of
 * addresses; nothing that decides.
 *
 * It knows what clients and operators ask for in a cluster without workers, and says of everything else that it does
 * not know it.
 */
import {
  type ApplyResult,
  type Command,
  type CommandResult,
  type CountLimits,
  decodeEntryData,
  type Entry,
  isReplicated,
  replicatedEntry,
} from "../../../core/index.ts";
import { poolRules } from "./pools.ts";
import { refused } from "./rules.ts";
import { Sessions } from "./sessions.ts";
import { ONLY, Tables } from "./tables.ts";
import { taskRules } from "./tasks.ts";
import { beyondRate, tenantRules } from "./tenants.ts";
import { membershipChanged, tokenRules } from "./tokens.ts";
import { vmRules } from "./vms.ts";

/** A command of a tenant, or of an operator. */
type ClientCommand = Exclude<Command, { readonly kind: "openSession" | "closeSession" }>;

/** Of a command that is not known here: nothing can be told from then on. */
class Unknown extends Error {}

export class ClusterModel {
  readonly tables: Tables;
  readonly sessions: Sessions;
  /** False from the first command on that it does not know. */
  #isKnown = true;

  /** `limits`: those of the cluster. */
  constructor(limits: CountLimits) {
    this.tables = new Tables(limits);
    this.sessions = new Sessions(limits.sessions);
  }

  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** Entries were lost that nobody holds any more. */
  lose(): void {
    this.#isKnown = false;
  }

  /** What was true before `index` is not asked for any more. */
  forgetBefore(index: number): void {
    this.tables.forgetBefore(index);
  }

  /** What becomes of the entry. Null: it has no result, or none that is known here. */
  apply(entry: Entry): ApplyResult | null {
    if (!this.#isKnown || !isReplicated(entry)) return null;
    const { tables } = this;
    tables.index = entry.index;
    tables.term = entry.term;
    const replicated = replicatedEntry(entry);
    if ("membership" in replicated) {
      membershipChanged(tables, replicated.membership);
      return null;
    }
    try {
      return this.#command(entry);
    } catch (error) {
      if (!(error instanceof Unknown)) throw error;
      this.#isKnown = false;
      return null;
    }
  }

  #command({ data, index }: Entry): ApplyResult {
    const { stamp, request, invalid } = decodeEntryData(data);
    if (invalid !== undefined) return { ok: false, refusal: invalid };
    this.tables.timeMs = Math.max(this.tables.timeMs, stamp.wallMs);
    const { session, actor = null, command } = request;
    if (command.kind === "openSession") return this.sessions.open(command.clientToken, index);
    if (command.kind === "closeSession")
      return session === null ? refusedSession(0) : this.sessions.request(session, index, null);
    const apply = (): CommandResult => this.#audited(actor, command);
    return session === null ? apply() : this.sessions.request(session, index, apply);
  }

  #audited(actor: string | null, command: ClientCommand): CommandResult {
    const { tables } = this;
    const tenant = tenantAsking(tables, command);
    const result = (tenant === null ? null : beyondRate(tables, tenant, "requests")) ?? resultOf(tables, command);
    if (actor !== null) {
      tables.happened({
        kind: "requested",
        by: actor,
        command: command.kind,
        target: targetOf(command),
        refusal: result.ok ? null : result.refusal.kind,
        change: changeOf(command),
      });
    }
    return result;
  }
}

function refusedSession(sessionId: number): ApplyResult {
  return { ok: false, refusal: { kind: "sessionExpired", sessionId } };
}

/** Whose allowance of requests a command counts against. */
function tenantAsking(tables: Tables, command: ClientCommand): string | null {
  switch (command.kind) {
    case "createVm":
    case "submitTask":
      return command.spec.tenant;
    case "updateVm":
    case "deleteVm":
    case "setVmDesired":
    case "restartVm":
    case "migrateVm":
      return tables.vms.get(command.name)?.tenant ?? null;
    case "cancelTask":
      return tables.tasks.get(command.id)?.tenant ?? null;
    default:
      return null;
  }
}

function resultOf(tables: Tables, command: ClientCommand): CommandResult {
  switch (command.kind) {
    case "createVm":
      return vmRules.createVm(tables, command);
    case "updateVm":
      return vmRules.updateVm(tables, command);
    case "deleteVm":
      return vmRules.deleteVm(tables, command);
    case "setVmDesired":
      return vmRules.setVmDesired(tables, command);
    case "restartVm":
      return vmRules.restartVm(tables, command);
    case "migrateVm":
      return vmRules.migrateVm(tables, command);
    case "rebalance":
      return vmRules.rebalance(tables, command);
    case "submitTask":
      return taskRules.submitTask(tables, command);
    case "cancelTask":
      return taskRules.cancelTask(tables, command);
    case "setQuota":
      return tenantRules.setQuota(tables, command);
    case "createPool":
      return poolRules.createPool(tables, command);
    case "deletePool":
      return poolRules.deletePool(tables, command);
    case "setPoolEnabled":
      return poolRules.setPoolEnabled(tables, command);
    case "setPoolStrategy":
      return poolRules.setPoolStrategy(tables, command);
    case "createToken":
      return tokenRules.createToken(tables, command);
    case "revokeToken":
      return tokenRules.revokeToken(tables, command);
    case "admitNode":
      return tokenRules.admitNode(tables, command);
    case "announceNode":
      return tokenRules.announceNode(tables, command);
    case "configureScheduler": {
      const { settings, expectedGeneration: expected } = command;
      const actual = tables.scheduler.get(ONLY)?.generation ?? 0;
      if (expected !== null && expected !== actual) return refused({ kind: "generationMismatch", expected, actual });
      tables.scheduler.set(ONLY, tables.index, { scheduler: settings, generation: actual + 1 });
      tables.happened({ kind: "schedulerConfigured", strategy: settings.strategy });
      return { ok: true, kind: "schedulerConfigured" };
    }
    // There is no worker.
    case "setAvailability":
    case "confirmWorkerDead":
    case "removeWorker":
      return refused({ kind: "workerNotFound", workerId: command.workerId });
    default:
      throw new Unknown(command.kind);
  }
}

/** What an event says that it was about. */
function targetOf(command: ClientCommand): string | null {
  switch (command.kind) {
    case "createPool":
      return command.spec.name;
    case "setQuota":
      return command.tenant;
    case "admitNode":
    case "announceNode":
      return String(command.nodeId);
    case "setAvailability":
    case "confirmWorkerDead":
    case "removeWorker":
      return String(command.workerId);
    default:
      return "name" in command ? command.name : "id" in command ? command.id : null;
  }
}

type AskedChange = Extract<Tables["events"][number], { readonly kind: "requested" }>["change"];

function changeOf(command: ClientCommand): AskedChange {
  switch (command.kind) {
    case "setVmDesired":
      return command.desired === "running" ? "start" : "stop";
    case "setAvailability":
      return ({ online: "uncordon", cordoned: "cordon", draining: "drain" } as const)[command.availability];
    case "setPoolEnabled":
      return command.enabled ? "enable" : "disable";
    case "setQuota":
      return command.quota === null ? "unlimit" : "limit";
    default:
      return null;
  }
}
