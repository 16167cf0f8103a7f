/** What procedures answer, as zod schemas. Of what the core defines they are made of its definitions. */
import { z } from "zod";
import {
  AUDITED_COMMANDS,
  DESIRED_STATES,
  EVICTION_CAUSES,
  eventSchema,
  instantMsSchema,
  logIndexSchema,
  nameSchema,
  nodeIdSchema,
  peerIdSchema,
  resourcesSchema,
  TOKEN_PURPOSES,
  VM_STATES,
  vmSpecSchema,
} from "../../core/index.ts";
import { zodOf } from "./zod-of.ts";

export const label = zodOf(nameSchema);
export const nodeId = zodOf(nodeIdSchema);
export const peerId = zodOf(peerIdSchema);
export const count = z.int().min(0);
export const logIndex = zodOf(logIndexSchema);
export const instantMs = zodOf(instantMsSchema);
const generation = z.int().min(1);

/** Of a host, or of what takes room there. */
export const resources = zodOf(resourcesSchema);

export const vmAddressSchema = z.strictObject({
  pool: label,
  address: z.string(),
  prefixLength: count,
  gateway: z.string().nullable(),
  mac: z.string(),
  tap: z.string().meta({ description: "The tap device on its worker" }),
});

export const vmRecordSchema = z.strictObject({
  name: label,
  tenant: label,
  spec: zodOf(vmSpecSchema),
  state: z.enum(VM_STATES),
  desired: z.enum(DESIRED_STATES),
  reason: z.string().meta({ description: "Why it is as it is, for people; empty when there is nothing to say" }),
  generation,
  epoch: count.meta({ description: "Names one run of its machine; 0: it never had one" }),
  workerId: nodeId
    .nullable()
    .meta({ description: "Where it is placed and holds room, until it is seen gone; null: nowhere" }),
  placed: resources.nullable().meta({ description: "What it was placed with" }),
  eviction: z
    .enum(EVICTION_CAUSES)
    .nullable()
    .meta({ description: "Why it has to leave its worker; null: it may stay" }),
  targetId: nodeId.nullable().meta({ description: "Where room is kept for it, or where it shall go next" }),
  avoidId: nodeId.nullable().meta({ description: "The worker that it shall not go back to if any other will have it" }),
  restarts: count.meta({ description: "On this worker, since it was last healthy for long" }),
  relocations: count.meta({ description: "Because restarts did not help, since it was last healthy for long" }),
  runningSinceMs: instantMs.meta({ description: "When it last began to run; 0: never" }),
  addresses: z.array(vmAddressSchema).meta({ description: "One for each of its networks" }),
  createdIndex: logIndex,
  updatedIndex: logIndex,
  createdAtMs: instantMs,
  updatedAtMs: instantMs,
});

/** Where a write took its place in the log. */
export const written = {
  index: logIndex,
  term: count.meta({ description: "Raft term of the entry" }),
};

const memberRole = z.enum(["voter", "learner", "none", "removed"]);

export const nodeRecordSchema = z.strictObject({
  id: nodeId,
  peerId,
  addresses: z.array(z.string()).meta({ description: "host:port, where it listens for its peers" }),
  role: memberRole,
});

const tokenPurpose = z.enum(TOKEN_PURPOSES);

export const tokenRecordSchema = z.strictObject({
  id: z.string(),
  purpose: tokenPurpose,
  nodeId: nodeId.nullable().meta({ description: "The only node id that may join with it; null: any" }),
  createdAtMs: instantMs,
  expiresAtMs: instantMs,
  usedBy: nodeId.nullable(),
  revokedAtMs: instantMs.nullable(),
});

export const clusterEventSchema = zodOf(eventSchema(AUDITED_COMMANDS));
