/** Handlers of the procedures about the cluster itself: its status, its members, its leader. */
import { NOBODY, type Node } from "../../core/index.ts";
import { ApiError } from "../errors/index.ts";
import { changeMembership } from "../join/index.ts";
import { NetworkError } from "../network/index.ts";
import type { CallContext } from "./call-context.ts";
import { coreOf } from "./core-requests.ts";
import type { Handlers } from "./dispatch.ts";
import type { AnswerOf, CheckedRequestOf, ProcedureName } from "./procedures.ts";
import { quorumOf } from "./quorum.ts";
import { unexpected } from "./refusals.ts";
import { requestRefused } from "./request-refusals.ts";
import type { Served } from "./served.ts";
import { transferTarget } from "./transfer-target.ts";

/** How long a change of membership waits for another that is under way. */
const CHANGE_WAIT_MS = 5000;

type OfCluster = Extract<ProcedureName, `cluster.${string}`>;

export function clusterHandlers(served: Served): Pick<Handlers, OfCluster> {
  const { node } = served;
  const { read } = coreOf(served);

  /** Runs it here, or on the leader when this node is not it. */
  async function onLeader<Name extends "cluster.leave" | "cluster.transferLeader">(
    name: Name,
    body: CheckedRequestOf<Name>,
    context: CallContext,
    here: () => Promise<AnswerOf<Name>>,
  ): Promise<AnswerOf<Name>> {
    if (node.role === "leader") return await here();
    const leader = node.configuration.members.find(({ id }) => id === node.leaderId);
    // One hop only: a member that was asked by another member does not ask a third.
    if (leader === undefined || context.caller.kind === "member") throw requestRefused(served, { kind: "noLeader" });
    try {
      return await served.callMember(leader.peerId, name, body, context);
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error;
      context.log.warn({ err: error, leader: leader.id }, "the leader did not answer");
      throw requestRefused(served, {
        kind: error.kind === "notConnected" || error.kind === "busy" ? "noLeader" : "outcomeUnknown",
      });
    }
  }

  return {
    "cluster.status": async () => clusterStatus(served),

    "cluster.members": async ({ stale }) => {
      const { index, result } = await read("nodes", { kind: "listNodes" }, stale);
      // No log entry holds the first configuration of a cluster. So the members come from the configuration itself,
      // and their addresses from what they have announced.
      const { members, voters } = node.configuration;
      const announced = new Map(result.nodes.map((record) => [record.id, record]));
      return {
        index,
        members: members.map(({ id, peerId }) => ({
          id,
          peerId,
          addresses: announced.get(id)?.addresses ?? [],
          role: voters.includes(id) ? "voter" : "learner",
        })),
      };
    },

    "cluster.leave": async (request, context) => {
      const nodeId = request.nodeId ?? node.id;
      const body = { nodeId };
      return await onLeader("cluster.leave", body, context, async () => {
        if (!node.configuration.members.some(({ id }) => id === nodeId))
          throw new ApiError(
            "nodeNotFound",
            `node ${nodeId} is no member of the cluster`,
            "`blixard cluster members` lists them",
            { nodeId },
          );
        const limit = AbortSignal.any([context.signal, AbortSignal.timeout(CHANGE_WAIT_MS)]);
        const answer = await changeMembership((asked) => served.request(asked), { kind: "remove", id: nodeId }, limit);
        if (answer.kind === "refused") throw requestRefused(served, answer.refusal);
        if (answer.kind !== "membershipChanged") throw unexpected(answer.kind);
        return { index: answer.index, term: answer.term, nodeId };
      });
    },

    "cluster.transferLeader": async ({ to }, context) =>
      await onLeader("cluster.transferLeader", { to }, context, async () => {
        const target = to ?? transferTarget(node);
        if (target === null)
          throw new ApiError("transferRefused", "there is no other voter to hand leadership to", "add a member first");
        if (target === node.id) return { leaderId: target };
        const answer = await served.request({ kind: "transferLeadership", to: target });
        if (answer.kind === "refused" && answer.refusal.kind === "outcomeUnknown")
          throw new ApiError(
            "outcomeUnknown",
            `node ${target} was told to take over, and did not lead in time: it may still`,
            "look who leads (`blixard cluster status`) before you ask again",
            { nodeId: target },
          );
        if (answer.kind === "refused") throw requestRefused(served, answer.refusal);
        if (answer.kind !== "leadershipTransferred") throw unexpected(answer.kind);
        return { leaderId: answer.to };
      }),
  };
}

function clusterStatus(served: Served): AnswerOf<"cluster.status"> {
  const { node } = served;
  const peers = new Map(served.peerStatus().map((peer) => [peer.id, peer]));
  const status = new Map(node.memberStatus().map((member) => [member.id, member]));
  const { configuration } = node;
  const nowMs = served.nowMs();
  const members = configuration.members.map(({ id, peerId }) => {
    const peer = peers.get(id);
    const isSelf = id === node.id;
    return {
      id,
      peerId,
      role: configuration.voters.includes(id) ? ("voter" as const) : ("learner" as const),
      addresses: isSelf ? served.addresses : (peer?.addresses ?? []),
      connected: isSelf || peer?.connected === true,
      lastHeardMs: peer?.lastHeardMs == null ? null : Math.max(0, Math.round(nowMs - peer.lastHeardMs)),
      messages: peer === undefined ? null : { sent: peer.sent, received: peer.received, dropped: peer.dropped },
      matchIndex: status.get(id)?.matchIndex ?? null,
    };
  });
  return {
    clusterId: served.clusterId,
    incarnation: served.incarnation,
    version: served.version,
    node: {
      id: node.id,
      peerId: served.peerId,
      role: roleOf(node),
      uptimeMs: Math.round(served.uptimeMs()),
      eventLoopDelayP99Ms: served.eventLoopDelayP99Ms(),
      residentMiB: Math.round(process.memoryUsage.rss() / 2 ** 20),
      addresses: served.addresses,
    },
    leaderId: node.leaderId === NOBODY ? null : node.leaderId,
    term: node.term,
    commitIndex: node.commitIndex,
    appliedIndex: node.appliedIndex,
    members,
    quorum: quorumOf(served),
    counts: { vms: node.state.vmCount, sessions: node.state.sessionCount },
  };
}

function roleOf(node: Node): AnswerOf<"cluster.status">["node"]["role"] {
  if (node.halted) return "halted";
  if (node.removed) return "removed";
  if (node.configuration.learners.includes(node.id)) return "learner";
  return node.role;
}
