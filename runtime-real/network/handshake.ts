/**
 * The first message on a connection, and its answer. The node itself sends and answers it, not the transport. Two
 * nodes are connected only after it.
 */
import { z } from "zod";
import { CLUSTER_LIMITS, LIMITS, WIRE_VERSION } from "../../core/index.ts";

/** Rises when a message changes, so that nodes which would not understand each other are not connected. */
const PROTOCOL_VERSION = 3;

const hello = z.strictObject({
  version: z.literal(PROTOCOL_VERSION),
  wireVersion: z.literal(WIRE_VERSION),
  nodeId: z.int().min(1).max(CLUSTER_LIMITS.nodeId),
  clusterId: z.string().max(LIMITS.clusterIdLength),
  incarnation: z.int().min(0),
  /** A Raft introduction as base64. Sent after the peer has said that it does not know this node. */
  introduction: z.string().nullable(),
  /** host:port each: where this node is to be dialled. It may have come back at another address. */
  addresses: z.array(z.string().min(1).max(CLUSTER_LIMITS.addressLength)).max(CLUSTER_LIMITS.addresses).readonly(),
});
export type Hello = z.output<typeof hello>;

const answer = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("welcome"), nodeId: z.int().min(1).max(CLUSTER_LIMITS.nodeId) }),
  z.strictObject({
    kind: z.literal("refused"),
    /** removed: it was a worker and can never be one again. */
    reason: z.enum(["wrongCluster", "notMember", "invalid", "removed"]),
    /** Proves to a node that has left the cluster that it has. */
    introduction: z.string().nullable(),
  }),
]);
export type HelloAnswer = z.output<typeof answer>;

export function helloOf(node: Omit<Hello, "version" | "wireVersion">): Uint8Array {
  return encode({ version: PROTOCOL_VERSION, wireVersion: WIRE_VERSION, ...node });
}

export function encodeAnswer(value: HelloAnswer): Uint8Array {
  return encode(value);
}

export function parseHello(bytes: Uint8Array): Hello | null {
  return parse(hello, bytes);
}

export function parseAnswer(bytes: Uint8Array): HelloAnswer | null {
  return parse(answer, bytes);
}

function encode(value: Hello | HelloAnswer): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

function parse<Value>(schema: z.ZodType<Value>, bytes: Uint8Array): Value | null {
  try {
    return schema.safeParse(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes))).data ?? null;
  } catch {
    return null;
  }
}
