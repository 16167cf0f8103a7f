/** Refusals of commands by the replicated state, as errors of the API. */
import type { Refusal, WorkerRefusal } from "../../core/index.ts";
import { ApiError } from "../errors/index.ts";
import { invalidField, poolNotFound, taskNotFound, unexpected, vmNotFound, workerNotFound } from "./refusals.ts";

const QUOTA_WORDS = {
  vms: "VMs",
  vcpus: "vCPUs",
  memoryMiB: "MiB of memory",
  diskGiB: "GiB of disk",
} as const satisfies Record<Extract<Refusal, { readonly kind: "quotaExceeded" }>["resource"], string>;

/** The refusals of the scheduler in words, without their fields. */
const WHY_NOT: ReadonlyMap<string, string> = new Map<WorkerRefusal["kind"], string>([
  ["offline", "it is offline"],
  ["cordoned", "it is cordoned"],
  ["draining", "it is being drained"],
  ["notTheNamedWorker", "another one is named"],
  ["missingFeatures", "it lacks features"],
  ["insufficient", "there is not enough room"],
  ["tenantQuota", "the tenant has as many VMs there as its quota allows"],
  ["antiAffinity", "too many of its group are there"],
  ["excludedDatacenter", "its datacenter is excluded"],
  ["locality", "it is not where the VM has to be"],
  ["tooFewDomains", "there are too few failure domains"],
  ["tooExpensive", "it is too expensive"],
]);

export function applyRefused(refusal: Refusal): ApiError {
  switch (refusal.kind) {
    case "vmExists":
      return new ApiError(
        "vmExists",
        "a VM of this name exists already",
        "choose another name, or change that one with `blixard vm update`",
      );
    case "vmNotFound":
      return vmNotFound();
    case "generationMismatch":
      return new ApiError(
        "generationMismatch",
        `the generation is ${refusal.actual}, not ${refusal.expected}: somebody else has made a change meanwhile`,
        "read it again and repeat the change",
        { expected: refusal.expected, actual: refusal.actual },
      );
    case "sessionExpired":
      return new ApiError(
        "sessionExpired",
        `session ${refusal.sessionId} is not known (any more)`,
        "open a new session; what was not answered must be looked at",
        {
          sessionId: refusal.sessionId,
        },
      );
    case "sequenceTooOld":
      return new ApiError(
        "sequenceTooOld",
        `request ${refusal.sequence} of this session has been acknowledged already`,
        "number requests upwards",
        {
          sequence: refusal.sequence,
          lowestUnacknowledged: refusal.lowestUnacknowledged,
        },
      );
    case "invalidCommand":
      return invalidField(refusal);
    case "limitReached":
      return new ApiError(
        "limitReached",
        `the cluster holds no more than ${refusal.maximum} ${refusal.limit}`,
        "delete what is not needed any more",
        {
          limit: refusal.limit,
          maximum: refusal.maximum,
        },
      );
    case "tokenExists":
      return new ApiError("tokenExists", "a token with this id exists already", "make one with another id");
    case "tokenNotFound":
      return new ApiError(
        "tokenNotFound",
        "there is no token with this id",
        "`blixard token list` shows what there is",
      );
    case "nodeNotFound":
      return new ApiError(
        "nodeNotFound",
        `node ${refusal.nodeId} is no member of the cluster`,
        "`blixard cluster members` lists them",
        { nodeId: refusal.nodeId },
      );
    case "workerNotFound":
      return workerNotFound(refusal.workerId);
    case "workerHasChanged":
      return new ApiError(
        "workerHasChanged",
        `worker ${refusal.workerId} has registered anew, or is lost`,
        "look again, and repeat what still holds",
        { workerId: refusal.workerId },
      );
    case "workerRemoved":
      return new ApiError(
        "workerRemoved",
        `worker ${refusal.workerId} was removed for ever`,
        "a host that comes back joins under a new id, with an empty data directory",
        { workerId: refusal.workerId },
      );
    case "workerIsMember":
      return new ApiError(
        "workerIsMember",
        `worker ${refusal.workerId} is a member of the cluster, and keeps its log`,
        `\`blixard cluster leave --node ${refusal.workerId}\` takes it out; after that its worker can be removed`,
        { workerId: refusal.workerId },
      );
    case "workerIsOnline":
      return new ApiError(
        "workerIsOnline",
        `worker ${refusal.workerId} is online, and takes what is new`,
        `\`blixard worker drain ${refusal.workerId}\` first, or turn its host off and wait until it is offline`,
        { workerId: refusal.workerId },
      );
    case "workerInUse": {
      const { workerId, vms, tasks } = refusal;
      return new ApiError(
        "workerInUse",
        `${placedWords(vms, tasks)} still placed on worker ${workerId}`,
        `\`blixard worker drain ${workerId}\` moves them away; if its host is off for good, \`blixard worker confirm-dead ${workerId}\` gives them up`,
        { workerId, vms, tasks },
      );
    }
    case "vmHasChanged":
      return new ApiError("vmHasChanged", "the VM has changed meanwhile", "look again, and repeat what still holds");
    case "vmIsBeingDeleted":
      return new ApiError("vmIsBeingDeleted", "the VM is being deleted", "wait until it is gone, or take another name");
    case "vmIsNotPlaced":
      return new ApiError("vmIsNotPlaced", "the VM is on no worker", "wait until it has a place");
    case "vmIsPlaced":
      return new ApiError(
        "vmIsPlaced",
        `the VM is on worker ${refusal.workerId} already`,
        "move it from there instead",
        { workerId: refusal.workerId },
      );
    case "doesNotFit":
      return new ApiError(
        "doesNotFit",
        `it does not fit on worker ${refusal.workerId}: ${WHY_NOT.get(refusal.why) ?? refusal.why}`,
        "choose another worker, or make room on this one; `blixard vm plan` shows what each says",
        { workerId: refusal.workerId, why: refusal.why },
      );
    case "quotaExceeded":
      return new ApiError(
        "quotaExceeded",
        `the tenant would have ${refusal.wanted} ${QUOTA_WORDS[refusal.resource]}, its quota is ${refusal.limit}`,
        "ask for less, delete what is not needed any more, or have the quota raised",
        { resource: refusal.resource, wanted: refusal.wanted, limit: refusal.limit },
      );
    case "tooManyRequests":
      return new ApiError(
        "tooManyRequests",
        refusal.what === "requests"
          ? `the tenant asks more often than ${refusal.perMinute / 60} times a second`
          : `the tenant has made its ${refusal.perMinute} ${refusal.what} of this minute`,
        `try again in ${Math.ceil(refusal.retryAfterMs / 1000)} s`,
        { what: refusal.what, perMinute: refusal.perMinute, retryAfterMs: refusal.retryAfterMs },
      );
    case "tooSoon":
      return new ApiError(
        "tooSoon",
        "the last rebalance has just been",
        `try again in ${Math.ceil(refusal.retryAfterMs / 1000)} s`,
        { retryAfterMs: refusal.retryAfterMs },
      );
    case "poolExists":
      return new ApiError("poolExists", "an address pool of this name exists already", "choose another name");
    case "poolNotFound":
      return poolNotFound(refusal.pool);
    case "poolDisabled":
      return new ApiError(
        "poolDisabled",
        `the address pool ${refusal.pool} gives nothing out`,
        "`blixard ip-pool enable` lets it, or take another",
        {
          pool: refusal.pool,
        },
      );
    case "poolOverlaps":
      return new ApiError(
        "poolOverlaps",
        `its addresses are also those of the pool ${refusal.pool}`,
        "give it addresses of its own",
        { pool: refusal.pool },
      );
    case "poolInUse":
      return new ApiError(
        "poolInUse",
        `${refusal.usedCount} of the pool's addresses are in use`,
        "delete the VMs that have them first",
        { usedCount: refusal.usedCount },
      );
    case "poolExhausted":
      return new ApiError(
        "poolExhausted",
        `all ${refusal.size} addresses of the pool ${refusal.pool} are in use`,
        "make the pool larger, or take another",
        { pool: refusal.pool, size: refusal.size },
      );
    case "noPoolWithTags":
      return new ApiError(
        "noPoolWithTags",
        refusal.tags.length === 0 ? "there is no address pool" : `no address pool carries ${tagged(refusal.tags)}`,
        "`blixard ip-pool show` shows a pool's tags, `blixard ip-pool create` makes a pool",
        { tags: refusal.tags },
      );
    case "poolsDisabled":
      return new ApiError(
        "poolsDisabled",
        `no address pool${carrying(refusal.tags)} gives anything out: ${disabled(refusal.disabledCount)}`,
        "`blixard ip-pool enable` lets one",
        { tags: refusal.tags, disabledCount: refusal.disabledCount },
      );
    case "poolsExhausted": {
      const { tags, size, disabledCount } = refusal;
      const more = disabledCount === 0 ? "" : `; ${disabled(disabledCount)}`;
      return new ApiError(
        "poolsExhausted",
        `all ${size} addresses of the pools${carrying(tags)} are in use${more}`,
        `make another pool${disabledCount === 0 ? "" : ", or enable one"}`,
        { tags, size, disabledCount },
      );
    }
    case "taskExists":
      return new ApiError("taskExists", "a task with this id exists already", "choose another id");
    case "taskNotFound":
      return taskNotFound();
    case "taskHasChanged":
      return new ApiError(
        "taskHasChanged",
        "the task has changed meanwhile",
        "look again, and repeat what still holds",
      );
    case "tokenExpired":
    case "tokenUsed":
    case "tokenRevoked":
    case "tokenNotForJoining":
    case "tokenForAnotherNode":
    case "nodeIdTaken":
    case "peerIdTaken":
      return unexpected(refusal.kind);
  }
}

function carrying(tags: readonly string[]): string {
  return tags.length === 0 ? "" : ` with ${tagged(tags)}`;
}

function tagged(tags: readonly string[]): string {
  return `${tags.length === 1 ? "the tag" : "all of the tags"} ${tags.join(", ")}`;
}

function disabled(count: number): string {
  return count === 1 ? "1 is disabled" : `${count} are disabled`;
}

function placedWords(vms: number, tasks: number): string {
  const words = [[vms, "VM"] as const, [tasks, "task"] as const].flatMap(([count, name]) =>
    count === 0 ? [] : [`${count} ${name}${count === 1 ? "" : "s"}`],
  );
  return `${words.join(" and ")} ${vms + tasks === 1 ? "is" : "are"}`;
}
