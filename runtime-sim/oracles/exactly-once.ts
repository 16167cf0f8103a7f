/**
 * Exactly once (thesis 6.3): a request of a session takes effect at most once, however often its retries get into the
 * log.
 *
 * Checks every committed entry that repeats a request: in the replay of the committed entries, the VM that it names is
 * the same record before and after it. state-machine-safety checks that every node does as the replay. Does not check:
 * requests without a session, which may happen twice; retries of a request so old that its session is not remembered
 * any more.
 */
import { getVm } from "../../core/index.ts";
import type { OracleContext } from "./context.ts";
import { committedText } from "./ledger.ts";
import type { Oracle } from "./oracle.ts";
import { isSame } from "./same.ts";

export function exactlyOnce({ violate, ledger, reference, sessions }: OracleContext): Oracle {
  const name = "exactly-once";
  const oracle: Oracle = {
    name,
    summary: "a request of a session takes effect once, however often it is retried",
    checks: 0,
  };

  sessions.onRetry(({ entry, request, firstIndex }) => {
    const { session, command } = request;
    if (session === null || !("name" in command)) return;
    oracle.checks += 1;
    reference.foldTo(entry.index - 1);
    const before = getVm(reference.state, command.name);
    reference.foldTo(entry.index);
    const after = getVm(reference.state, command.name);
    if (before === after || isSame(before, after)) return;
    violate(
      name,
      () =>
        `entry ${entry.index} repeats request ${session.sequence} of session ${session.id}` +
        `${firstIndex === null ? "" : ` (first entry ${firstIndex}, ${committedText(ledger, firstIndex)})`} and changed ${command.name} again: ` +
        `${JSON.stringify(before)} became ${JSON.stringify(after)}`,
    );
  });

  return oracle;
}
