/** Requests to the core of the running node. An answer of the wrong kind or a refusal becomes an ApiError. */
import type { ApplyResult, ClusterQuery, ClusterQueryResult, Command, RequestSession } from "../../core/index.ts";
import { applyRefused } from "./apply-refusals.ts";
import type { CallContext, Caller } from "./call-context.ts";
import { unexpected } from "./refusals.ts";
import { requestRefused } from "./request-refusals.ts";
import type { Served } from "./served.ts";

type Applied = Extract<ApplyResult, { readonly ok: true }>;

export interface CoreRequests {
  /** Commits and applies a command. The audit event names the caller. @throws ApiError */
  commit(
    session: RequestSession | null,
    command: Command,
    context: Pick<CallContext, "caller">,
  ): Promise<{ index: number; term: number; result: Applied }>;
  /** @throws ApiError */
  read<Kind extends ClusterQueryResult["kind"]>(
    kind: Kind,
    query: ClusterQuery,
    stale: boolean,
  ): Promise<{ index: number; result: Extract<ClusterQueryResult, { readonly kind: Kind }> }>;
}

export function coreOf(served: Served): CoreRequests {
  async function commit(
    session: RequestSession | null,
    command: Command,
    { caller }: Pick<CallContext, "caller">,
  ): Promise<{ index: number; term: number; result: Applied }> {
    const request = { session, actor: actorOf(served, caller), command };
    const answer = await served.request({ kind: "propose", request });
    if (answer.kind === "refused") throw requestRefused(served, answer.refusal);
    if (answer.kind !== "applied") throw unexpected(answer.kind);
    const { index, term, result } = answer;
    if (!result.ok) throw applyRefused(result.refusal);
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

  return { commit, read };
}

function isKind<Value extends { readonly kind: string }, Kind extends Value["kind"]>(
  value: Value,
  kind: Kind,
): value is Extract<Value, { readonly kind: Kind }> {
  return value.kind === kind;
}

/** The caller, as audit events name it. */
function actorOf({ node }: Served, caller: Caller): string {
  switch (caller.kind) {
    case "local":
      return "local";
    case "token":
      return `token:${caller.tokenId}`;
    case "member": {
      const member = node.configuration.members.find(({ peerId }) => peerId === caller.peerId);
      return `node:${member?.id ?? caller.peerId}`;
    }
  }
}
