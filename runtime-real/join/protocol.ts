/** The join protocol: what a joining node asks, what it is answered, and how both are written as JSON. */
import { z } from "zod";
import {
  CLUSTER_LIMITS,
  decodeSnapshotMeta,
  InvalidFrame,
  LIMITS,
  Node,
  type PeerId,
  type Restored,
} from "../../core/index.ts";

const VERSION = 1;

const addresses = z.array(z.string().min(1).max(256)).min(1).max(8);

const joinRequest = z.strictObject({
  version: z.literal(VERSION),
  kind: z.literal("join"),
  tokenId: z.string().max(32),
  secret: z.string().max(64),
  /** Which cluster the token is for. The member that is asked checks that it belongs to that cluster. */
  pins: z.string().max(512),
  nodeId: z.int().min(1).max(CLUSTER_LIMITS.nodeId),
  addresses,
  /** worker: it will have no log. */
  role: z.enum(["member", "worker"]).default("member"),
  wallMs: z.int().min(0).max(CLUSTER_LIMITS.wallMs),
});
export type JoinRequest = z.output<typeof joinRequest>;

/** A member whose data is lost asks for a token and a new id. It still has its identity. */
const replacementRequest = z.strictObject({
  version: z.literal(VERSION),
  kind: z.literal("replacement"),
  tokenId: z.string().regex(/^[a-z0-9]{8,32}$/),
  secretHash: z.string().regex(/^[0-9a-f]{64}$/),
});
export type ReplacementRequest = z.output<typeof replacementRequest>;

const anyRequest = z.discriminatedUnion("kind", [joinRequest, replacementRequest]);

const refusalKinds = [
  "expired",
  "used",
  "revoked",
  "unknownToken",
  "wrongCluster",
  "idTaken",
  "identityTaken",
  "notMember",
  "anotherId",
  "clockOff",
  "invalidRequest",
  "tooManyNodes",
  /** It is not known whether anything has happened. The same request may be made again. */
  "notNow",
] as const;
export type JoinRefusalKind = (typeof refusalKinds)[number];

const peer = z.strictObject({
  id: z.int().min(1).max(CLUSTER_LIMITS.nodeId),
  peerId: z.string().max(LIMITS.peerIdLength),
  addresses: z.array(z.string().max(256)).max(8),
});

const joinAnswer = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("admitted"),
    clusterId: z.string().min(1).max(LIMITS.clusterIdLength),
    incarnation: z.int().min(0),
    /** Base64 of an encoded SnapshotMeta: configuration, its index, and the lineage that proves it. */
    meta: z.string(),
    peers: z.array(peer).max(LIMITS.members),
  }),
  z.strictObject({
    kind: z.literal("admittedWorker"),
    clusterId: z.string().min(1).max(LIMITS.clusterIdLength),
    incarnation: z.int().min(0),
    /** The servers to which it may report. */
    servers: z.array(peer).min(1).max(LIMITS.members),
  }),
  z.strictObject({
    kind: z.literal("replacement"),
    /** The id to join with, and the id that is to leave. */
    nodeId: peer.shape.id,
    replaces: peer.shape.id,
    clusterId: z.string().min(1).max(LIMITS.clusterIdLength),
    voters: z.array(z.string().max(LIMITS.peerIdLength)).max(LIMITS.voters),
  }),
  z.strictObject({ kind: z.literal("refused"), refusal: z.enum(refusalKinds), message: z.string().max(1024) }),
]);
export type JoinAnswer = z.output<typeof joinAnswer>;

export interface Admission {
  readonly restored: Restored;
  readonly peers: readonly { readonly id: number; readonly peerId: PeerId; readonly addresses: readonly string[] }[];
}

export type WorkerAdmission = Extract<JoinAnswer, { readonly kind: "admittedWorker" }>;

export class JoinRefused extends Error {
  override readonly name = "JoinRefused";
  readonly kind: JoinRefusalKind;

  constructor(kind: JoinRefusalKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

const encoder = new TextEncoder();

export function encodeJoinRequest(request: JoinRequest | ReplacementRequest): Uint8Array {
  return encoder.encode(JSON.stringify(request));
}

/** Returns text if the bytes are no request: what is wrong with them. */
export function decodeJoinRequest(bytes: Uint8Array): JoinRequest | ReplacementRequest | string {
  return parse(anyRequest, bytes);
}

function parse<Value>(schema: z.ZodType<Value>, bytes: Uint8Array): Value | string {
  try {
    const parsed = schema.safeParse(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    return `${issue?.path.map(String).join(".") ?? ""}: ${issue?.message ?? "is not valid"}`;
  } catch {
    return "is no JSON";
  }
}

function decodeAnswer<Kind extends JoinAnswer["kind"]>(
  bytes: Uint8Array,
  kind: Kind,
): Extract<JoinAnswer, { kind: Kind }> {
  const answer = parse(joinAnswer, bytes);
  if (typeof answer === "string") throw new JoinRefused("invalidRequest", `the answer cannot be read: ${answer}`);
  if (answer.kind === "refused") throw new JoinRefused(answer.refusal, answer.message);
  if (!isKind(answer, kind)) throw new JoinRefused("invalidRequest", `the answer is ${answer.kind}, not ${kind}`);
  return answer;
}

function isKind<Kind extends JoinAnswer["kind"]>(
  answer: JoinAnswer,
  kind: Kind,
): answer is Extract<JoinAnswer, { kind: Kind }> {
  return answer.kind === kind;
}

/** @throws JoinRefused, also when the bytes are no answer. */
export function decodeReplacementAnswer(bytes: Uint8Array): Extract<JoinAnswer, { kind: "replacement" }> {
  return decodeAnswer(bytes, "replacement");
}

/** @throws JoinRefused, also when the bytes are no answer. */
export function decodeWorkerAnswer(bytes: Uint8Array): WorkerAdmission {
  return decodeAnswer(bytes, "admittedWorker");
}

/** @throws JoinRefused, also when the bytes are no answer. */
export function decodeJoinAnswer(bytes: Uint8Array, nodeId: number): Admission {
  const answer = decodeAnswer(bytes, "admitted");
  try {
    const { configuration, configurationIndex, lineage } = decodeSnapshotMeta(Buffer.from(answer.meta, "base64"));
    if (!configuration.members.some(({ id }) => id === nodeId))
      throw new JoinRefused("invalidRequest", `the answer's configuration does not hold node ${nodeId}`);
    return {
      restored: Node.joining(answer.clusterId, answer.incarnation, configuration, configurationIndex, lineage),
      peers: answer.peers,
    };
  } catch (error) {
    if (error instanceof InvalidFrame)
      throw new JoinRefused("invalidRequest", `the answer cannot be read: ${error.message}`);
    throw error;
  }
}

/** The answer that refuses. */
export function refuse(refusal: JoinRefusalKind, message: string): Uint8Array {
  return encodeAnswer({ kind: "refused", refusal, message });
}

export function encodeAnswer(answer: JoinAnswer): Uint8Array {
  return encoder.encode(JSON.stringify(answer));
}
