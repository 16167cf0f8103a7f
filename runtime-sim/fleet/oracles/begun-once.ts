/**
 * A run of a machine, its name and epoch, begins to execute once, on one host. Whatever ends it, the VM runs again
 * only in a later epoch: so nobody is asked to build or start a run that has ended, or that executes elsewhere. One
 * thing permits a second beginning: the host has lost its power, nobody had told the cluster of the run before that,
 * and it begins on that host again.
 *
 * Not checked: attempts of tasks (see `one-attempt`); what is asked of a host that has shown what is not so; and
 * machines that a fault put there.
 */
import type { VmState } from "../../../core/index.ts";
import { type Moment, momentText } from "../../world/index.ts";
import type { FleetContext, FleetOracle, WorkerView } from "./oracle.ts";

/** A machine of the run has been seen. */
const BEGUN: ReadonlySet<VmState> = new Set(["Building", "Starting", "Running"]);

interface BegunRun {
  /** Where it began last, and how often that host had gone down by then. */
  readonly worker: WorkerView;
  readonly downs: number;
  readonly since: Moment;
  executes: boolean;
}

export function begunOnce({ findWorker, violateLease, now }: FleetContext): FleetOracle {
  /** By name and epoch. */
  const runs = new Map<string, Map<number, BegunRun>>();
  /** By name and epoch, of which host the cluster heard that it had begun there, and since which time it is up. */
  const told = new Map<string, Map<number, number>>();

  const mayBeginAgain = (worker: WorkerView, name: string, epoch: number, run: BegunRun): boolean => {
    if (run.worker !== worker || run.executes || run.downs === worker.downs) return false;
    // Since the host came up last its agent asks what to do, and is told that the run had begun.
    const toldFor = told.get(name)?.get(epoch);
    return toldFor === undefined || toldFor >= worker.downs;
  };

  return {
    name: "begun-once",
    summary: "a run of a machine begins to execute once",
    checks: 0,
    began(worker, { name, epoch, spec }) {
      if (spec === null) return;
      const ofName = runs.get(name) ?? new Map<number, BegunRun>();
      runs.set(name, ofName);
      const before = ofName.get(epoch);
      this.checks += 1;
      if (before !== undefined && !mayBeginAgain(worker, name, epoch, before))
        violateLease(
          () =>
            `run ${epoch} of VM ${name} begins on worker ${worker.id} at ${momentText(now())}, and had begun on worker ` +
            `${before.worker.id} at ${momentText(before.since)}`,
        );
      ofName.set(epoch, { worker, downs: worker.downs, since: now(), executes: true });
    },
    ended(worker, { name, epoch, spec }) {
      const run = spec === null ? undefined : runs.get(name)?.get(epoch);
      if (run?.worker === worker) run.executes = false;
    },
    acted(worker, action) {
      if ((action.kind !== "build" && action.kind !== "start") || worker.hasMisreported) return;
      const { kind, name, epoch } = action;
      const run = runs.get(name)?.get(epoch);
      if (run === undefined) return;
      this.checks += 1;
      // Asked again while it executes there, a host does nothing.
      const isRepeated = run.worker === worker && run.executes;
      if (!isRepeated && !mayBeginAgain(worker, name, epoch, run))
        violateLease(
          () =>
            `worker ${worker.id} is told to ${kind} run ${epoch} of VM ${name} at ${momentText(now())}, which began on ` +
            `worker ${run.worker.id} at ${momentText(run.since)}`,
        );
    },
    happened(event) {
      if (event.kind === "vmDeleted") {
        runs.delete(event.name);
        told.delete(event.name);
      }
      if (event.kind !== "vmState" || event.workerId === null || !BEGUN.has(event.state)) return;
      const { name, epoch, workerId } = event;
      const worker = findWorker(workerId);
      const ofName = told.get(name) ?? new Map<number, number>();
      told.set(name, ofName);
      if (worker === null || ofName.has(epoch)) return;
      // Told while it is down, it is told before the host is up again.
      ofName.set(epoch, worker.isDown ? worker.downs - 1 : worker.downs);
    },
  };
}
