/** Readers for the fields of tokens and nodes, for commands and snapshots alike. */

import { CLUSTER_LIMITS, integer, list, matching } from "../domain/index.ts";
import { InvalidField } from "../schema/index.ts";

export function tokenId(value: unknown, field: string): string {
  return matching(value, field, /^[a-z0-9]{8,32}$/, "must be 8 to 32 lower-case letters and digits");
}

export function secretHash(value: unknown, field: string): string {
  return matching(value, field, /^[0-9a-f]{64}$/, "must be 64 lower-case hexadecimal digits");
}

export function nodeId(value: unknown, field: string): number {
  return integer(value, field, 1, CLUSTER_LIMITS.nodeId);
}

export function peerId(value: unknown, field: string): string {
  return matching(
    value,
    field,
    /^[!-~]{1,128}$/,
    `must be 1 to ${CLUSTER_LIMITS.peerIdLength} printable ASCII characters`,
  );
}

export function addresses(value: unknown, field: string, countMin: number): readonly string[] {
  const read = list(value, field, CLUSTER_LIMITS.addresses, address);
  if (read.length < countMin) throw new InvalidField(field, countMin, `must have at least ${countMin} items`);
  return read;
}

function address(value: unknown, field: string): string {
  return matching(
    value,
    field,
    /^[!-~]{1,256}$/,
    `must be 1 to ${CLUSTER_LIMITS.addressLength} printable ASCII characters`,
  );
}
