/** What carries the procedures out on a running node: each turns a checked request into one for the core, and the core's answer into the procedure's. */
import {
  type ApplyResult,
  type ClientAnswer,
  type ClientRequest,
  type ClusterQuery,
  type ClusterQueryResult,
  type Command,
  NOBODY,
  type Node,
  type NodeId,
  type Refusal,
  type RequestRefusal,
  type RequestSession,
} from "../core/index.ts";
import type { AnswerOf, CallContext, CheckedRequestOf, Handlers, ProcedureName } from "./api/index.ts";
import { ApiError } from "./client/index.ts";
import { changeMembership } from "./membership-change.ts";
import type { PeerStatus } from "./network/index.ts";
import { NetworkError } from "./network/index.ts";

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

type Applied = Extract<ApplyResult, { readonly ok: true }>;

export function handlersFor(served: Served): Handlers {
  const { node } = served;

  async function propose<Kind extends Applied["kind"]>(
    kind: Kind,
    session: RequestSession | null,
    command: Command,
  ): Promise<{ index: number; term: number; result: Extract<Applied, { readonly kind: Kind }> }> {
    const answer = await served.request({ kind: "propose", request: { session, command } });
    if (answer.kind === "refused") throw requestRefused(served, answer.refusal);
    if (answer.kind !== "applied") throw unexpected(answer.kind);
    const { index, term, result } = answer;
    if (!result.ok) throw applyRefused(result.refusal);
    if (!isKind(result, kind)) throw unexpected(result.kind);
    return { index, term, result };
  }

  async function read<Kind extends ClusterQueryResult["kind"]>(
    kind: Kind,
    query: ClusterQuery,
    stale: boolean,
  ): Promise<{ index: number; result: Extract<ClusterQueryResult, { readonly kind: Kind }> }> {
    const answer = await served.request({ kind: "read", query, consistency: stale ? "stale" : "linearizable" });
    if (answer.kind === "refused") throw requestRefused(served, answer.refusal);
    if (answer.kind !== "read") throw unexpected(answer.kind);
    if (!isKind(answer.result, kind)) throw unexpected(answer.result.kind);
    return { index: answer.index, result: answer.result };
  }

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

    "session.open": async ({ clientToken }) => {
      const { index, term, result } = await propose("sessionOpened", null, { kind: "openSession", clientToken });
      return { index, term, sessionId: result.sessionId };
    },

    "session.close": async ({ session }) => {
      const { index, term, result } = await propose("sessionClosed", session, { kind: "closeSession" });
      return { index, term, sessionId: result.sessionId };
    },

    "vm.create": async ({ name, spec, session }) => {
      const { index, term, result } = await propose("vmCreated", session, { kind: "createVm", name, spec });
      return { index, term, generation: result.generation };
    },

    "vm.update": async ({ name, expectedGeneration, spec, session }) => {
      const { index, term, result } = await propose("vmUpdated", session, {
        kind: "updateVm",
        name,
        expectedGeneration,
        spec,
      });
      return { index, term, generation: result.generation };
    },

    "vm.delete": async ({ name, expectedGeneration, session }) => {
      const { index, term, result } = await propose("vmDeleted", session, {
        kind: "deleteVm",
        name,
        expectedGeneration,
      });
      return { index, term, generation: result.generation };
    },

    "vm.list": async ({ afterName, limit, tenant, stale }) => {
      const { index, result } = await read("vms", { kind: "listVms", afterName, limit, tenant }, stale);
      return { index, vms: result.vms, nextAfterName: result.nextAfterName };
    },

    "vm.show": async ({ name, stale }) => {
      const { index, result } = await read("vm", { kind: "getVm", name }, stale);
      if (result.vm === null) throw vmNotFound();
      return { index, vm: result.vm };
    },

    "token.create": async ({ session, ...token }) => {
      const { index, term, result } = await propose("tokenCreated", session, { kind: "createToken", ...token });
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

    "token.revoke": async ({ id, session }) => {
      const { index, term } = await propose("tokenRevoked", session, { kind: "revokeToken", id });
      return { index, term };
    },

    "events.list": async ({ afterIndex, limit, stale }) => {
      const { index, result } = await read("events", { kind: "listEvents", afterIndex, limit }, stale);
      return { index, events: result.events, complete: result.complete, oldestIndex: result.oldestIndex };
    },
  };
}

function isKind<Value extends { readonly kind: string }, Kind extends Value["kind"]>(
  value: Value,
  kind: Kind,
): value is Extract<Value, { readonly kind: Kind }> {
  return value.kind === kind;
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

/** As far as connections tell: in a joint configuration of the half that lacks more. */
function quorumOf(served: Served): AnswerOf<"cluster.status">["quorum"] {
  const { voters, outgoing } = served.node.configuration;
  const isJoint = outgoing.length > 0;
  const connected = new Set(served.peerStatus().flatMap((peer) => (peer.connected ? [peer.id] : [])));
  connected.add(served.node.id);
  const half = (ids: readonly NodeId[]) => {
    const missing = ids.filter((id) => !connected.has(id));
    const needed = Math.floor(ids.length / 2) + 1;
    const present = ids.length - missing.length;
    return { has: present >= needed, needed, connected: present, missing, isJoint };
  };
  const incoming = half(voters);
  if (!incoming.has || !isJoint) return incoming;
  const leaving = half(outgoing);
  return leaving.has ? incoming : leaving;
}

function requestRefused(served: Served, refusal: RequestRefusal): ApiError {
  switch (refusal.kind) {
    case "noLeader":
    case "notLeader": {
      const { has, missing, needed, connected } = quorumOf(served);
      if (has)
        return new ApiError(
          "noLeader",
          "no leader is known at the moment",
          "an election takes a second or two: try again",
        );
      const names = missing.map((id) => `node ${id}`).join(", ");
      return new ApiError(
        "quorumLost",
        `the cluster has lost its quorum: ${connected} of the voters are connected, ${needed} are needed; missing: ${names}`,
        `start the missing nodes again (${names}), or look at their logs and the network between`,
        { missing, needed, connected },
      );
    }
    case "tooManyUncommitted":
      return new ApiError(
        "tooManyUncommitted",
        "the leader cannot take more until earlier writes commit",
        "slow down and try again",
        {
          limitBytes: refusal.limitBytes,
        },
      );
    case "tooManyPending":
      return new ApiError(
        "tooManyPending",
        `this node keeps ${refusal.limit} requests waiting already`,
        "slow down, or ask another node",
        {
          limit: refusal.limit,
        },
      );
    case "invalidRequest":
      return new ApiError(
        "invalidRequest",
        `${refusal.field}: ${refusal.reason}`,
        "correct the field and send it again",
        {
          field: refusal.field,
          reason: refusal.reason,
        },
      );
    case "requestTooLarge":
      return new ApiError(
        "requestTooLarge",
        `the request has ${refusal.sizeBytes} bytes, the limit is ${refusal.limitBytes}`,
        "make it smaller",
        {
          sizeBytes: refusal.sizeBytes,
          limitBytes: refusal.limitBytes,
        },
      );
    case "outcomeUnknown": {
      const { missing } = quorumOf(served);
      return new ApiError(
        "outcomeUnknown",
        "no majority has confirmed it in time: it may have happened, or may still",
        "ask again within the same session, or look whether it happened",
        { missing },
      );
    }
    case "readTimedOut": {
      const { missing } = quorumOf(served);
      return new ApiError(
        "readTimedOut",
        "no majority has confirmed the leader in time",
        "try again, or read with --stale",
        { missing },
      );
    }
    case "membershipRefused":
      return new ApiError("membershipRefused", refusal.reason, "try again when what is in the way is over", {});
    case "transferRefused":
      return new ApiError("transferRefused", refusal.reason, "choose another voter, or try again", {});
    case "leaseReadsOff":
      return new ApiError("invalidRequest", "lease reads are switched off", "read linearizable or stale");
    case "halted":
      return new ApiError("halted", "this node has stopped itself", "its log says why; ask another node meanwhile");
  }
}

function vmNotFound(): ApiError {
  return new ApiError("vmNotFound", "there is no VM of this name", "`blixard vm list` shows what there is");
}

function applyRefused(refusal: Refusal): ApiError {
  switch (refusal.kind) {
    case "vmExists":
      return new ApiError(
        "vmExists",
        "a VM of this name exists already",
        "choose another name, or change that one with `blixard vm update`",
      );
    case "vmNotFound":
      return vmNotFound();
    case "generationMismatch":
      return new ApiError(
        "generationMismatch",
        `the VM has generation ${refusal.actual}, not ${refusal.expected}: somebody else has changed it meanwhile`,
        "read it again and repeat the change",
        { expected: refusal.expected, actual: refusal.actual },
      );
    case "sessionExpired":
      return new ApiError(
        "sessionExpired",
        `session ${refusal.sessionId} is not known (any more)`,
        "open a new session; what was not answered must be looked at",
        {
          sessionId: refusal.sessionId,
        },
      );
    case "sequenceTooOld":
      return new ApiError(
        "sequenceTooOld",
        `request ${refusal.sequence} of this session has been acknowledged already`,
        "number requests upwards",
        {
          sequence: refusal.sequence,
          lowestUnacknowledged: refusal.lowestUnacknowledged,
        },
      );
    case "invalidCommand":
      return new ApiError(
        "invalidRequest",
        `${refusal.field}: ${refusal.reason}`,
        "correct the field and send it again",
        {
          field: refusal.field,
          reason: refusal.reason,
        },
      );
    case "limitReached":
      return new ApiError(
        "limitReached",
        `the cluster holds no more than ${refusal.maximum} ${refusal.limit}`,
        "delete what is not needed any more",
        {
          limit: refusal.limit,
          maximum: refusal.maximum,
        },
      );
    case "tokenExists":
      return new ApiError("tokenExists", "a token with this id exists already", "make one with another id");
    case "tokenNotFound":
      return new ApiError(
        "tokenNotFound",
        "there is no token with this id",
        "`blixard token list` shows what there is",
      );
    case "nodeNotFound":
      return new ApiError(
        "nodeNotFound",
        `node ${refusal.nodeId} is no member of the cluster`,
        "`blixard cluster members` lists them",
        { nodeId: refusal.nodeId },
      );
    case "workerNotFound":
      return new ApiError(
        "workerNotFound",
        `there is no worker ${refusal.workerId}`,
        "is its node running, and a worker?",
        { workerId: refusal.workerId },
      );
    case "workerHasChanged":
      return new ApiError(
        "workerHasChanged",
        `worker ${refusal.workerId} has registered anew, or is lost`,
        "look again, and repeat what still holds",
        { workerId: refusal.workerId },
      );
    case "vmHasChanged":
      return new ApiError("vmHasChanged", "the VM has changed meanwhile", "look again, and repeat what still holds");
    case "vmIsBeingDeleted":
      return new ApiError("vmIsBeingDeleted", "the VM is being deleted", "wait until it is gone, or take another name");
    case "vmIsNotPlaced":
      return new ApiError("vmIsNotPlaced", "the VM is on no worker", "wait until it has a place");
    case "vmIsPlaced":
      return new ApiError(
        "vmIsPlaced",
        `the VM is on worker ${refusal.workerId} already`,
        "move it from there instead",
        { workerId: refusal.workerId },
      );
    case "doesNotFit":
      return new ApiError(
        "doesNotFit",
        `the VM does not fit on worker ${refusal.workerId}: ${refusal.why}`,
        "choose another worker, or make room on this one",
        { workerId: refusal.workerId, why: refusal.why },
      );
    case "quotaExceeded":
      return new ApiError(
        "quotaExceeded",
        `the tenant would have ${refusal.wanted} ${refusal.resource}, its quota is ${refusal.limit}`,
        "ask for less, delete what is not needed any more, or have the quota raised",
        { resource: refusal.resource, wanted: refusal.wanted, limit: refusal.limit },
      );
    case "tooManyRequests":
      return new ApiError(
        "tooManyRequests",
        refusal.what === "requests"
          ? `the tenant asks more often than ${refusal.perMinute / 60} times a second`
          : `the tenant has made its ${refusal.perMinute} ${refusal.what} of this minute`,
        `try again in ${Math.ceil(refusal.retryAfterMs / 1000)} s`,
        { what: refusal.what, perMinute: refusal.perMinute, retryAfterMs: refusal.retryAfterMs },
      );
    case "tooSoon":
      return new ApiError(
        "tooSoon",
        "the last rebalance has just been",
        `try again in ${Math.ceil(refusal.retryAfterMs / 1000)} s`,
        { retryAfterMs: refusal.retryAfterMs },
      );
    case "poolExists":
      return new ApiError("poolExists", "an address pool of this name exists already", "choose another name");
    case "poolNotFound":
      return new ApiError("poolNotFound", `there is no address pool ${refusal.pool}`, "make it first", {
        pool: refusal.pool,
      });
    case "poolDisabled":
      return new ApiError(
        "poolDisabled",
        `the address pool ${refusal.pool} gives nothing out`,
        "enable it, or take another",
        {
          pool: refusal.pool,
        },
      );
    case "poolOverlaps":
      return new ApiError(
        "poolOverlaps",
        `its addresses are also those of the pool ${refusal.pool}`,
        "give it addresses of its own",
        { pool: refusal.pool },
      );
    case "poolInUse":
      return new ApiError(
        "poolInUse",
        `${refusal.usedCount} of the pool's addresses are in use`,
        "delete the VMs that have them first",
        { usedCount: refusal.usedCount },
      );
    case "poolExhausted":
      return new ApiError(
        "poolExhausted",
        `all ${refusal.size} addresses of the pool ${refusal.pool} are in use`,
        "make the pool larger, or take another",
        { pool: refusal.pool, size: refusal.size },
      );
    case "taskExists":
      return new ApiError("taskExists", "a task with this id exists already", "choose another id");
    case "taskNotFound":
      return new ApiError("taskNotFound", "there is no task with this id", "it may have ended long ago");
    case "taskHasChanged":
      return new ApiError(
        "taskHasChanged",
        "the task has changed meanwhile",
        "look again, and repeat what still holds",
      );
    case "tokenExpired":
    case "tokenUsed":
    case "tokenRevoked":
    case "tokenNotForJoining":
    case "tokenForAnotherNode":
    case "nodeIdTaken":
    case "peerIdTaken":
      return unexpected(refusal.kind);
  }
}

/** The core answered with a kind that does not belong to the question: a defect. */
function unexpected(kind: string): ApiError {
  return new ApiError(
    "internal",
    `the core answered ${kind}`,
    "this is a defect of blixard: report it with the node's log",
  );
}
