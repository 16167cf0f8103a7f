/** Secrets that let somebody in: a node that joins, a client of the API. The cluster knows their hashes alone. */
import { CLUSTER_LIMITS, type CommandResult, refused, type TokenRecord } from "../domain/index.ts";
import type { Batch } from "./batch.ts";
import type { Command } from "./command.ts";

export function createToken(batch: Batch, command: Extract<Command, { readonly kind: "createToken" }>): CommandResult {
  const { id, secretHash, purpose, ttlMs, nodeId } = command;
  if (batch.tokens.has(id)) return refused({ kind: "tokenExists" });
  if (batch.tokens.size >= CLUSTER_LIMITS.tokens) {
    const oldest = firstExpired(batch);
    if (oldest === null) return refused({ kind: "limitReached", limit: "tokens", maximum: CLUSTER_LIMITS.tokens });
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
}

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

/** Revoked again, it stays revoked since the first time. */
export function revokeToken(batch: Batch, id: string): CommandResult {
  const token = batch.tokens.get(id);
  if (token === undefined) return refused({ kind: "tokenNotFound" });
  if (token.revokedAtMs === null) {
    batch.changeTokens().set(id, Object.freeze({ ...token, revokedAtMs: batch.timeMs }));
    batch.happened({ kind: "tokenRevoked", tokenId: id });
  }
  return Object.freeze({ ok: true, kind: "tokenRevoked" });
}
