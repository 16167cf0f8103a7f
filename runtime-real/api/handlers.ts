/**
 * Handlers of all procedures on a running node. A handler turns a checked request into a request to the core, and the
 * answer of the core into that of the procedure. In this file: specifications of VMs, images, tokens and
 * events.
 */
import { clusterHandlers } from "./cluster-handlers.ts";
import { coreOf } from "./core-requests.ts";
import type { Handlers } from "./dispatch.ts";
import { orchestrationHandlers } from "./orchestration-handlers.ts";
import { unexpected, vmNotFound } from "./refusals.ts";
import type { Served } from "./served.ts";
import { addressResolver, vmAnswer } from "./vm-answer.ts";

export function handlersFor(served: Served): Handlers {
  const { node } = served;
  const { commit, read } = coreOf(served);

  return {
    commit,

    ...clusterHandlers(served),

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

    "image.copy": async ({ digest }, { signal }) => await served.imageCopies.look(digest, signal),

    "token.create": async ({ session, ...token }, context) => {
      const { index, term, result } = await commit(session, { kind: "createToken", ...token }, context);
      if (result.kind !== "tokenCreated") throw unexpected(result.kind);
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

    "events.list": async ({ afterIndex, limit, stale }) => {
      const { index, result } = await read("events", { kind: "listEvents", afterIndex, limit }, stale);
      return { index, events: result.events, complete: result.complete, oldestIndex: result.oldestIndex };
    },

    ...orchestrationHandlers(served),
  };
}
