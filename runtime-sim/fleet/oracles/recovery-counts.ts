/**
 * Failures are counted as the policy has it: a restart counts one, and whoever has been running for long enough when
 * it fails has all of its restarts and moves back. A VM is restarted no oftener than its policy says, moves to
 * another worker only when it has had all restarts, and moves so often at most. Counted anew from the events and from
 * what was asked for, and compared with the record.
 *
 * Not checked: VMs that somebody has ever asked something of: then the counts may begin anew. When a restart comes:
 * see `recovery-pace`.
 */
import { type VmRecord, vmOf } from "../../../core/index.ts";
import { type Moment, momentText } from "../../world/index.ts";
import type { FleetContext, FleetOracle } from "./oracle.ts";

/** Moves to another worker before a VM is given up. Written down again on purpose: the core must not be asked. */
export const RELOCATIONS_MAX = 3;

interface Counts {
  readonly restarts: number;
  readonly relocations: number;
  /** By the clock of the cluster, when it last began to run. */
  readonly runningSinceMs: number;
  /** When that was, and when a restart or a move was last counted; null: not yet. */
  readonly ran: Moment | null;
  readonly counted: Moment | null;
}

const NONE: Counts = { restarts: 0, relocations: 0, runningSinceMs: 0, ran: null, counted: null };

export function recoveryCounts({ touched, now: moment, violate }: FleetContext): FleetOracle {
  const counts = new Map<string, Counts>();
  return {
    name: "recovery-counts",
    summary: "restarts and moves are counted, and no more than the policy permits",
    checks: 0,
    happened(event, state, { command }) {
      if (event.kind === "vmDeleted") counts.delete(event.name);
      if (event.kind !== "vmState") return;
      const { name, from, state: to, atMs, index } = event;
      const vm = vmOf(state, name);
      if (vm === null || touched.has(name)) return;
      let now = counts.get(name) ?? NONE;
      const { recovery } = vm.spec;
      if (to === "Running" && from !== "Running") now = { ...now, runningSinceMs: atMs, ran: moment() };
      if (to === "Failed" && from === "Running" && atMs - now.runningSinceMs >= recovery.resetAfterMs)
        now = { ...now, restarts: 0, relocations: 0 };
      const last = now.counted;
      if (command?.kind === "recoverVm") {
        now = { ...now, restarts: now.restarts + 1, counted: moment() };
        if (now.restarts > recovery.restartsMax)
          violate(
            () =>
              `VM ${name} is restarted by entry ${index}, applied at ${momentText(moment())}, as restart ` +
              `${now.restarts} of ${recovery.restartsMax}; ${lastText(last)}`,
          );
      }
      if (command?.kind === "evictVm" && command.cause === "recovery") {
        const { restarts } = now;
        now = { ...now, restarts: 0, relocations: now.relocations + 1, counted: moment() };
        const moves = (): string => `VM ${name} has to move by entry ${index}, applied at ${momentText(moment())},`;
        if (restarts < recovery.restartsMax)
          violate(() => `${moves()} after ${restarts} of ${recovery.restartsMax} restarts; ${lastText(last)}`);
        if (now.relocations > RELOCATIONS_MAX)
          violate(() => `${moves()} as move ${now.relocations} of ${RELOCATIONS_MAX}; ${lastText(last)}`);
      }
      counts.set(name, now);
      this.checks += 1;
      if (vm.restarts !== now.restarts || vm.relocations !== now.relocations)
        violate(
          () =>
            `VM ${name} has ${described(vm)} by entry ${index}, applied at ${momentText(moment())}, and should have ` +
            `${described(now)}; ${lastText(last)}, and it ` +
            (now.ran === null ? "has never run" : `last began to run at ${momentText(now.ran)}`),
        );
    },
  };
}

function described({ restarts, relocations }: Pick<VmRecord, "restarts" | "relocations">): string {
  return `${restarts} restarts and ${relocations} moves`;
}

function lastText(counted: Moment | null): string {
  return counted === null ? "none was counted before" : `the last was counted at ${momentText(counted)}`;
}
