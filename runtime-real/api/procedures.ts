/**
 * Everything that can be asked of a node: one table. A procedure has a schema for its request and one for its answer,
 * and the action and resource that a policy will decide on. The HTTP server, calls between members, the OpenAPI
 * document and the client are all made from it; a new procedure is one entry here, and a handler unless it is one
 * command.
 */
import { z } from "zod";
import {
  CLUSTER_LIMITS,
  DEFAULT_VM_SPEC,
  logIndexSchema,
  nameSchema,
  nodeIdSchema,
  schema,
  secretHashSchema,
  TOKEN_PURPOSES,
  tokenIdSchema,
  vmSpecSchema,
} from "../../core/index.ts";
import { orchestrationProcedures } from "./orchestration-procedures.ts";
import { answeredCommand, cluster, commandProcedure, ofVm, procedure, type Resource } from "./procedure.ts";
import { digestSchema, pageLimit, sessionSchema, withSession, withStale } from "./request-fields.ts";
import {
  clusterEventSchema,
  logIndex,
  nodeId,
  nodeRecordSchema,
  peerId,
  tokenRecordSchema,
  vmRecordSchema,
  written,
} from "./schemas.ts";

const { choice, integer, nullable, record, text } = schema;

export const procedures = {
  "cluster.status": procedure({
    summary: "How the cluster looks from this node, at this moment.",
    effect: "read",
    action: "readCluster",
    resource: cluster,
    request: record({}),
    answer: z.strictObject({
      clusterId: z.string(),
      incarnation: z.int(),
      version: z.string(),
      node: z.strictObject({
        id: nodeId,
        peerId,
        role: z.enum(["follower", "preCandidate", "candidate", "leader", "learner", "removed", "halted"]),
        uptimeMs: z.int(),
        eventLoopDelayP99Ms: z
          .number()
          .meta({ description: "How late its event loop runs at most, in 99 of 100 moments since it started" }),
        residentMiB: z.int().meta({ description: "Memory of the process" }),
        addresses: z.array(z.string()),
      }),
      leaderId: nodeId.nullable(),
      term: z.int(),
      commitIndex: logIndex,
      appliedIndex: logIndex,
      members: z.array(
        z.strictObject({
          ...nodeRecordSchema.shape,
          connected: z
            .boolean()
            .meta({ description: "Whether this node has a live connection to it; true for itself" }),
          lastHeardMs: z
            .number()
            .nullable()
            .meta({ description: "Milliseconds since it was last heard; null: never, or itself" }),
          messages: z
            .strictObject({ sent: z.int(), received: z.int(), dropped: z.int() })
            .nullable()
            .meta({ description: "Raft messages between this node and it since this one started; null: itself" }),
          matchIndex: logIndex
            .nullable()
            .meta({ description: "How far its log is known to agree; known to the leader alone" }),
        }),
      ),
      quorum: z.strictObject({
        has: z.boolean().meta({ description: "Whether enough voters are connected to this node for a majority" }),
        needed: z.int(),
        connected: z.int(),
        missing: z.array(nodeId).meta({ description: "Voters without a connection to this node" }),
        isJoint: z.boolean().meta({
          description:
            "Whether a change of voters is under way: until it is over, majorities of the former and of the new ones are needed",
        }),
      }),
      counts: z.strictObject({ vms: z.int(), sessions: z.int() }),
    }),
  }),

  "cluster.members": procedure({
    summary: "Who belongs to the cluster, by replicated state.",
    effect: "read",
    action: "readCluster",
    resource: cluster,
    request: record({ ...withStale }),
    answer: z.strictObject({ index: logIndex, members: z.array(nodeRecordSchema) }),
  }),

  "cluster.leave": procedure({
    summary: "Takes a node out of the cluster for ever. Answers when the change is committed.",
    effect: "write",
    action: "leaveCluster",
    resource: ({ nodeId: id }): Resource => ({ kind: "node", id }),
    request: record({
      nodeId: nullable(nodeIdSchema).default(null).doc("null: the node that is asked"),
    }),
    answer: z.strictObject({ ...written, nodeId }),
  }),

  "cluster.transferLeader": procedure({
    summary: "Hands leadership to another voter. Answers when it leads.",
    effect: "write",
    action: "manageCluster",
    resource: cluster,
    request: record({
      to: nullable(nodeIdSchema).default(null).doc("null: the voter with most of the log"),
    }),
    answer: z.strictObject({ leaderId: nodeId }),
  }),

  "session.open": answeredCommand({
    summary: "Opens a client session. Asked again with the same token, it answers the same session.",
    action: "readCluster",
    resource: cluster,
    request: record({ clientToken: text(1, CLUSTER_LIMITS.clientTokenLength) }),
    answer: z.strictObject({ ...written, sessionId: z.int() }),
    command: ({ clientToken }) => ({ kind: "openSession", clientToken }),
  }),

  "session.close": answeredCommand({
    summary: "Ends a client session.",
    action: "readCluster",
    resource: cluster,
    request: record({ session: sessionSchema }),
    answer: z.strictObject({ ...written, sessionId: z.int() }),
    command: () => ({ kind: "closeSession" }),
  }),

  "vm.create": answeredCommand({
    summary: "Asks for a VM. Answers when the request is committed.",
    action: "createVM",
    resource: ofVm,
    request: record({ name: nameSchema, spec: vmSpecSchema.default(DEFAULT_VM_SPEC), ...withSession }),
    answer: z.strictObject({ ...written, generation: z.int() }),
    command: ({ session: _, ...vm }) => ({ kind: "createVm", ...vm }),
  }),

  "vm.update": answeredCommand({
    summary: "Replaces a VM's specification.",
    action: "updateVM",
    resource: ofVm,
    request: record({
      name: nameSchema,
      expectedGeneration: integer(1).doc("The generation that was read; another means that somebody else was faster"),
      spec: vmSpecSchema,
      ...withSession,
    }),
    answer: z.strictObject({ ...written, generation: z.int() }),
    command: ({ session: _, ...vm }) => ({ kind: "updateVm", ...vm }),
  }),

  "vm.delete": answeredCommand({
    summary: "Deletes a VM.",
    action: "deleteVM",
    resource: ofVm,
    request: record({
      name: nameSchema,
      expectedGeneration: nullable(integer(1)).default(null).doc("null: whatever its generation"),
      ...withSession,
    }),
    answer: z.strictObject({ ...written, generation: z.int() }),
    command: ({ session: _, ...vm }) => ({ kind: "deleteVm", ...vm }),
  }),

  "vm.list": procedure({
    summary: "VMs by name, a page at a time.",
    effect: "read",
    action: "readVM",
    resource: (): Resource => ({ kind: "vm", name: null }),
    request: record({
      afterName: nullable(text(0, CLUSTER_LIMITS.labelLength)).default(null),
      limit: pageLimit,
      tenant: nullable(nameSchema).default(null),
      ...withStale,
    }),
    answer: z.strictObject({ index: logIndex, vms: z.array(vmRecordSchema), nextAfterName: z.string().nullable() }),
  }),

  "vm.show": procedure({
    summary: "One VM.",
    effect: "read",
    action: "readVM",
    resource: ofVm,
    request: record({ name: nameSchema, ...withStale }),
    answer: z.strictObject({ index: logIndex, vm: vmRecordSchema }),
  }),

  "image.copy": procedure({
    summary: "Has one more worker fetch an image, unless two have it. Ask again until they do.",
    effect: "read",
    action: "manageNode",
    resource: cluster,
    request: record({ digest: digestSchema }),
    answer: z.strictObject({
      copies: z.int().meta({ description: "Workers that have it; of many, not all are counted" }),
      wanted: z.int().meta({ description: "Two, or as many as there are workers that run VMs" }),
      progress: z.string().meta({ description: "How far the next copy is; empty: there are enough" }),
    }),
  }),

  "token.create": procedure({
    summary: "Registers a token. The secret stays with whoever made it; the cluster keeps its hash.",
    effect: "write",
    action: "manageCluster",
    resource: cluster,
    request: record({
      id: tokenIdSchema,
      secretHash: secretHashSchema,
      purpose: choice(TOKEN_PURPOSES),
      ttlMs: integer(1, CLUSTER_LIMITS.tokenTtlMs),
      nodeId: nullable(nodeIdSchema).default(null),
      ...withSession,
    }),
    answer: z.strictObject({
      ...written,
      expiresAtMs: z.int(),
      clusterId: z.string(),
      voters: z.array(peerId).meta({ description: "Whom a joining node may trust to speak for the cluster" }),
    }),
  }),

  "token.list": procedure({
    summary: "All tokens, without their secrets.",
    effect: "read",
    action: "manageCluster",
    resource: cluster,
    request: record({
      afterId: nullable(text(0, CLUSTER_LIMITS.tokenIdLength)).default(null),
      limit: pageLimit,
      ...withStale,
    }),
    answer: z.strictObject({ index: logIndex, tokens: z.array(tokenRecordSchema), nextAfterId: z.string().nullable() }),
  }),

  "token.revoke": commandProcedure({
    summary: "Makes a token worthless.",
    action: "manageCluster",
    resource: cluster,
    request: record({ id: tokenIdSchema, ...withSession }),
    command: ({ id }) => ({ kind: "revokeToken", id }),
  }),

  "events.list": procedure({
    summary: "What happened, in the order of the log, a page at a time. GET /v1/events streams the same.",
    effect: "read",
    action: "readCluster",
    resource: cluster,
    request: record({
      afterIndex: logIndexSchema.default(0),
      limit: pageLimit,
      ...withStale,
    }),
    answer: z.strictObject({
      index: logIndex.meta({ description: "The state the page was read from; ask again after it" }),
      events: z.array(clusterEventSchema),
      complete: z.boolean().meta({ description: "false: events after `afterIndex` have been dropped already" }),
      oldestIndex: logIndex.nullable(),
    }),
  }),

  ...orchestrationProcedures,
} as const;

export type Procedures = typeof procedures;
export type ProcedureName = keyof Procedures;
/** Of those that are one command of the core. */
export type CommandName = {
  [Name in ProcedureName]: Procedures[Name] extends { readonly proposal: unknown } ? Name : never;
}[ProcedureName];
/** What a caller may send: defaults may be left out. */
export type RequestOf<Name extends ProcedureName> = schema.Input<Procedures[Name]["request"]>;
/** What a handler gets: checked, defaults filled in. */
export type CheckedRequestOf<Name extends ProcedureName> = schema.Infer<Procedures[Name]["request"]>;
export type AnswerOf<Name extends ProcedureName> = Immutable<z.output<Procedures[Name]["answer"]>>;

/** Answers are built from the replicated state, which nobody may change. */
type Immutable<Value> = Value extends readonly (infer Item)[]
  ? readonly Immutable<Item>[]
  : Value extends object
    ? { readonly [Key in keyof Value]: Immutable<Value[Key]> }
    : Value;

export function isProcedureName(name: string): name is ProcedureName {
  return Object.hasOwn(procedures, name);
}

export function isCommandName(name: ProcedureName): name is CommandName {
  return "proposal" in procedures[name];
}
