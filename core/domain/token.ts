/** Secrets that let somebody in: a node that joins, a client of the API. The cluster knows their hashes alone. */
import { choice, type Infer, nullable, record } from "../schema/index.ts";
import { nodeIdSchema, secretHashSchema, tokenIdSchema } from "./identity.ts";
import { demandAtLeast, instantMsSchema } from "./numbers.ts";

export const TOKEN_PURPOSES = ["join", "api"] as const;

export const tokenFields = {
  id: tokenIdSchema,
  secretHash: secretHashSchema,
  purpose: choice(TOKEN_PURPOSES),
  nodeId: nullable(nodeIdSchema).doc("The only node id that may join with it; null: any"),
  /** Cluster time, as are all here. */
  createdAtMs: instantMsSchema,
  expiresAtMs: instantMsSchema.doc("From then on it is worth nothing"),
  usedBy: nullable(nodeIdSchema).doc("The node that joined with it"),
  revokedAtMs: nullable(instantMsSchema),
};

export const tokenSchema = record(tokenFields).rule(
  "created before it expires or is revoked",
  ({ createdAtMs, expiresAtMs, revokedAtMs }) => {
    demandAtLeast(createdAtMs, expiresAtMs, ".expiresAtMs");
    if (revokedAtMs !== null) demandAtLeast(createdAtMs, revokedAtMs, ".revokedAtMs");
  },
  (token) => ({ ...token, createdAtMs: 0 }),
);
/** Immutable. */
export type TokenRecord = Infer<typeof tokenSchema>;
