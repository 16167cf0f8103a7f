/**
 * Linearizability of the client history (Herlihy & Wing 1990), each record apart: every answer could have come from one
 * record that does one thing at a time, between call and answer. Typed refusals of the state machine are answers too;
 * an operation of unknown outcome may have happened at any time since, or never.
 *
 * Checks VMs (create, update, delete, get). It does so while the run goes on, whenever an answer comes, and at the end.
 * Does not check: reads that were asked to be stale; anything between records, such as quotas, lists and events
 * (as-modelled and read-freshness do); a record once it was found violated or undecided. Undecided counts as a
 * violation: a checker that gave up has shown nothing.
 */
import type { OracleContext } from "./context.ts";
import { FamilyHistory, type HistoryListener } from "./family-history.ts";
import type { Oracle } from "./oracle.ts";
import { VM_FAMILY } from "./vm-model.ts";

export function linearizability({ violate, nowMs, ledger }: OracleContext): Oracle {
  const name = "linearizability";
  const listener: HistoryListener = {
    nowMs,
    commitIndex: () => ledger.commitIndex,
    resultAt: (index) => ledger.resultAt(index),
    violated: (message) => violate(name, message),
  };
  const history = new FamilyHistory(VM_FAMILY, listener);
  ledger.subscribe({
    committedEntry(entry) {
      if (entry.kind === "command") history.committedEntry(entry);
    },
    // What was done in entries that nobody holds is missing from the order of the log: the search decides.
    skippedTo() {},
  });

  return {
    name,
    summary: "client histories are linearizable, each record apart",
    checks: 0,
    invoked(operation) {
      history.invoked(operation);
    },
    completed(operation) {
      if (history.completed(operation)) this.checks += 1;
    },
    finished() {
      history.finished();
    },
  };
}
