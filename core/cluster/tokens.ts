/** Secrets that let somebody in: a node that joins, a client of the API. The cluster knows their hashes alone. */
import {
  CLUSTER_LIMITS,
  nodeIdSchema,
  refused,
  secretHashSchema,
  TOKEN_PURPOSES,
  type TokenRecord,
  tokenIdSchema,
} from "../domain/index.ts";
import { choice, integer, nullable } from "../schema/index.ts";
import type { Batch } from "./batch.ts";
import { command } from "./command-definition.ts";

/** Of the expired tokens the one that expired first; by id where several did. */
function firstExpired(batch: Batch): string | null {
  let found: TokenRecord | null = null;
  for (const token of batch.tokens.values()) {
    if (token.expiresAtMs > batch.timeMs) continue;
    const isEarlier =
      found === null ||
      token.expiresAtMs < found.expiresAtMs ||
      (token.expiresAtMs === found.expiresAtMs && token.id < found.id);
    if (isEarlier) found = token;
  }
  return found?.id ?? null;
}

export const tokenCommands = {
  createToken: command({
    askedBy: "client",
    number: 5,
    fields: {
      id: tokenIdSchema,
      secretHash: secretHashSchema,
      purpose: choice(TOKEN_PURPOSES),
      ttlMs: integer(1, CLUSTER_LIMITS.tokenTtlMs),
      nodeId: nullable(nodeIdSchema),
    },
    refusals: ["tokenExists", "limitReached"],
    audit: { number: 3, target: ({ id }) => id },
    apply(batch, { id, secretHash, purpose, ttlMs, nodeId }) {
      if (batch.tokens.has(id)) return refused({ kind: "tokenExists" });
      if (batch.tokens.size >= batch.limits.tokens) {
        const oldest = firstExpired(batch);
        if (oldest === null) return refused({ kind: "limitReached", limit: "tokens", maximum: batch.limits.tokens });
        batch.changeTokens().delete(oldest);
      }
      const expiresAtMs = Math.min(batch.timeMs + ttlMs, CLUSTER_LIMITS.wallMs);
      batch.changeTokens().set(
        id,
        Object.freeze({
          id,
          secretHash,
          purpose,
          nodeId,
          createdAtMs: batch.timeMs,
          expiresAtMs,
          usedBy: null,
          revokedAtMs: null,
        }),
      );
      batch.happened({ kind: "tokenCreated", tokenId: id, purpose });
      return Object.freeze({ ok: true, kind: "tokenCreated", expiresAtMs });
    },
  }),
  /** Revoked again, it stays revoked since the first time. */
  revokeToken: command({
    askedBy: "client",
    number: 6,
    fields: { id: tokenIdSchema },
    refusals: ["tokenNotFound"],
    audit: { number: 4, target: ({ id }) => id },
    apply(batch, { id }) {
      const token = batch.tokens.get(id);
      if (token === undefined) return refused({ kind: "tokenNotFound" });
      if (token.revokedAtMs === null) {
        batch.changeTokens().set(id, Object.freeze({ ...token, revokedAtMs: batch.timeMs }));
        batch.happened({ kind: "tokenRevoked", tokenId: id });
      }
      return Object.freeze({ ok: true, kind: "tokenRevoked" });
    },
  }),
};
