/** The list of servers and their addresses, as servers tell it to workers. */
import { z } from "zod";
import { CLUSTER_LIMITS, LIMITS, type NodeId, type PeerId } from "../../core/index.ts";

export const serversSchema = z
  .array(
    z.strictObject({
      id: z.int().min(1).max(CLUSTER_LIMITS.nodeId),
      peerId: z.string().min(1).max(LIMITS.peerIdLength),
      addresses: z
        .array(z.string().max(CLUSTER_LIMITS.addressLength))
        .max(4 * CLUSTER_LIMITS.addresses)
        .readonly(),
    }),
  )
  .max(LIMITS.members)
  .readonly();

export interface Server {
  readonly id: NodeId;
  readonly peerId: PeerId;
  /** host:port each. */
  readonly addresses: readonly string[];
}

export function encodeServers(list: readonly Server[]): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(list));
}

/** Null when the bytes are no list of servers. */
export function decodeServers(bytes: Uint8Array): readonly Server[] | null {
  try {
    return serversSchema.safeParse(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes))).data ?? null;
  } catch {
    return null;
  }
}
