/**
 * One request of a session, one answer.
 *
 * Checks every committed entry that repeats a request: the replay answers it as it answered the first, or says that
 * the client has acknowledged it or that the session is gone. And every answer "applied" to a client, against what the
 * first entry for its session and sequence gave. Does not check: requests without a session; answers that have left
 * the ledger's window.
 */
import type { ApplyResult } from "../../core/index.ts";
import type { OracleContext } from "./context.ts";
import { appliedText } from "./ledger.ts";
import type { Oracle } from "./oracle.ts";
import { isSameResult } from "./same.ts";

export function oneAnswerPerRequest({ violate, ledger, reference, sessions }: OracleContext): Oracle {
  const name = "sessions";
  /** Retries that are committed and not folded in yet, with the first entry for their request. */
  const retries = new Map<number, number>();

  function check(firstIndex: number, result: ApplyResult, what: () => string): void {
    const first = ledger.resultAt(firstIndex);
    if (first === undefined || first === null) return;
    oracle.checks += 1;
    if (isSameResult(first, result) || isForgotten(result)) return;
    violate(
      name,
      () =>
        `${what()} was answered ${JSON.stringify(result)}; first it was ${JSON.stringify(first)} (entry ` +
        `${firstIndex}, on ${appliedText(ledger, firstIndex)})`,
    );
  }

  const oracle: Oracle = {
    name,
    summary: "a request of a session has one answer, however often it is retried",
    checks: 0,
    completed(operation) {
      const { answer, session, sequence } = operation;
      if (session === 0 || answer === null || answer.kind !== "applied") return;
      const firstIndex = sessions.firstIndex(session, sequence);
      if (firstIndex === null) return;
      check(firstIndex, answer.result, () => `request ${sequence} of session ${session}`);
    },
  };

  sessions.onRetry(({ entry, firstIndex }) => {
    if (firstIndex !== null) retries.set(entry.index, firstIndex);
  });
  reference.onFold((entry, result) => {
    if (retries.size === 0) return;
    const firstIndex = retries.get(entry.index);
    if (firstIndex === undefined) return;
    retries.delete(entry.index);
    check(firstIndex, result, () => `the retry in entry ${entry.index}`);
  });

  return oracle;
}

function isForgotten(result: ApplyResult): boolean {
  return !result.ok && (result.refusal.kind === "sequenceTooOld" || result.refusal.kind === "sessionExpired");
}
