/** Who asked for what: the event that a request leaves behind whose client said who he is. */
import type { AskedChange, CommandResult } from "../domain/index.ts";
import type { Batch } from "./batch.ts";
import type { Command } from "./command.ts";

/** Everything but what opens and closes sessions. */
export type AuditedCommand = Exclude<Command, { readonly kind: "openSession" | "closeSession" }>;

/** Once for each request that was applied: a retry that is answered from its session's memory was told of before. */
export function audited(batch: Batch, actor: string, command: AuditedCommand, result: CommandResult): void {
  batch.happened({
    kind: "requested",
    by: actor,
    command: command.kind,
    change: changeOf(command),
    target: targetOf(command),
    refusal: result.ok ? null : result.refusal.kind,
  });
}

const AVAILABILITY_CHANGES = { online: "uncordon", cordoned: "cordon", draining: "drain" } as const;

function changeOf(command: AuditedCommand): AskedChange | null {
  switch (command.kind) {
    case "setAvailability":
      return AVAILABILITY_CHANGES[command.availability];
    case "setVmDesired":
      return command.desired === "running" ? "start" : "stop";
    case "setPoolEnabled":
      return command.enabled ? "enable" : "disable";
    case "setQuota":
      return command.quota === null ? "unlimit" : "limit";
    default:
      return null;
  }
}

function targetOf(command: AuditedCommand): string | null {
  switch (command.kind) {
    case "createVm":
    case "updateVm":
    case "deleteVm":
    case "placeVm":
    case "preempt":
    case "evictVm":
    case "recoverVm":
    case "dropNomination":
    case "setVmDesired":
    case "restartVm":
    case "migrateVm":
    case "deletePool":
    case "setPoolEnabled":
      return command.name;
    case "createPool":
      return command.spec.name;
    case "setQuota":
      return command.tenant;
    case "createToken":
    case "revokeToken":
    case "placeTask":
    case "submitTask":
    case "cancelTask":
      return command.id;
    case "admitNode":
    case "announceNode":
      return String(command.nodeId);
    case "registerWorker":
    case "workerLost":
    case "observe":
    case "setAvailability":
    case "confirmWorkerDead":
    case "removeWorker":
      return String(command.workerId);
    case "rebalance":
    case "configureScheduler":
    case "setPoolStrategy":
      return null;
  }
}
