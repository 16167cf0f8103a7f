/**
 * Healing touches only its target: a VM that runs goes on running unless somebody asked something of it, or something
 * happened to its host, or it makes room for a VM of higher priority that is to go there. Only where faults hit single
 * hosts: a fault between members may cost a host its lease.
 *
 * Not checked: VMs that somebody has ever asked something of, and hosts to which something has ever happened.
 */
import { type ClusterState, vmOf, workerOf } from "../../../core/index.ts";
import type { FleetContext, FleetOracle } from "./oracle.ts";

export function healingTarget(context: FleetContext): FleetOracle {
  const { placements, findWorker, faultsAreLocal, touched, disturbed, violate } = context;
  return {
    name: "healing-target",
    summary: "a VM that runs on a healthy host is left alone while others are healed",
    checks: 0,
    happened(event, state) {
      if (!faultsAreLocal || event.kind !== "vmState" || event.from !== "Running") return;
      const { name, state: to, reason } = event;
      const workerId = placements.of(name)?.workerId ?? null;
      if (workerId === null || (to === "Running" && event.workerId === workerId)) return;
      this.checks += 1;
      const somethingHappened = disturbed.has(workerId) || findWorker(workerId)?.wasDisturbed !== false;
      if (touched.has(name) || somethingHappened || makesRoom(state, name, workerId)) return;
      violate(
        () =>
          `VM ${name} went to ${to} on worker ${workerId}, which nothing had happened to (${reason || "no reason"})`,
      );
    },
  };
}

function makesRoom(state: ClusterState, name: string, workerId: number): boolean {
  const vm = vmOf(state, name);
  if (vm?.eviction !== "preempted" || !vm.spec.preemptible) return false;
  const { nominees } = workerOf(state, workerId) ?? { nominees: [] };
  return nominees.some((nominee) => (vmOf(state, nominee)?.spec.priority ?? 0) > vm.spec.priority);
}
