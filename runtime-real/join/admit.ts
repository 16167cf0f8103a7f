/**
 * The admitting side of a join. A stranger shows a one-time token to a member that the token names. That member, or
 * the leader that it asks, marks the token as used by exactly this id and identity, and adds a learner. To ask again
 * with the same token, id and identity gives the same answer, so a lost answer costs nothing. A refusal changes
 * nothing on either side.
 */
import { setTimeout as delay } from "node:timers/promises";
import {
  type ClientAnswer,
  type ClientRequest,
  encodeSnapshotMeta,
  type Node,
  type PeerId,
  query,
} from "../../core/index.ts";
import { hashSecret } from "../tokens/index.ts";
import { refuseEarly, refuseFor } from "./join-refusals.ts";
import { changeMembership } from "./membership-change.ts";
import {
  type Admission,
  decodeJoinRequest,
  encodeAnswer,
  type JoinRequest,
  type ReplacementRequest,
  refuse,
} from "./protocol.ts";

/** What the admitting side needs of its node. */
export interface Admitter {
  readonly clusterId: string;
  readonly incarnation: number;
  readonly node: Node;
  request(request: ClientRequest): Promise<ClientAnswer>;
  wallMs(): number;
  peers(): Admission["peers"];
  /** Asks the leader to answer the same request. Null: no leader is known, or it does not answer. */
  askLeader(): Promise<Uint8Array | null>;
}

const BUSY_RETRY_MS = 50;
const REPLACEMENT_TTL_MS = 600_000;

/**
 * Answers a join request of the peer that the transport has authenticated as `from`. Never rejects, whatever the
 * request holds.
 *
 * @param signal ends the wait for a membership change that is under way.
 */
export async function answerJoin(
  admitter: Admitter,
  from: PeerId,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const request = decodeJoinRequest(bytes);
  if (typeof request === "string") return refuse("invalidRequest", `the join request is not valid: ${request}`);
  const early = request.kind === "join" ? refuseEarly(admitter, from, request) : null;
  if (early !== null) return early;

  if (admitter.node.role !== "leader") {
    const answer = await admitter.askLeader();
    return answer ?? refuse("notNow", "no leader answers: is a majority of the cluster up? Try again");
  }
  return request.kind === "join"
    ? await admit(admitter, from, request, signal)
    : await replace(admitter, from, request);
}

/**
 * Makes a token for a new node that takes a member's place. The member is known by the identity that the transport has
 * authenticated.
 */
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
  return encodeAnswer({
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
  // A read first, which costs no log entry: a stranger must not be able to fill the log of every member. The same
  // conditions are checked again when the command is applied.
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
  if (request.role === "worker")
    return encodeAnswer({ kind: "admittedWorker", clusterId, incarnation, servers: peers });

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
  // The new node starts from a configuration that is final and committed.
  for (;;) {
    const start = admitter.node.startOf(nodeId);
    if ("restored" in start && isMember()) {
      const meta = Buffer.from(encodeSnapshotMeta(start.restored.snapshot.meta)).toString("base64");
      return encodeAnswer({ kind: "admitted", clusterId, incarnation, meta, peers });
    }
    if ("refused" in start && start.refused === "hasRun" && isMember())
      return refuse(
        "idTaken",
        `node ${nodeId} has run before with this identity: without its data it must not come back as who it was. ` +
          "Take it out with `blixard cluster leave --node`, then join with a new id, a new token and an empty data directory",
      );
    if (signal.aborted)
      return refuse("notNow", "another membership change is in the way; try again with the same token");
    await delay(BUSY_RETRY_MS);
  }
}

function reasonOf(answer: ClientAnswer): string {
  return answer.kind === "refused" && answer.refusal.kind === "membershipRefused" ? `: ${answer.refusal.reason}` : "";
}
