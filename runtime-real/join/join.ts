/**
 * How a stranger becomes a member. It shows a one-time token to a member that the token vouches for; that member, or the leader it asks, marks the token
 * used for exactly this id and identity and adds a learner. Asking again with the same token, id and identity gives the same answer, so a lost answer
 * costs nothing; a refusal changes nothing on either side.
 */
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import {
  CLUSTER_LIMITS,
  type ClientAnswer,
  type ClientRequest,
  decodeSnapshotMeta,
  encodeSnapshotMeta,
  InvalidFrame,
  isJoint,
  LIMITS,
  Node,
  nodeOf,
  type PeerId,
  query,
  type Refusal,
  type Restored,
} from "../../core/index.ts";
import { hashSecret, type TokenText } from "../tokens/index.ts";
import { changeMembership } from "./membership-change.ts";

const VERSION = 1;

/** Clocks that differ by more than this make tokens, leases and certificates expire at different times: refused until mended. */
export const CLOCK_DIFFERENCE_MAX_MS = 60_000;

const addresses = z.array(z.string().min(1).max(256)).min(1).max(8);

const joinRequest = z.strictObject({
  version: z.literal(VERSION),
  kind: z.literal("join"),
  tokenId: z.string().max(32),
  secret: z.string().max(64),
  /** Which cluster the token speaks for, as the joining node reads it: whether the member asked belongs to it. */
  pins: z.string().max(512),
  nodeId: z.int().min(1).max(CLUSTER_LIMITS.nodeId),
  addresses,
  /** worker: it will hold no log. */
  role: z.enum(["member", "worker"]).default("member"),
  wallMs: z.int().min(0).max(CLUSTER_LIMITS.wallMs),
});
export type JoinRequest = z.output<typeof joinRequest>;

/** A member whose data is lost asks for a token and a new id, by the identity that it still has. */
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
  /** Nothing is known to have happened, and the same request may be made again. */
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
    /** Where it may report. */
    servers: z.array(peer).min(1).max(LIMITS.members),
  }),
  z.strictObject({
    kind: z.literal("replacement"),
    /** The id to join with, and the one that is to leave. */
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

/** A join was refused, for this reason. */
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

/** What the admitting side needs of its node. */
export interface Admitter {
  readonly clusterId: string;
  readonly incarnation: number;
  readonly node: Node;
  request(request: ClientRequest): Promise<ClientAnswer>;
  wallMs(): number;
  peers(): Admission["peers"];
  /** Asks the leader instead: this node is not it. Null: none is known, or it does not answer. */
  askLeader(from: PeerId, request: Uint8Array): Promise<Uint8Array | null>;
  /** How the pins of a token are read. */
  parsePins(pins: string): TokenText["pins"];
}

const BUSY_RETRY_MS = 50;
const REPLACEMENT_TTL_MS = 600_000;

/**
 * Answers a join request of the peer that the transport authenticated as `from`. Never throws for what the request holds.
 *
 * @param signal ends the wait for a membership change that is under way.
 */
export async function answerJoin(
  admitter: Admitter,
  from: PeerId,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const request = parse(anyRequest, bytes);
  if (typeof request === "string") return refuse("invalidRequest", `the join request is not valid: ${request}`);
  const early = request.kind === "join" ? refuseEarly(admitter, from, request) : null;
  if (early !== null) return early;

  if (admitter.node.role !== "leader") {
    const answer = await admitter.askLeader(from, bytes);
    return answer ?? refuse("notNow", "no leader answers: is a majority of the cluster up? Try again");
  }
  return request.kind === "join"
    ? await admit(admitter, from, request, signal)
    : await replace(admitter, from, request);
}

/** A token for a new node that takes a member's place. The member proves itself by the identity that the transport has authenticated. */
async function replace(admitter: Admitter, from: PeerId, request: ReplacementRequest): Promise<Uint8Array> {
  const { configuration, state } = admitter.node;
  const member = configuration.members.find(({ peerId }) => peerId === from);
  if (member === undefined)
    return refuse("notMember", "the node that asks to be replaced is no member of this cluster");
  const records = query(state, { kind: "listNodes" });
  const known = [
    ...configuration.members,
    ...configuration.retired,
    ...(records.kind === "nodes" ? records.nodes : []),
  ];
  const nodeId = 1 + known.reduce((highest, { id }) => Math.max(highest, id), 0);
  const { tokenId: id, secretHash } = request;
  const created = await admitter.request({
    kind: "propose",
    request: {
      session: null,
      command: { kind: "createToken", id, secretHash, purpose: "join", ttlMs: REPLACEMENT_TTL_MS, nodeId },
    },
  });
  if (created.kind !== "applied" || !created.result.ok)
    return refuse("notNow", "the cluster could not commit a token for the replacement; try again");
  const { voters, members } = configuration;
  return encode({
    kind: "replacement",
    nodeId,
    replaces: member.id,
    clusterId: admitter.clusterId,
    voters: members.filter((voter) => voters.includes(voter.id)).map(({ peerId }) => peerId),
  });
}

async function admit(admitter: Admitter, from: PeerId, request: JoinRequest, signal: AbortSignal): Promise<Uint8Array> {
  const admission = {
    tokenId: request.tokenId,
    secretHash: hashSecret(request.secret),
    nodeId: request.nodeId,
    peerId: from,
    addresses: request.addresses,
  };
  // Asked first, which costs no entry: a stranger must not be able to fill every member's log. Whoever passes is judged once more when it is applied.
  const tried = await admitter.request({
    kind: "read",
    query: { kind: "tryAdmission", ...admission },
    consistency: "linearizable",
  });
  if (tried.kind !== "read" || tried.result.kind !== "admission")
    return refuse("notNow", "the cluster could not look the token up; try again");
  if (tried.result.refusal !== null) return refuseFor(tried.result.refusal, request);
  const admitted = await admitter.request({
    kind: "propose",
    request: { session: null, command: { kind: "admitNode", ...admission } },
  });
  if (admitted.kind !== "applied") return refuse("notNow", "the cluster could not commit the admission; try again");
  if (!admitted.result.ok) return refuseFor(admitted.result.refusal, request);

  const peers = admitter.peers().map(({ id, peerId, addresses: known }) => ({ id, peerId, addresses: [...known] }));
  const { clusterId, incarnation } = admitter;
  if (request.role === "worker") return encode({ kind: "admittedWorker", clusterId, incarnation, servers: peers });

  const { nodeId } = request;
  const isMember = (): boolean =>
    admitter.node.configuration.members.some(({ id, peerId }) => id === nodeId && peerId === from);
  if (!isMember()) {
    const change = { kind: "addLearner", id: nodeId, peerId: from, promote: true } as const;
    const changed = await changeMembership((asked) => admitter.request(asked), change, signal);
    if (changed.kind !== "membershipChanged")
      return refuse(
        "notNow",
        `the cluster could not take the node in yet${reasonOf(changed)}; try again with the same token`,
      );
  }
  // The configuration that the new node begins with must be a final one, and committed.
  for (;;) {
    const { configuration, configurationIndex, lineage, commitIndex } = admitter.node;
    if (isMember() && !isJoint(configuration) && configurationIndex <= commitIndex) {
      const { meta } = Node.joining(clusterId, incarnation, configuration, configurationIndex, lineage).snapshot;
      return encode({
        kind: "admitted",
        clusterId,
        incarnation,
        meta: Buffer.from(encodeSnapshotMeta(meta)).toString("base64"),
        peers,
      });
    }
    if (signal.aborted)
      return refuse("notNow", "another membership change is in the way; try again with the same token");
    await delay(BUSY_RETRY_MS);
  }
}

function reasonOf(answer: ClientAnswer): string {
  return answer.kind === "refused" && answer.refusal.kind === "membershipRefused" ? `: ${answer.refusal.reason}` : "";
}

function refuseEarly(admitter: Admitter, from: PeerId, request: JoinRequest): Uint8Array | null {
  if (admitter.parsePins(request.pins)?.isCluster(admitter.clusterId) !== true)
    return refuse(
      "wrongCluster",
      "the token belongs to another cluster: make one with `blixard token create` there where this node shall join",
    );
  const offMs = request.wallMs - admitter.wallMs();
  if (Math.abs(offMs) > CLOCK_DIFFERENCE_MAX_MS) {
    const side = offMs > 0 ? "ahead of" : "behind";
    return refuse(
      "clockOff",
      `the clock of the joining host is ${Math.round(Math.abs(offMs) / 1000)} s ${side} the cluster's: synchronise it (chrony, systemd-timesyncd)`,
    );
  }
  const { retired, members } = admitter.node.configuration;
  const bound = members.find(({ id }) => id === request.nodeId);
  if (bound !== undefined && bound.peerId !== from)
    return refuse("idTaken", `node id ${request.nodeId} belongs to another node; choose another`);
  if (nodeOf(admitter.node.state, request.nodeId)?.role === "removed")
    return refuse(
      "idTaken",
      `node id ${request.nodeId} belonged to a worker that was removed; ids are never used again: choose another`,
    );
  const other = members.find(({ peerId }) => peerId === from);
  if (other !== undefined && (other.id !== request.nodeId || request.role === "worker"))
    return refuse(
      "identityTaken",
      `this identity is node ${other.id} already: use an empty data directory for a new node`,
    );
  if (retired.some(({ id }) => id === request.nodeId))
    return refuse(
      "idTaken",
      `node id ${request.nodeId} belonged to a member that has left; ids are never used again: choose another`,
    );
  return null;
}

function refuseFor(refusal: Refusal, { nodeId, tokenId }: JoinRequest): Uint8Array {
  switch (refusal.kind) {
    case "tokenExpired":
      return refuse(
        "expired",
        `token ${tokenId} expired at ${new Date(refusal.expiredAtMs).toISOString()}: make a new one with \`blixard token create\``,
      );
    case "tokenUsed":
      return refuse(
        "used",
        `token ${tokenId} was used by node ${refusal.nodeId}: each is good for one join; make a new one`,
      );
    case "tokenRevoked":
      return refuse("revoked", `token ${tokenId} was revoked`);
    case "tokenNotFound":
    case "tokenNotForJoining":
      return refuse("unknownToken", `the cluster knows no token ${tokenId} for joining with this secret`);
    case "tokenForAnotherNode":
      return refuse("anotherId", `token ${tokenId} is for node ${refusal.nodeId}, not ${nodeId}`);
    case "nodeIdTaken":
      return refuse("idTaken", `node id ${nodeId} belongs to another node; choose another`);
    case "peerIdTaken":
      return refuse(
        "identityTaken",
        `this identity is node ${refusal.nodeId} already: use an empty data directory for a new node`,
      );
    case "limitReached":
      return refuse("tooManyNodes", `the cluster holds no more than ${refusal.maximum} nodes`);
    default:
      return refuse("invalidRequest", `the cluster refused the admission: ${refusal.kind}`);
  }
}

export function refuse(refusal: JoinRefusalKind, message: string): Uint8Array {
  return encode({ kind: "refused", refusal, message });
}

function encode(answer: JoinAnswer): Uint8Array {
  return encoder.encode(JSON.stringify(answer));
}
