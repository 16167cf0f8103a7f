/** Secrets that let somebody in: a node that joins, a client of the API. The cluster knows their hashes alone. */
import type { Batch } from "./batch.ts";
import type { Command } from "./command.ts";
import { LIMITS } from "./limits.ts";
import type { CommandResult } from "./result.ts";

export const TOKEN_PURPOSES = ["join", "api"] as const;
export type TokenPurpose = (typeof TOKEN_PURPOSES)[number];

/** Immutable. */
export interface TokenRecord {
  /** 8 to 32 lower-case letters and digits. */
  readonly id: string;
  /** SHA-256 of the secret, 64 lower-case hexadecimal digits. */
  readonly secretHash: string;
  readonly purpose: TokenPurpose;
  /** Who alone may join with it; null: whoever holds it. */
  readonly nodeId: number | null;
  /** Cluster time, milliseconds since 1970. */
  readonly createdAtMs: number;
  /** From then on, by cluster time, it is worth nothing. */
  readonly expiresAtMs: number;
  /** The node that joined with it. */
  readonly usedBy: number | null;
  readonly revokedAtMs: number | null;
}

export function createToken(batch: Batch, command: Extract<Command, { readonly kind: "createToken" }>): CommandResult {
  const { id, secretHash, purpose, ttlMs, nodeId } = command;
  if (batch.tokens.has(id)) return refused({ kind: "tokenExists" });
  if (batch.tokens.size >= LIMITS.tokens) {
    const oldest = firstExpired(batch);
    if (oldest === null) return refused({ kind: "limitReached", limit: "tokens", maximum: LIMITS.tokens });
    batch.changeTokens().delete(oldest);
  }
  const expiresAtMs = Math.min(batch.timeMs + ttlMs, LIMITS.wallMs);
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

function refused(refusal: Extract<CommandResult, { readonly ok: false }>["refusal"]): CommandResult {
  return Object.freeze({ ok: false, refusal: Object.freeze(refusal) });
}
