/** Secrets that let somebody in: a node that joins, a client of the API. The cluster knows their hashes alone. */

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
