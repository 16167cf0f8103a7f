/** What carries the procedures out on a running node: each turns a checked request into one for the core, and the core's answer into the procedure's. */
import { type ClientAnswer, type ClientRequest, NOBODY, type Node, type NodeId } from "../../core/index.ts";
import { ApiError } from "../errors/index.ts";
import { changeMembership } from "../join/index.ts";
import { NetworkError, type PeerStatus } from "../network/index.ts";
import { coreOf } from "./core-requests.ts";
import type { AnswerOf, CallContext, CheckedRequestOf, Handlers, ProcedureName } from "./index.ts";
import { orchestrationHandlers } from "./orchestration-handlers.ts";
import { quorumOf, requestRefused, unexpected, vmNotFound } from "./refusals.ts";
import { addressResolver, vmAnswer } from "./vm-answer.ts";

/** What the handlers need of their node. */
export interface Served {
  readonly node: Node;
  readonly clusterId: string;
  readonly incarnation: number;
  readonly version: string;
  readonly addresses: readonly string[];
  readonly peerId: string;
  request(request: ClientRequest): Promise<ClientAnswer>;
  peerStatus(): readonly PeerStatus[];
  /** Asks a procedure of another member. */
  callMember<Name extends ProcedureName>(
    peerId: string,
    name: Name,
    body: CheckedRequestOf<Name>,
    context: CallContext,
  ): Promise<AnswerOf<Name>>;
  uptimeMs(): number;
  eventLoopDelayP99Ms(): number;
  nowMs(): number;
}

/** How long a change of membership waits for another one. */
const CHANGE_WAIT_MS = 5000;

export function handlersFor(served: Served): Handlers {
  const { node } = served;
  const { propose, read } = coreOf(served);

  /** Runs it here, or on the leader when this node is not it. */
  async function onLeader<Name extends "cluster.leave" | "cluster.transferLeader">(
    name: Name,
    body: CheckedRequestOf<Name>,
    context: CallContext,
    here: () => Promise<AnswerOf<Name>>,
  ): Promise<AnswerOf<Name>> {
    if (node.role === "leader") return await here();
    const leader = node.configuration.members.find(({ id }) => id === node.leaderId);
    // One hop: a member that was asked by another does not ask a third.
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
      // The first configuration of a cluster is in no entry of its log: who takes part is told by the configuration itself, and where they are by what they announced.
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
        const heir = to ?? bestHeir(node);
        if (heir === null)
          throw new ApiError("transferRefused", "there is no other voter to hand leadership to", "add a member first");
        if (heir === node.id) return { leaderId: heir };
        const answer = await served.request({ kind: "transferLeadership", to: heir });
        if (answer.kind === "refused") throw requestRefused(served, answer.refusal);
        if (answer.kind !== "leadershipTransferred") throw unexpected(answer.kind);
        return { leaderId: answer.to };
      }),

    "session.open": async ({ clientToken }, context) => {
      const { index, term, result } = await propose(
        "sessionOpened",
        null,
        { kind: "openSession", clientToken },
        context,
      );
      return { index, term, sessionId: result.sessionId };
    },

    "session.close": async ({ session }, context) => {
      const { index, term, result } = await propose("sessionClosed", session, { kind: "closeSession" }, context);
      return { index, term, sessionId: result.sessionId };
    },

    "vm.create": async ({ name, spec, session }, context) => {
      const { index, term, result } = await propose("vmCreated", session, { kind: "createVm", name, spec }, context);
      return { index, term, generation: result.generation };
    },

    "vm.update": async ({ name, expectedGeneration, spec, session }, context) => {
      const { index, term, result } = await propose(
        "vmUpdated",
        session,
        {
          kind: "updateVm",
          name,
          expectedGeneration,
          spec,
        },
        context,
      );
      return { index, term, generation: result.generation };
    },

    "vm.delete": async ({ name, expectedGeneration, session }, context) => {
      const { index, term, result } = await propose(
        "vmDeleted",
        session,
        {
          kind: "deleteVm",
          name,
          expectedGeneration,
        },
        context,
      );
      return { index, term, generation: result.generation };
    },

    "vm.list": async ({ afterName, limit, tenant, stale }) => {
      const { index, result } = await read("vms", { kind: "listVms", afterName, limit, tenant }, stale);
      const resolve = addressResolver(node.state);
      return { index, vms: result.vms.map((vm) => vmAnswer(vm, resolve)), nextAfterName: result.nextAfterName };
    },

    "vm.show": async ({ name, stale }) => {
      const { index, result } = await read("vm", { kind: "getVm", name }, stale);
      if (result.vm === null) throw vmNotFound();
      return { index, vm: vmAnswer(result.vm, addressResolver(node.state)) };
    },

    "token.create": async ({ session, ...token }, context) => {
      const { index, term, result } = await propose(
        "tokenCreated",
        session,
        { kind: "createToken", ...token },
        context,
      );
      const { voters, members } = node.configuration;
      return {
        index,
        term,
        expiresAtMs: result.expiresAtMs,
        clusterId: served.clusterId,
        voters: members.filter(({ id }) => voters.includes(id)).map(({ peerId }) => peerId),
      };
    },

    "token.list": async ({ afterId, limit, stale }) => {
      const { index, result } = await read("tokens", { kind: "listTokens", afterId, limit }, stale);
      return {
        index,
        tokens: result.tokens.map(({ id, purpose, nodeId, createdAtMs, expiresAtMs, usedBy, revokedAtMs }) => ({
          id,
          purpose,
          nodeId,
          createdAtMs,
          expiresAtMs,
          usedBy,
          revokedAtMs,
        })),
        nextAfterId: result.nextAfterId,
      };
    },

    "token.revoke": async ({ id, session }, context) => {
      const { index, term } = await propose("tokenRevoked", session, { kind: "revokeToken", id }, context);
      return { index, term };
    },

    "events.list": async ({ afterIndex, limit, stale }) => {
      const { index, result } = await read("events", { kind: "listEvents", afterIndex, limit }, stale);
      return { index, events: result.events, complete: result.complete, oldestIndex: result.oldestIndex };
    },

    ...orchestrationHandlers(served),
  };
}

/** The other voter with the most of the log. */
export function bestHeir(node: Node): NodeId | null {
  let heir: NodeId | null = null;
  let most = -1;
  for (const { id, role, matchIndex } of node.memberStatus()) {
    if (role !== "voter" || id === node.id || matchIndex === null || matchIndex <= most) continue;
    [heir, most] = [id, matchIndex];
  }
  return heir;
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
