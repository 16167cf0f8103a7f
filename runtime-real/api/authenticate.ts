import { timingSafeEqual } from "node:crypto";
import { type ClusterState, query } from "../../core/index.ts";
import { hashSecret, InvalidToken, parseToken } from "../tokens/index.ts";
import type { Caller } from "./call-context.ts";

/** The holder of this bearer token, by the replicated state of this node; null: nobody. */
export function authenticate(state: ClusterState, bearer: string, wallMs: number): Caller | null {
  let token: ReturnType<typeof parseToken>;
  try {
    token = parseToken(bearer);
  } catch (error) {
    if (error instanceof InvalidToken) return null;
    throw error;
  }
  const found = query(state, { kind: "getToken", id: token.id });
  const record = found.kind === "token" ? found.token : null;
  const known = Buffer.from(record?.secretHash ?? "0".repeat(64), "hex");
  const shown = Buffer.from(hashSecret(token.secret), "hex");
  const matches = timingSafeEqual(known, shown);
  if (record === null || !matches || record.purpose !== "api" || record.revokedAtMs !== null) return null;
  // By the clock that is ahead. So a node whose own clock stands still does not accept tokens for longer.
  if (Math.max(wallMs, state.timeMs) >= record.expiresAtMs) return null;
  return { kind: "token", tokenId: record.id };
}
