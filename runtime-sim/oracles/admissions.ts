/**
 * A token lets one node in, and only while it is good, as those see it who make tokens, revoke them and use them.
 *
 * Checks each answered admission, against all earlier answers about its token. No second node is let in with it;
 * nobody whose first attempt came after a revocation was answered; nobody long after the token's time was over, by
 * true time, and nobody is told long before that it is. `SLACK_MS` either way is allowed for: clocks of a majority
 * are right within that. Does not check: where a majority's clocks are not; what was never answered; tokens of the
 * API, which the core keeps but does not decide by: whoever serves a client does, by the state of its own node.
 */
import type { DoorCall } from "../workload/index.ts";
import type { OracleContext } from "./context.ts";
import type { Oracle } from "./oracle.ts";

const SLACK_MS = 15_000;

/** What is known of a token by its answers. */
interface Known {
  created: DoorCall | null;
  /** The first answer. */
  revoked: DoorCall | null;
  admitted: DoorCall | null;
}

export function admissions({ violate }: OracleContext): Oracle {
  const name = "admissions";
  const tokens = new Map<string, Known>();

  function letIn(call: DoorCall, known: Known): void {
    const { tokenId, nodeId, invokedMs, ttlMs } = call;
    const { created, revoked, admitted } = known;
    if (admitted !== null && admitted.nodeId !== nodeId)
      violate(name, () => `token ${tokenId} has let in node ${admitted.nodeId} and node ${nodeId}`);
    if (revoked !== null && revoked.answeredMs < invokedMs)
      violate(name, () => `token ${tokenId} has let in node ${nodeId}, which asked after it was revoked`);
    if (created !== null && invokedMs > created.answeredMs + ttlMs + SLACK_MS) {
      const lateMs = invokedMs - created.answeredMs - ttlMs;
      violate(name, () => `token ${tokenId} has let in node ${nodeId} ${Math.round(lateMs)} ms after its time`);
    }
    known.admitted ??= call;
  }

  function expired(call: DoorCall, { created }: Known): void {
    const { tokenId, answeredMs, ttlMs } = call;
    if (created === null || answeredMs >= created.invokedMs + ttlMs - SLACK_MS) return;
    const earlyMs = created.invokedMs + ttlMs - answeredMs;
    violate(name, () => `token ${tokenId} was called expired ${Math.round(earlyMs)} ms before its time`);
  }

  return {
    name,
    summary: "a token lets one node in, and only while it is good",
    checks: 0,
    admission(call) {
      const known = tokens.get(call.tokenId) ?? { created: null, revoked: null, admitted: null };
      tokens.set(call.tokenId, known);
      if (call.kind === "create") known.created ??= call;
      else if (call.kind === "revoke") known.revoked ??= call.result.ok ? call : null;
      else {
        this.checks += 1;
        if (call.result.ok) letIn(call, known);
        else if (call.result.refusal.kind === "tokenExpired") expired(call, known);
      }
    },
  };
}
