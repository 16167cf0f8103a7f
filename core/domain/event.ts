/** What happened, as an entry of the log leaves it behind. */
import { choice, flag, type Infer, integer, list, nullable, text, variants } from "../schema/index.ts";
import { announcedAddressesSchema, nameSchema, nodeIdSchema, tokenIdSchema } from "./identity.ts";
import { CLUSTER_LIMITS } from "./limits.ts";
import { nestedBehind } from "./nested-kinds.ts";
import { countSchema, generationSchema, instantMsSchema } from "./numbers.ts";
import { POOL_STRATEGIES } from "./pool-strategy.ts";
import { STRATEGIES } from "./scheduler-settings.ts";
import { jobOutputSchema, TASK_STATES } from "./task.ts";
import { TOKEN_PURPOSES } from "./token.ts";
import { reasonSchema } from "./vm-record.ts";
import { VM_STATES } from "./vm-states.ts";
import { WORKER_STATUSES } from "./worker.ts";

/**
 * What a command asked for that may ask for one thing or its contrary. Encoded by position: new ones go to the end.
 */
export const ASKED_CHANGES = [
  "cordon",
  "drain",
  "uncordon",
  "start",
  "stop",
  "enable",
  "disable",
  "limit",
  "unlimit",
] as const;
export type AskedChange = (typeof ASKED_CHANGES)[number];

/** `atMs`: cluster time. */
const when = { index: integer(1).doc("Index in the replicated log"), term: countSchema, atMs: instantMsSchema };

const vmEvent = { ...when, name: nameSchema, tenant: nameSchema, generation: generationSchema };
const members = list(nodeIdSchema, { lengthMax: CLUSTER_LIMITS.members });

/** @param commands by the number that stands for each in an event. */
export function eventSchema(commands: readonly string[]) {
  /** Of what came with workers. */
  const later = {
    vmState: {
      ...when,
      name: nameSchema,
      tenant: nameSchema,
      from: choice(VM_STATES),
      state: choice(VM_STATES),
      workerId: nullable(nodeIdSchema),
      epoch: countSchema,
      reason: reasonSchema,
    },
    workerRegistered: {
      ...when,
      workerId: nodeIdSchema,
      driver: nullable(text(1, CLUSTER_LIMITS.labelLength)),
    },
    workerStatus: { ...when, workerId: nodeIdSchema, status: choice(WORKER_STATUSES), reason: reasonSchema },
    taskState: {
      ...when,
      id: nameSchema,
      state: choice(TASK_STATES),
      attempt: countSchema,
      workerId: nullable(nodeIdSchema),
      reason: jobOutputSchema,
    },
    quotaSet: { ...when, tenant: nameSchema, isLimited: flag },
    poolChanged: { ...when, pool: nameSchema, change: choice(["created", "deleted", "enabled", "disabled"]) },
    schedulerConfigured: { ...when, strategy: choice(STRATEGIES) },
    /**
     * A client that said who it is asked for something, and the command was applied or refused. Other events tell its
     * effects.
     */
    requested: {
      ...when,
      by: text(1, CLUSTER_LIMITS.actorLength),
      command: choice(commands),
      target: nullable(text(1, CLUSTER_LIMITS.labelLength)).doc(
        "The name or id of what it is about; null: of the cluster as a whole",
      ),
      refusal: nullable(text(1, CLUSTER_LIMITS.labelLength)).doc("Kind of the refusal; null: it was done"),
      change: nullable(choice(ASKED_CHANGES))
        .default(null)
        .since(4)
        .doc("Which way, of a command that goes either; null: it goes one way, or was asked before that was told"),
    },
    poolStrategySet: { ...when, strategy: choice(POOL_STRATEGIES) },
    /** It is on the list no more, and its node is heard no more. */
    workerRemoved: { ...when, workerId: nodeIdSchema },
  };
  return variants(
    {
      vmCreated: vmEvent,
      vmUpdated: vmEvent,
      vmDeleted: vmEvent,
      tokenCreated: { ...when, tokenId: tokenIdSchema, purpose: choice(TOKEN_PURPOSES) },
      tokenRevoked: { ...when, tokenId: tokenIdSchema },
      nodeAdmitted: { ...when, nodeId: nodeIdSchema, tokenId: tokenIdSchema },
      nodeAnnounced: { ...when, nodeId: nodeIdSchema, addresses: announcedAddressesSchema },
      membershipChanged: { ...when, voters: members, learners: members },
      ...later,
    },
    nestedBehind(8, later),
  );
}

export type ClusterEvent = Infer<ReturnType<typeof eventSchema>>;

/** An event before it is known where it takes its place. */
export type EventDetails = ClusterEvent extends infer Event
  ? Event extends ClusterEvent
    ? Omit<Event, keyof typeof when>
    : never
  : never;
