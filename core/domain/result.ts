import type { LimitedRate } from "./tenant.ts";

/** What became of one entry: plain values, equal on every replica. */
export type ApplyResult = Applied | Refused;

export type Applied =
  | { readonly ok: true; readonly kind: "sessionOpened"; readonly sessionId: number }
  | { readonly ok: true; readonly kind: "sessionClosed"; readonly sessionId: number }
  | { readonly ok: true; readonly kind: "vmCreated"; readonly generation: number }
  | { readonly ok: true; readonly kind: "vmUpdated"; readonly generation: number }
  /** `generation` is the one that was deleted. */
  | { readonly ok: true; readonly kind: "vmDeleted"; readonly generation: number }
  | { readonly ok: true; readonly kind: "tokenCreated"; readonly expiresAtMs: number }
  | { readonly ok: true; readonly kind: "tokenRevoked" }
  | { readonly ok: true; readonly kind: "nodeAdmitted" }
  | { readonly ok: true; readonly kind: "nodeAnnounced" }
  /** How many moves of the plan were made, and how many were not; null: that was not counted yet, in version 3 of the snapshot. */
  | { readonly ok: true; readonly kind: "rebalanced"; readonly moved: number | null; readonly refused: number | null }
  | {
      readonly ok: true;
      readonly kind: Exclude<(typeof ORCHESTRATED)[number], "rebalanced">;
    };

/** What there is to say of commands that came with workers. Encoded by position. */
export const ORCHESTRATED = [
  "vmChanged",
  "workerRegistered",
  "workerChanged",
  "quotaSet",
  "poolCreated",
  "poolDeleted",
  "poolChanged",
  "taskSubmitted",
  "taskChanged",
  "taskCancelled",
  "schedulerConfigured",
  "rebalanced",
  "poolStrategySet",
  "workerRemoved",
] as const;

export interface Refused {
  readonly ok: false;
  readonly refusal: Refusal;
}

/** Why an entry changed nothing. */
export type Refusal =
  | { readonly kind: "vmExists" }
  | { readonly kind: "vmNotFound" }
  | { readonly kind: "generationMismatch"; readonly expected: number; readonly actual: number }
  /** The session was never opened, was closed, or gave way to others. What became of its unanswered requests cannot be told any more. */
  | { readonly kind: "sessionExpired"; readonly sessionId: number }
  /** The client had acknowledged this answer already; it was forgotten. */
  | { readonly kind: "sequenceTooOld"; readonly sequence: number; readonly lowestUnacknowledged: number }
  | InvalidCommandRefusal
  | { readonly kind: "limitReached"; readonly limit: LimitName; readonly maximum: number }
  | { readonly kind: "tokenExists" | "tokenNotForJoining" | "tokenRevoked" }
  /** No token has this id, or its secret is another. */
  | { readonly kind: "tokenNotFound" }
  | { readonly kind: "tokenExpired"; readonly expiredAtMs: number }
  /** `nodeId` has joined with it. */
  | { readonly kind: "tokenUsed"; readonly nodeId: number }
  | { readonly kind: "tokenForAnotherNode"; readonly nodeId: number }
  /** The id is bound to another identity, for ever. */
  | { readonly kind: "nodeIdTaken"; readonly nodeId: number }
  /** The identity is bound to this id, for ever. */
  | { readonly kind: "peerIdTaken"; readonly nodeId: number }
  | { readonly kind: "nodeNotFound"; readonly nodeId: number }
  | { readonly kind: "workerNotFound"; readonly workerId: number }
  /** It has registered anew, or is lost: what was seen of it counts no more. */
  | { readonly kind: "workerHasChanged"; readonly workerId: number }
  /** It was taken off the list, and its node never comes back. */
  | { readonly kind: "workerRemoved"; readonly workerId: number }
  /** Not to be removed: it is a member, and that goes with leaving the cluster. */
  | { readonly kind: "workerIsMember"; readonly workerId: number }
  /** Not to be removed: it takes what is new. */
  | { readonly kind: "workerIsOnline"; readonly workerId: number }
  /** Not to be removed: so many VMs and tasks are placed there, and may run. */
  | { readonly kind: "workerInUse"; readonly workerId: number; readonly vms: number; readonly tasks: number }
  /** What the leader looked at is no longer so. */
  | { readonly kind: "vmHasChanged" | "vmIsBeingDeleted" | "vmIsNotPlaced" }
  | { readonly kind: "vmIsPlaced"; readonly workerId: number }
  /** `why`: the kind of the scheduler's refusal. */
  | { readonly kind: "doesNotFit"; readonly workerId: number; readonly why: string }
  | {
      readonly kind: "quotaExceeded";
      readonly resource: "vms" | "vcpus" | "memoryMiB" | "diskGiB";
      readonly wanted: number;
      readonly limit: number;
    }
  | {
      readonly kind: "tooManyRequests";
      readonly what: LimitedRate;
      readonly perMinute: number;
      readonly retryAfterMs: number;
    }
  | { readonly kind: "poolExists" | "taskExists" | "taskNotFound" | "taskHasChanged" }
  | { readonly kind: "poolNotFound" | "poolDisabled" | "poolOverlaps"; readonly pool: string }
  /** The last rebalance has just been. */
  | { readonly kind: "tooSoon"; readonly retryAfterMs: number }
  | { readonly kind: "poolInUse"; readonly usedCount: number }
  | { readonly kind: "poolExhausted"; readonly pool: string; readonly size: number }
  /** No pool carries all of them; without tags: there is none. */
  | { readonly kind: "noPoolWithTags"; readonly tags: readonly string[] }
  /** Those that do are all switched off. */
  | { readonly kind: "poolsDisabled"; readonly tags: readonly string[]; readonly disabledCount: number }
  /** All addresses are in use, `size`, of those that do and are not switched off. */
  | {
      readonly kind: "poolsExhausted";
      readonly tags: readonly string[];
      readonly size: number;
      readonly disabledCount: number;
    };

export const LIMIT_NAMES = ["vms", "tokens", "nodes", "workers", "tenants", "tasks", "ipPools"] as const;
export type LimitName = (typeof LIMIT_NAMES)[number];

/** The entry is no valid command: `field` breaks the rule told by `reason`. */
export interface InvalidCommandRefusal {
  readonly kind: "invalidCommand";
  readonly field: string;
  readonly reason: string;
}

/** What a session remembers: results of everything but session commands themselves, and of entries that hold no command. */
export type CommandResult =
  | Exclude<Applied, { readonly kind: "sessionOpened" | "sessionClosed" }>
  | {
      readonly ok: false;
      readonly refusal: Exclude<Refusal, { readonly kind: "sessionExpired" | "sequenceTooOld" | "invalidCommand" }>;
    };

/** Deeply frozen. */
export function refused(refusal: Extract<CommandResult, { readonly ok: false }>["refusal"]): CommandResult {
  return Object.freeze({ ok: false, refusal: Object.freeze(refusal) });
}
