/**
 * In the end there is no machine on any host that nobody wants there: none but those of the current placements and
 * epochs, and the disk that an earlier run of a stopped VM has left where that VM is placed.
 *
 * Not checked: how long an orphan was there before: other oracles see the harm that it does meanwhile. Nor a host that
 * nobody tells anything: one that the cluster has no room for, or that was away until all servers it knows of had been
 * replaced and turned off. That a liar keeps it from asking others is no excuse.
 */
import { type ClusterState, type MachinePhase, nodeOf, type VmRecord, vmOf, workerOf } from "../../../core/index.ts";
import type { FleetContext, FleetOracle, WorkerView } from "./oracle.ts";

export function noOrphans({ workers }: FleetContext): FleetOracle {
  return {
    name: "no-orphans",
    summary: "in the end there is no machine that nobody wants",
    checks: 0,
    missing(state) {
      for (const worker of workers) {
        if (isToldNothing(state, worker)) continue;
        this.checks += 1;
        for (const { name, epoch, phase } of worker.hypervisor.machines()) {
          if (!isWanted(vmOf(state, name), worker.id, epoch, phase))
            return `worker ${worker.id} has ${name}/${epoch} (${phase}), which nobody wants there`;
        }
      }
      return null;
    },
  };
}

export function isToldNothing(state: ClusterState, worker: WorkerView): boolean {
  return isOneTooMany(state, worker.id) || asksNoMember(state, worker);
}

/**
 * Its agent runs, and all servers that it truly was told of are members no more, and are turned off: no report of it
 * comes to a leader, and nobody is left who could send it on.
 */
export function asksNoMember(state: ClusterState, worker: WorkerView): boolean {
  const { servers, asksRunningServer, mayHaveBeenMisled } = worker;
  return !mayHaveBeenMisled && !asksRunningServer && servers?.every((server) => !isMember(state, server)) === true;
}

function isMember(state: ClusterState, id: number): boolean {
  const role = nodeOf(state, id)?.role;
  return role === "voter" || role === "learner";
}

/** It is not known, and there is no room for it: as a node, or as a worker. */
function isOneTooMany(state: ClusterState, id: number): boolean {
  const node = nodeOf(state, id);
  if (node === null) return state.nodeCount >= state.limits.nodes;
  return node.role !== "removed" && workerOf(state, id) === null && state.workerCount >= state.limits.workers;
}

function isWanted(vm: VmRecord | null, hostId: number, epoch: number, phase: MachinePhase): boolean {
  if (vm?.workerId !== hostId) return false;
  if (vm.epoch === epoch) return true;
  // Stopped before its last run was built: its disk is that of the run before.
  return vm.state === "Stopped" && epoch < vm.epoch && (phase === "stopped" || phase === "failed");
}
