/** What procedures answer, as zod schemas. Of what the core defines they are made of its definitions. */
import { z } from "zod";
import {
  AUDITED_COMMANDS,
  CLUSTER_LIMITS,
  countSchema,
  eventSchema,
  instantMsSchema,
  logIndexSchema,
  NODE_ROLES,
  nameSchema,
  nodeIdSchema,
  peerIdSchema,
  placementFields,
  resourcesSchema,
  schema,
  tokenFields,
  vmFields,
} from "../../core/index.ts";
import { zodOf } from "./zod-of.ts";

const { list, nullable, record, text } = schema;

export const label = zodOf(nameSchema);
export const nodeId = zodOf(nodeIdSchema);
export const peerId = zodOf(peerIdSchema);
export const count = z.int().min(0);
export const logIndex = zodOf(logIndexSchema);
export const instantMs = zodOf(instantMsSchema);

/** Of a host, or of what takes room there. */
export const resources = zodOf(resourcesSchema);

const anyText = text(0, CLUSTER_LIMITS.addressLength);

/** Instead of its indexes in address pools, it has the addresses. */
export const vmRecordSchema = zodOf(
  record({
    ...vmFields,
    tenant: nameSchema,
    ...placementFields,
    addresses: list(
      record({
        pool: nameSchema,
        address: anyText,
        prefixLength: countSchema,
        gateway: nullable(anyText),
        mac: anyText,
        tap: anyText.doc("The tap device on its worker"),
      }),
      { lengthMax: CLUSTER_LIMITS.listLength },
    ).doc("One for each of its networks"),
  }),
);

/** Where a write took its place in the log. */
export const written = {
  index: logIndex,
  term: count.meta({ description: "Raft term of the entry" }),
};

export const nodeRecordSchema = z.strictObject({
  id: nodeId,
  peerId,
  addresses: z.array(z.string()).meta({ description: "host:port, where it listens for its peers" }),
  role: z.enum(NODE_ROLES),
});

const { secretHash: _, ...toldOfToken } = tokenFields;
export const tokenRecordSchema = zodOf(record(toldOfToken));

export const clusterEventSchema = zodOf(eventSchema(AUDITED_COMMANDS));
