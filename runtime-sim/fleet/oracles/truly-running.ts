/**
 * A VM that the cluster calls running has run: a guest of that run has executed on that very worker. A report about an
 * earlier run, or by a process that has ended, does not count.
 *
 * Not checked: that it still executes, which nobody can know at the same time; and hosts that have shown what is not
 * so.
 */
import { type Moment, momentText } from "../../world/index.ts";
import type { FleetContext, FleetOracle } from "./oracle.ts";

/** Where a guest began to execute, and when. */
interface Began {
  readonly workerId: number;
  readonly at: Moment;
}

export function trulyRunning({ findWorker, now, violate }: FleetContext): FleetOracle {
  /** Of each VM, every run of which a guest has executed, and where. */
  const ran = new Map<string, Map<number, Began>>();
  return {
    name: "truly-running",
    summary: "a VM counts as running only in a run that has executed there",
    checks: 0,
    began(worker, { name, epoch, spec }) {
      if (spec === null) return;
      const runs = ran.get(name) ?? new Map<number, Began>();
      ran.set(name, runs.set(epoch, { workerId: worker.id, at: now() }));
    },
    happened(event) {
      if (event.kind === "vmDeleted") ran.delete(event.name);
      if (event.kind !== "vmState" || event.state !== "Running" || event.workerId === null) return;
      const { name, epoch, workerId, index } = event;
      if (findWorker(workerId)?.hasMisreported !== false) return;
      this.checks += 1;
      const began = ran.get(name)?.get(epoch);
      if (began?.workerId !== workerId)
        violate(
          () =>
            `VM ${name} is Running by entry ${index}, and run ${epoch} has never executed on worker ${workerId}` +
            (began === undefined ? "" : `: it began on worker ${began.workerId} at ${momentText(began.at)}`),
        );
    },
  };
}
