/** An event as a line of text. */
import type { AuditedKind } from "../../../core/index.ts";
import type { AnswerOf } from "../../../runtime-real/index.ts";
import { formatTime } from "../../output/index.ts";

export type Event = AnswerOf<"events.list">["events"][number];

export function renderEvent(event: Event): string {
  return `${`${event.index}`.padStart(8)}  ${formatTime(event.atMs)}  ${words(event)}`;
}

function words(event: Event): string {
  switch (event.kind) {
    case "vmCreated":
      return `VM ${event.name} created (tenant ${event.tenant})`;
    case "vmUpdated":
      return `VM ${event.name} changed: generation ${event.generation}`;
    case "vmDeleted":
      return `VM ${event.name} deleted`;
    case "vmState":
      return `VM ${event.name} is ${event.state}${at(event.workerId)}${because(event.reason)}`;
    case "workerRegistered":
      return `worker ${event.workerId} registered${event.driver === null ? "" : ` with driver ${event.driver}`}`;
    case "workerStatus":
      return `worker ${event.workerId} is ${event.status}${event.reason === event.status ? "" : because(event.reason)}`;
    case "workerRemoved":
      return `worker ${event.workerId} removed for ever`;
    case "taskState":
      return `task ${event.id} is ${event.state}${at(event.workerId)}${because(event.reason)}`;
    case "quotaSet":
      return `tenant ${event.tenant} ${event.isLimited ? "has a quota" : "has no quota any more"}`;
    case "poolChanged":
      return `address pool ${event.pool} ${event.change}`;
    case "schedulerConfigured":
      return `VMs are placed by strategy ${event.strategy}`;
    case "poolStrategySet":
      return `addresses come from pools by strategy ${event.strategy}`;
    case "requested": {
      const { by, command, change, target, refusal } = event;
      const verb = change === null ? (WORDS.get(command) ?? spaced(command)) : CHANGE[change];
      const what = target === null ? verb : `${verb} ${target}`;
      return `${by} asked to ${what}${refusal === null ? "" : `: refused, ${spaced(refusal)}`}`;
    }
    case "tokenCreated":
      return `token ${event.tokenId} made, for ${event.purpose === "join" ? "joining" : "the API"}`;
    case "tokenRevoked":
      return `token ${event.tokenId} revoked`;
    case "nodeAdmitted":
      return `node ${event.nodeId} admitted with token ${event.tokenId}`;
    case "nodeAnnounced":
      return `node ${event.nodeId} listens on ${event.addresses.join(", ")}`;
    case "membershipChanged": {
      const learners = event.learners.length === 0 ? "" : `, learners ${event.learners.join(", ")}`;
      return `members: voters ${event.voters.join(", ")}${learners}`;
    }
  }
}

function at(workerId: number | null): string {
  return workerId === null ? "" : ` on worker ${workerId}`;
}

function because(reason: string): string {
  return reason === "" ? "" : `: ${reason}`;
}

/** The direction of a command that has two. */
const CHANGE = {
  cordon: "cordon worker",
  drain: "drain worker",
  uncordon: "uncordon worker",
  start: "start VM",
  stop: "stop VM",
  enable: "enable address pool",
  disable: "disable address pool",
  limit: "limit tenant",
  unlimit: "take the limits off tenant",
} as const satisfies Record<NonNullable<Extract<Event, { readonly kind: "requested" }>["change"]>, string>;

const ASKED = {
  createVm: "create VM",
  updateVm: "change VM",
  deleteVm: "delete VM",
  setVmDesired: "start or stop VM",
  restartVm: "restart VM",
  migrateVm: "move VM",
  setAvailability: "cordon, drain or uncordon worker",
  confirmWorkerDead: "confirm the death of worker",
  removeWorker: "remove worker",
  setQuota: "limit tenant",
  createPool: "create address pool",
  deletePool: "delete address pool",
  setPoolEnabled: "enable or disable address pool",
  setPoolStrategy: "change how address pools are chosen",
  submitTask: "run task",
  cancelTask: "cancel task",
  rebalance: "rebalance VMs",
  configureScheduler: "change how VMs are placed",
  createToken: "make token",
  revokeToken: "revoke token",
  admitNode: "admit node",
  announceNode: "announce node",
  registerWorker: "register worker",
  workerLost: "give up worker",
  observe: "note what runs on worker",
  placeVm: "place VM",
  preempt: "make room for VM",
  evictVm: "evict VM",
  recoverVm: "recover VM",
  dropNomination: "keep no room for VM",
  placeTask: "place task",
} as const satisfies Record<AuditedKind, string>;
const WORDS: ReadonlyMap<string, string> = new Map(Object.entries(ASKED));

/** "quotaExceeded" as "quota exceeded". */
function spaced(kind: string): string {
  return kind.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
