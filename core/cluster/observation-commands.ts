/** What workers report of their machines and jobs, and what becomes of a VM by it. */

import {
  bootIdSchema,
  CLUSTER_LIMITS,
  type CommandResult,
  intentOf,
  isLegalMove,
  jobObservationSchema,
  type MachineObservation,
  machineObservationSchema,
  nodeIdSchema,
  refused,
  resourcesOf,
  type VmRecord,
} from "../domain/index.ts";
import { list } from "../schema/index.ts";
import type { Batch } from "./batch.ts";
import { command } from "./command-definition.ts";
import { observeJob } from "./tasks.ts";
import { again, moved, removed } from "./vm-moves.ts";

const POWERED_OFF = "the guest powered off";

function observeMachine(batch: Batch, vm: VmRecord, { phase, reason }: MachineObservation): void {
  const intent = intentOf(vm);
  switch (phase) {
    case "building":
    case "starting":
    case "running":
      if (intent === "run") observeRun(batch, vm, phase, reason);
      return;
    case "stopped":
      if (intent === "stop") moved(batch, vm, { ...OVER, state: "Stopped", reason: "" });
      // Asked to stop, and then to start: this run is over, the next one begins.
      else if (intent === "run" && vm.state === "Stopping") again(batch, vm, { ...vm, ...OVER }, "");
      // One that ends in order has not crashed: it stays off until somebody starts it. Its host knows who ended it.
      else if (intent === "run") {
        const why = reason === "" ? POWERED_OFF : reason;
        moved(batch, vm, { ...OVER, state: "Stopped", desired: "stopped", reason: why });
      }
      return;
    case "failed":
    case "unhealthy":
      if (intent === "run") failed(batch, vm, reason);
      // A machine that was given up is called failed before it has ended: it may still be over what the spec asks.
      else if (intent === "stop" && phase === "failed") moved(batch, vm, { state: "Stopped", reason });
      return;
    case "absent":
      observeAbsent(batch, vm, intent);
      return;
  }
}

/** Of a VM of which nothing executes: it holds what its spec asks, whatever that becomes. */
const OVER = Object.freeze({ placed: null });

/**
 * What is known of what the VM was built with when a machine of its present run is seen for the first time. If nothing
 * has changed since, it is the spec that this run was called for with: then the run before is gone, and what it held
 * beyond. Otherwise it may be any spec since.
 */
function firstSeen(vm: VmRecord): Partial<VmRecord> {
  return vm.state === "Scheduled" && vm.updatedIndex === vm.epoch ? { placed: resourcesOf(vm.spec) } : {};
}

const RUN_STATES = { building: "Building", starting: "Starting", running: "Running" } as const;

function observeRun(batch: Batch, vm: VmRecord, phase: keyof typeof RUN_STATES, said: string): void {
  const state = RUN_STATES[phase];
  if (vm.state === state) {
    if (state === "Building" && said !== "" && said !== vm.reason) moved(batch, vm, { reason: said });
    return;
  }
  if (!isLegalMove(vm.state, state)) return;
  const changes = { ...firstSeen(vm), state };
  // Why there is another run stays, until its worker says how far it is with it; that is out of date once it starts.
  const before = vm.state === "Building" ? "" : vm.reason;
  if (state !== "Running") moved(batch, vm, { ...changes, reason: said === "" ? before : said });
  else moved(batch, vm, { ...changes, runningSinceMs: batch.timeMs, avoidId: null, reason: "" });
}

function failed(batch: Batch, vm: VmRecord, reason: string): void {
  if (vm.state === "Failed" || !isLegalMove(vm.state, "Failed")) return;
  if (vm.state === "Stopping") {
    again(batch, vm, vm, "");
    return;
  }
  const wasWell = vm.state === "Running" && batch.timeMs - vm.runningSinceMs >= vm.spec.recovery.resetAfterMs;
  moved(batch, vm, {
    ...firstSeen(vm),
    state: "Failed",
    reason,
    restarts: wasWell ? 0 : vm.restarts,
    relocations: wasWell ? 0 : vm.relocations,
  });
}

function observeAbsent(batch: Batch, vm: VmRecord, intent: ReturnType<typeof intentOf>): void {
  if (vm.desired === "deleted") removed(batch, vm);
  else if (intent === "gone") {
    moved(batch, vm, {
      state: vm.desired === "stopped" ? "Stopped" : "Pending",
      workerId: null,
      eviction: null,
      placed: null,
      reason: vm.eviction === null ? "" : `left worker ${vm.workerId}: ${vm.eviction}`,
    });
  } else if (intent === "stop") {
    moved(batch, vm, { ...OVER, state: "Stopped", reason: "" });
  } else if (vm.state === "Stopping") {
    again(batch, vm, { ...vm, ...OVER }, "");
  } else if (vm.state !== "Scheduled") {
    // It was there: the next run is another one.
    failed(batch, vm, "the machine is gone from its host");
  }
}

const done: CommandResult = Object.freeze({ ok: true, kind: "vmChanged" });

export const observationCommands = {
  /** What a worker has seen of its machines and jobs. What does not concern the present placement is passed over. */
  observe: command({
    askedBy: "leader",
    number: [9, 2],
    fields: {
      workerId: nodeIdSchema,
      bootId: bootIdSchema,
      machines: list(machineObservationSchema, { lengthMax: CLUSTER_LIMITS.observations }),
      jobs: list(jobObservationSchema, { lengthMax: CLUSTER_LIMITS.observations }),
    },
    refusals: ["workerNotFound", "workerHasChanged"],
    audit: { number: 9, target: ({ workerId }) => String(workerId) },
    apply(batch, { workerId, bootId, machines, jobs }) {
      const worker = batch.workers.get(workerId);
      if (worker === null) return refused({ kind: "workerNotFound", workerId });
      if (!worker.isOnline || worker.bootId !== bootId) return refused({ kind: "workerHasChanged", workerId });
      for (const seen of machines) {
        const vm = batch.vm(seen.name);
        if (vm !== null && vm.workerId === workerId && vm.epoch === seen.epoch) observeMachine(batch, vm, seen);
      }
      for (const seen of jobs) observeJob(batch, workerId, seen);
      return done;
    },
  }),
};
