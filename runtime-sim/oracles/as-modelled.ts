/**
 * The state machine does as the model does (cluster-model/): a second, plain version of what commands and questions
 * mean.
 *
 * Checks the result of every committed command as soon as the first node has applied it, each answer to a read against
 * the model's state at the index at which it was served, however stale, and at the end the whole state of the replay:
 * VMs, tokens, tasks, tenants, pools, nodes, settings, events, sessions with what they remember. So also that cluster
 * time never falls, that pages of a list have neither gaps nor repetitions, and that an event stream that is resumed at
 * any index loses nothing and tells nothing twice, or says that what it asks for is gone.
 *
 * Does not check: anything from the first command on that concerns workers (the oracles of fleets do), or from where
 * committed entries are unknown; how requests are decoded; what is planned or explained (planVm, explainVm,
 * planRebalance, tryAdmission); whether an answer was the right one at that time (linearizability, read-freshness).
 */
import { type ApplyResult, type ClusterState, tableValues } from "../../core/index.ts";
import { askedText } from "../workload/index.ts";
import { ClusterModel, ONLY, whyWrong } from "./cluster-model/index.ts";
import type { OracleContext } from "./context.ts";
import { LEDGER_WINDOW } from "./ledger.ts";
import type { Oracle } from "./oracle.ts";
import { difference, isSame, isSameResult } from "./same.ts";

export function asModelled({ violate, ledger, reference }: OracleContext): Oracle {
  const name = "as-modelled";
  const model = new ClusterModel(reference.state.limits);
  /** By index: results that no node has yet. */
  const expected = new Map<number, ApplyResult>();

  ledger.subscribe({
    committedEntry(entry) {
      if (!model.isKnown) return;
      const result = model.apply(entry);
      if (result !== null) expected.set(entry.index, result);
      if (entry.index % LEDGER_WINDOW === 0) model.forgetBefore(entry.index - LEDGER_WINDOW);
    },
    skippedTo() {
      model.lose();
      expected.clear();
    },
  });

  return {
    name,
    summary: "commands and reads do what a second, plain version of the state machine does",
    checks: 0,
    applied(_watched, { id, lastApplied }) {
      if (expected.size === 0) return;
      for (const { entry, result } of lastApplied) {
        const due = expected.get(entry.index);
        if (due === undefined) continue;
        expected.delete(entry.index);
        this.checks += 1;
        if (result !== null && isSameResult(due, result)) continue;
        violate(
          name,
          () =>
            `entry ${entry.index} gave ${JSON.stringify(result)} on node ${id}; by the model it gives ` +
            JSON.stringify(due),
        );
      }
    },
    completed({ id, client, asked, answer }) {
      if (!model.isKnown || asked.kind !== "read" || answer?.kind !== "read") return;
      const { index, result } = answer;
      if (index > ledger.commitIndex || index + LEDGER_WINDOW < ledger.commitIndex) return;
      this.checks += 1;
      const why = whyWrong(model.tables, index, asked.query, result);
      if (why === null) return;
      violate(name, () => `operation ${id} of client ${client} (${askedText(asked)}) at index ${index}: ${why()}`);
    },
    finished() {
      reference.foldTo(ledger.commitIndex);
      if (!model.isKnown || reference.index !== ledger.commitIndex) return;
      for (const [what, ours, theirs] of partsOf(model, reference.state)) {
        this.checks += 1;
        if (isSame(ours, theirs)) continue;
        violate(name, () => `in the end ${what} are not as the model has them: ${difference(theirs, ours)}`);
      }
    },
  };
}

/** Name, model's, replay's: in the same order. */
function* partsOf(
  { tables, sessions }: ClusterModel,
  state: ClusterState,
): Generator<[what: string, ours: unknown, theirs: unknown]> {
  const sorted = <V>(values: Iterable<V>, keyOf: (value: V) => string | number): readonly V[] =>
    [...values].sort((left, right) => (keyOf(left) < keyOf(right) ? -1 : 1));
  const now = tables.index;
  yield ["VMs", tables.vms.allAt(now), sorted(tableValues(state.vms), ({ name }) => name)];
  yield ["tokens", tables.tokens.allAt(now), sorted(state.tokens.values(), ({ id }) => id)];
  yield ["tasks", tables.tasks.allAt(now), sorted(tableValues(state.tasks), ({ id }) => id)];
  yield ["tenants", tables.tenants.allAt(now), sorted(tableValues(state.tenants), ({ name }) => name)];
  yield ["pools", tables.pools.allAt(now), sorted(tableValues(state.pools), ({ spec }) => spec.name)];
  yield ["nodes", tables.nodes.allAt(now), sorted(tableValues(state.nodes), ({ id }) => id)];
  const { scheduler, schedulerGeneration: generation } = state;
  yield ["settings", tables.scheduler.get(ONLY), { scheduler, generation }];
  yield ["cluster time and index", [tables.timeMs, tables.index], [state.timeMs, state.appliedIndex]];
  yield ["numbers of events", tables.eventsForgotten + tables.events.length, state.events.total];
  yield [
    "sessions",
    sorted(sessions.all.values(), ({ id }) => id).map(({ results, ...session }) => ({
      ...session,
      responses: sorted(results, ([sequence]) => sequence).map(([sequence, result]) => ({ sequence, result })),
    })),
    sorted(tableValues(state.sessions), ({ id }) => id),
  ];
}
