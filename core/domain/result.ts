/**
 * What became of one entry: plain values, equal on every replica. A session remembers results, so they have an
 * encoding; what is never remembered has none.
 */
import {
  choice,
  either,
  type Infer,
  InvalidField,
  integer,
  list,
  nullable,
  record,
  text,
  variants,
} from "../schema/index.ts";
import { nameSchema, nodeIdSchema } from "./identity.ts";
import { CLUSTER_LIMITS } from "./limits.ts";
import { nestedBehind } from "./nested-kinds.ts";
import { countSchema, generationSchema, instantMsSchema } from "./numbers.ts";
import { LIMITED_RATES, QUOTA_RESOURCES } from "./tenant.ts";

export type ApplyResult = Applied | Refused;

export type Applied =
  | { readonly ok: true; readonly kind: "sessionOpened"; readonly sessionId: number }
  | { readonly ok: true; readonly kind: "sessionClosed"; readonly sessionId: number }
  | AppliedCommand;

/** A command was carried out. */
export type AppliedCommand = WithOk<Exclude<Infer<typeof appliedSchema>, { readonly kind: "rebalancedUncounted" }>>;

type WithOk<Kinds> = Kinds extends unknown ? { readonly ok: true } & Kinds : never;

export interface Refused {
  readonly ok: false;
  readonly refusal: Refusal;
}

/** Why an entry changed nothing. */
export type Refusal =
  | StoredRefusal
  /**
   * The session was never opened, was closed, or was expired for others. Nobody can tell any more what became of its
   * unanswered requests.
   */
  | { readonly kind: "sessionExpired"; readonly sessionId: number }
  /** The client had acknowledged this answer already; it was forgotten. */
  | { readonly kind: "sequenceTooOld"; readonly sequence: number; readonly lowestUnacknowledged: number }
  | InvalidCommandRefusal;

/** The entry is no valid command: `field` breaks the rule told by `reason`. */
export interface InvalidCommandRefusal {
  readonly kind: "invalidCommand";
  readonly field: string;
  readonly reason: string;
}

/**
 * What a session remembers: results of everything but session commands themselves, and of entries that hold no
 * command.
 */
export type CommandResult = AppliedCommand | { readonly ok: false; readonly refusal: StoredRefusal };

const moves = nullable(integer(0, CLUSTER_LIMITS.observations));

/** Of commands that came with workers. */
const laterApplied = {
  vmChanged: {},
  workerRegistered: {},
  workerChanged: {},
  quotaSet: {},
  poolCreated: {},
  poolDeleted: {},
  poolChanged: {},
  taskSubmitted: {},
  taskChanged: {},
  taskCancelled: {},
  schedulerConfigured: {},
  /** As version 3 of the snapshot had it. */
  rebalancedUncounted: {},
  poolStrategySet: {},
  workerRemoved: {},
};
const LATER_APPLIED = 20;

const appliedSchema = variants(
  {
    vmCreated: { generation: generationSchema },
    vmUpdated: { generation: generationSchema },
    vmDeleted: { generation: generationSchema.doc("The one that was deleted") },
    tokenCreated: { expiresAtMs: instantMsSchema },
    tokenRevoked: {},
    nodeAdmitted: {},
    nodeAnnounced: {},
    /** Null: not counted, in version 3 of the snapshot. */
    rebalanced: {
      moved: moves.doc("How many moves of the plan were made"),
      refused: moves.doc("How many moves of the plan were not made"),
    },
    ...laterApplied,
  },
  {
    vmCreated: 0,
    vmUpdated: 1,
    vmDeleted: 2,
    tokenCreated: 7,
    tokenRevoked: 8,
    nodeAdmitted: 9,
    nodeAnnounced: 10,
    rebalanced: 22,
    ...nestedBehind(LATER_APPLIED, laterApplied),
  },
);

export const LIMIT_NAMES = ["vms", "tokens", "nodes", "workers", "tenants", "tasks", "ipPools"] as const;

const workerId = nodeIdSchema;
const pool = nameSchema;
const tags = list(nameSchema, { lengthMax: CLUSTER_LIMITS.listLength });
const retryAfterMs = countSchema;

/** Of commands that came with workers. */
const laterRefusals = {
  nodeNotFound: { nodeId: nodeIdSchema },
  workerNotFound: { workerId },
  /** It has registered anew, or is lost: what was seen of it counts no more. */
  workerHasChanged: { workerId },
  /** What the leader looked at is no longer so. */
  vmHasChanged: {},
  vmIsBeingDeleted: {},
  vmIsNotPlaced: {},
  vmIsPlaced: { workerId },
  doesNotFit: { workerId, why: text(0, CLUSTER_LIMITS.reasonLength).doc("The kind of the scheduler's refusal") },
  quotaExceeded: { resource: choice(QUOTA_RESOURCES), wanted: countSchema, limit: countSchema },
  tooManyRequests: { what: choice(LIMITED_RATES), perMinute: countSchema, retryAfterMs },
  poolExists: {},
  taskExists: {},
  taskNotFound: {},
  taskHasChanged: {},
  poolNotFound: { pool },
  poolDisabled: { pool },
  poolOverlaps: { pool },
  poolInUse: { usedCount: countSchema },
  poolExhausted: { pool, size: countSchema },
  /** The last rebalance has just been. */
  tooSoon: { retryAfterMs },
  /** No pool carries all of them; without tags: there is none. */
  noPoolWithTags: { tags },
  /** Those that do are all switched off. */
  poolsDisabled: { tags, disabledCount: countSchema },
  /** All addresses are in use, `size`, of those that do and are not switched off. */
  poolsExhausted: { tags, size: countSchema, disabledCount: countSchema },
  /** It was taken off the list, and its node never comes back. */
  workerRemoved: { workerId },
  /** Not to be removed: it is a member, and that goes with leaving the cluster. */
  workerIsMember: { workerId },
  /** Not to be removed: it takes what is new. */
  workerIsOnline: { workerId },
  /** Not to be removed: so many VMs and tasks are placed there, and may run. */
  workerInUse: { workerId, vms: countSchema, tasks: countSchema },
};

const REFUSAL_NUMBERS = {
  vmExists: 3,
  vmNotFound: 4,
  generationMismatch: 5,
  limitReached: 6,
  tokenExists: 11,
  tokenNotForJoining: 12,
  tokenRevoked: 13,
  tokenNotFound: 14,
  tokenExpired: 15,
  tokenUsed: 16,
  tokenForAnotherNode: 17,
  nodeIdTaken: 18,
  peerIdTaken: 19,
  ...nestedBehind(21, laterRefusals),
};

const refusalSchema = variants(
  {
    vmExists: {},
    vmNotFound: {},
    generationMismatch: { expected: generationSchema, actual: generationSchema },
    /** Version 1 had one limit. */
    limitReached: { maximum: integer(1), limit: choice(LIMIT_NAMES).default("vms").since(2) },
    tokenExists: {},
    tokenNotForJoining: {},
    tokenRevoked: {},
    /** No token has this id, or its secret is another. */
    tokenNotFound: {},
    tokenExpired: { expiredAtMs: instantMsSchema },
    /** `nodeId` has joined with it. */
    tokenUsed: { nodeId: nodeIdSchema },
    tokenForAnotherNode: { nodeId: nodeIdSchema },
    /** The id is bound to another identity, for ever. */
    nodeIdTaken: { nodeId: nodeIdSchema },
    /** The identity is bound to this id, for ever. */
    peerIdTaken: { nodeId: nodeIdSchema },
    ...laterRefusals,
  },
  REFUSAL_NUMBERS,
);
export type StoredRefusal = Infer<typeof refusalSchema>;

/** Every kind of `Refusal`. */
export const REFUSAL_KINDS: readonly Refusal["kind"][] = [
  ...Object.keys(REFUSAL_NUMBERS).filter((kind): kind is keyof typeof REFUSAL_NUMBERS => kind in REFUSAL_NUMBERS),
  ...(["sessionExpired", "sequenceTooOld", "invalidCommand"] as const),
];

const REFUSED_NUMBERS: ReadonlySet<unknown> = new Set(
  Object.values(REFUSAL_NUMBERS).map((number) => (typeof number === "number" ? number : number[0])),
);

/** A result as a session holds it in a snapshot. Results and refusals share their numbers. */
export const storedResultSchema = either([appliedSchema, record({ refusal: refusalSchema })], {
  write(result) {
    if ("refusal" in result) {
      const { refusal } = result;
      // As version 1 had it, when there was one limit.
      if (refusal.kind === "limitReached" && refusal.limit === "vms")
        return [REFUSAL_NUMBERS.limitReached, refusal.maximum];
      return refusalSchema.write(refusal);
    }
    const encoded = appliedSchema.write(result);
    // What is nested has no fields: its number stands alone.
    return Array.isArray(encoded) && Array.isArray(encoded[1]) ? [encoded[0], ...encoded[1]] : encoded;
  },
  read(encoded) {
    if (!Array.isArray(encoded)) throw new InvalidField("", null, "must be a list");
    const [number, ...rest]: readonly unknown[] = encoded;
    if (REFUSED_NUMBERS.has(number)) {
      const refusal = refusalSchema.read(encoded, null);
      if (refusal.kind === "limitReached" && refusal.limit === "vms" && rest.length === 2)
        throw new InvalidField(".limit", null, "must be left out for VMs");
      return Object.freeze({ refusal });
    }
    return appliedSchema.read(number === LATER_APPLIED ? [number, rest] : encoded, null);
  },
});

/** Deeply frozen, as `stored` is. */
export function resultOf(stored: Infer<typeof storedResultSchema>): CommandResult {
  if ("refusal" in stored) return Object.freeze({ ok: false, refusal: stored.refusal });
  if (stored.kind === "rebalancedUncounted")
    return Object.freeze({ ok: true, kind: "rebalanced", moved: null, refused: null });
  return Object.freeze({ ok: true, ...stored });
}

/** Deeply frozen. */
export function refused(refusal: StoredRefusal): CommandResult {
  return Object.freeze({ ok: false, refusal: Object.freeze(refusal) });
}
