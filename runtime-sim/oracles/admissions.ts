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
import { type Moment, momentText } from "../world/index.ts";
import type { OracleContext } from "./context.ts";
import type { Oracle } from "./oracle.ts";

const SLACK_MS = 15_000;

/** A call, and when its answer came. */
interface Answered extends DoorCall {
  readonly at: Moment;
}

/** What is known of a token by its answers. */
interface Known {
  created: Answered | null;
  /** The first answer. */
  revoked: Answered | null;
  admitted: Answered | null;
}

export function admissions({ violate, now }: OracleContext): Oracle {
  const name = "admissions";
  const tokens = new Map<string, Known>();

  function letIn(call: Answered, known: Known): void {
    const { tokenId, nodeId, invokedMs, ttlMs } = call;
    const { created, revoked, admitted } = known;
    if (admitted !== null && admitted.nodeId !== nodeId)
      violate(
        name,
        () =>
          `token ${tokenId} has let in node ${admitted.nodeId}, answered at ${momentText(admitted.at)}, and node ${nodeId}`,
      );
    if (revoked !== null && revoked.answeredMs < invokedMs)
      violate(
        name,
        () =>
          `token ${tokenId} has let in node ${nodeId}, which asked at ${seconds(invokedMs)} s, after its revocation was ` +
          `answered at ${momentText(revoked.at)}`,
      );
    if (created !== null && invokedMs > created.answeredMs + ttlMs + SLACK_MS) {
      const lateMs = invokedMs - created.answeredMs - ttlMs;
      violate(
        name,
        () =>
          `token ${tokenId} has let in node ${nodeId} ${Math.round(lateMs)} ms after its time; it was made at ` +
          momentText(created.at),
      );
    }
    known.admitted ??= call;
  }

  function expired(call: Answered, { created }: Known): void {
    const { tokenId, answeredMs, ttlMs } = call;
    if (created === null || answeredMs >= created.invokedMs + ttlMs - SLACK_MS) return;
    const earlyMs = created.invokedMs + ttlMs - answeredMs;
    violate(
      name,
      () =>
        `token ${tokenId} was called expired ${Math.round(earlyMs)} ms before its time; it was made at ` +
        momentText(created.at),
    );
  }

  return {
    name,
    summary: "a token lets one node in, and only while it is good",
    checks: 0,
    admission(answered) {
      const call = { ...answered, at: now() };
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

function seconds(ms: number): string {
  return (ms / 1000).toFixed(6);
}
