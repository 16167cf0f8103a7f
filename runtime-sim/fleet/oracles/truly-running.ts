/**
 * A VM that the cluster calls running has run: a guest of that run has executed on that very worker. A report about an
 * earlier run, or by a process that has ended, does not count.
 *
 * Not checked: that it still executes, which nobody can know at the same time; and hosts that have shown what is not
 * so.
 */
import type { FleetContext, FleetOracle } from "./oracle.ts";

export function trulyRunning({ findWorker, violate }: FleetContext): FleetOracle {
  /** Of each VM, every run of which a guest has executed, and where. */
  const ran = new Map<string, Map<number, number>>();
  return {
    name: "truly-running",
    summary: "a VM counts as running only in a run that has executed there",
    checks: 0,
    began(worker, { name, epoch, spec }) {
      if (spec === null) return;
      const runs = ran.get(name) ?? new Map<number, number>();
      ran.set(name, runs.set(epoch, worker.id));
    },
    happened(event) {
      if (event.kind === "vmDeleted") ran.delete(event.name);
      if (event.kind !== "vmState" || event.state !== "Running" || event.workerId === null) return;
      const { name, epoch, workerId, index } = event;
      if (findWorker(workerId)?.hasMisreported !== false) return;
      this.checks += 1;
      if (ran.get(name)?.get(epoch) !== workerId)
        violate(
          () => `VM ${name} is Running by entry ${index}, and run ${epoch} has never executed on worker ${workerId}`,
        );
    },
  };
}
