/**
 * A VM goes to the worker that looking at every one of them would choose, and others have to leave only where no worker
 * would take it as it is. The leader looks at few: it finds the best by bounds that it keeps about all. Every worker is
 * asked in each of the states in which the leader may have decided, and it is right if it is in one of them. Of many
 * workers that is done for a share of the decisions, so that what it costs does not grow with them.
 *
 * Not checked: decisions while others were in flight, whose room was promised, or that may have been made in many
 * states; those about tasks; VMs for which room is kept already. Who waits without need: see `placed-in-time`.
 */
import {
  Batch,
  type ClusterState,
  type Command,
  chosen,
  explain,
  placementContext,
  tableValues,
  vmOf,
  vmRequest,
  workerView,
} from "../../../core/index.ts";
import type { Decision, FleetContext, FleetOracle } from "./oracle.ts";

type Placed = Extract<Command, { readonly kind: "placeVm" | "preempt" }>;

/** So many workers are asked for each decision, on average. */
const WORKERS_EACH = 16;
const STATES_MAX = 4;

export function bestPlace({ decisionOf, violate }: FleetContext): FleetOracle {
  let judgedIndex = 0;
  /** Workers that may be asked. */
  let credit = 0;
  return {
    name: "best-place",
    summary: "a VM goes to the best of all workers, and others leave only where none would take it",
    checks: 0,
    happened(event, { workerCount }, { command }) {
      if (event.kind !== "vmState" || event.index === judgedIndex) return;
      if (command?.kind !== "placeVm" && command?.kind !== "preempt") return;
      judgedIndex = event.index;
      credit = Math.min(credit + WORKERS_EACH, STATES_MAX * Math.max(workerCount, WORKERS_EACH));
      if (credit < workerCount) return;
      const { states: all, commands } = decisionOf(event) ?? UNKNOWN;
      const states = all.filter((state) => vmOf(state, command.name) !== null);
      if (states.length === 0 || states.length > STATES_MAX || commands.some(takesRoom)) return;
      if (states.some((state) => vmOf(state, command.name)?.targetId !== null)) return;
      credit -= workerCount * states.length;
      this.checks += 1;
      const taken = command.kind === "placeVm" ? command.workerId : null;
      const best = states.map((state) => bestIn(state, command));
      if (best.includes(taken)) return;
      violate(
        () =>
          `VM ${command.name} ${taken === null ? "has others leave" : `goes to worker ${taken}`} by entry ` +
          `${event.index}, and ${described(best)}`,
      );
    },
  };
}

const UNKNOWN: Decision = { states: [], commands: [] };

function described(best: readonly (number | null)[]): string {
  const workers = [...new Set(best)].filter((id) => id !== null);
  return workers.length === 0 ? "no worker would take it" : `worker ${workers.join(" or ")} is the best for it`;
}

function bestIn(state: ClusterState, { name }: Placed): number | null {
  const vm = vmOf(state, name);
  if (vm === null) return null;
  const context = placementContext(new Batch(state));
  return chosen(explain(context, tableValues(state.workers).map(workerView), vmRequest(vm)));
}

/** Room may have been promised to it when it was in flight. */
function takesRoom({ kind }: Command): boolean {
  return kind === "placeVm" || kind === "placeTask" || kind === "preempt" || kind === "evictVm" || kind === "migrateVm";
}
