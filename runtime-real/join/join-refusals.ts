/** Why a join is refused, in words for whoever runs the joining node. */
import { type Node, nodeOf, type PeerId, type Refusal } from "../../core/index.ts";
import { parsePins } from "../tokens/index.ts";
import { type JoinRequest, refuse } from "./protocol.ts";

/** Tokens, leases and certificates expire by clocks. If two clocks differ by more than this, the join is refused. */
export const CLOCK_DIFFERENCE_MAX_MS = 60_000;

/** What is known without asking the cluster. */
interface LocalView {
  readonly clusterId: string;
  readonly node: Pick<Node, "configuration" | "state">;
  wallMs(): number;
}

/** What can be refused without asking the cluster; null: nothing. */
export function refuseEarly(local: LocalView, from: PeerId, request: JoinRequest): Uint8Array | null {
  if (parsePins(request.pins)?.isCluster(local.clusterId) !== true)
    return refuse(
      "wrongCluster",
      "the token belongs to another cluster: make one with `blixard token create` on a member of the cluster that this node is to join",
    );
  const offMs = request.wallMs - local.wallMs();
  if (Math.abs(offMs) > CLOCK_DIFFERENCE_MAX_MS) {
    const side = offMs > 0 ? "ahead of" : "behind";
    return refuse(
      "clockOff",
      `the clock of the joining host is ${Math.round(Math.abs(offMs) / 1000)} s ${side} the cluster's: synchronise it (chrony, systemd-timesyncd)`,
    );
  }
  const { retired, members } = local.node.configuration;
  const bound = members.find(({ id }) => id === request.nodeId);
  if (bound !== undefined && bound.peerId !== from)
    return refuse("idTaken", `node id ${request.nodeId} belongs to another node; choose another`);
  if (nodeOf(local.node.state, request.nodeId)?.role === "removed")
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

/** What the replicated state has refused. */
export function refuseFor(refusal: Refusal, { nodeId, tokenId }: JoinRequest): Uint8Array {
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
