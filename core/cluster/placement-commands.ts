/** Where VMs run, as the leader decides it: each decision is looked at again in the state that it meets. */
import {
  CLUSTER_LIMITS,
  type CommandResult,
  countSchema,
  EVICTION_CAUSES,
  heldBy,
  intentOf,
  less,
  nameSchema,
  nodeIdSchema,
  refused,
  resourcesOf,
  type VmRecord,
} from "../domain/index.ts";
import { mark } from "../marks.ts";
import { judge } from "../scheduler/index.ts";
import { choice, type InferShape, list, nullable, record } from "../schema/index.ts";
import type { Batch } from "./batch.ts";
import { command } from "./command-definition.ts";
import { needsPlace, placementContext, vmRequest, workerView } from "./placement.ts";
import { again, moved } from "./vm-moves.ts";

const evictionFields = {
  name: nameSchema,
  epoch: countSchema,
  cause: choice(EVICTION_CAUSES),
  to: nullable(nodeIdSchema).doc("Where it shall go; null: wherever the scheduler likes"),
};

function evictVm(batch: Batch, { name, epoch, cause, to }: InferShape<typeof evictionFields>): CommandResult {
  const vm = batch.vm(name);
  if (vm === null) return refused({ kind: "vmNotFound" });
  if (vm.epoch !== epoch || vm.workerId === null || intentOf(vm) === "gone") return refused({ kind: "vmHasChanged" });
  if (to !== null && to !== vm.workerId) {
    const worker = batch.workers.get(to);
    if (worker === null) return refused({ kind: "workerNotFound", workerId: to });
    const { refusal } = judge(placementContext(batch), workerView(worker), { ...vmRequest(vm), pinnedTo: null });
    if (refusal !== null) return refused({ kind: "doesNotFit", workerId: to, why: refusal.kind });
  }
  const relocates = cause === "recovery";
  moved(batch, vm, {
    // A stopped machine has a disk to leave behind, and nothing to stop.
    state: vm.state === "Lost" ? "Lost" : "Stopping",
    eviction: cause,
    targetId: to === vm.workerId ? null : to,
    reason: `leaves worker ${vm.workerId}: ${cause}`,
    ...(relocates ? { avoidId: vm.workerId, restarts: 0, relocations: vm.relocations + 1 } : {}),
  });
  return done;
}

/** Between one rebalance and the next: what moves is down for a while, and its load shows only after that. */
const REBALANCE_EVERY_MS = 600_000;

const done: CommandResult = Object.freeze({ ok: true, kind: "vmChanged" });

export const placementCommands = {
  /** The scheduler's choice, looked at again in the state that it meets. */
  placeVm: command({
    askedBy: "leader",
    number: [9, 3],
    fields: { name: nameSchema, epoch: countSchema, workerId: nodeIdSchema },
    refusals: ["vmNotFound", "vmHasChanged", "workerNotFound", "doesNotFit"],
    audit: { number: 10, target: ({ name }) => name },
    apply(batch, { name, epoch, workerId }) {
      const vm = batch.vm(name);
      if (vm === null) return refused({ kind: "vmNotFound" });
      if (!needsPlace(vm) || vm.epoch !== epoch) return refused({ kind: "vmHasChanged" });
      const worker = batch.workers.get(workerId);
      if (worker === null) return refused({ kind: "workerNotFound", workerId });
      const { refusal } = judge(placementContext(batch), workerView(worker), vmRequest(vm));
      if (refusal !== null) return refused({ kind: "doesNotFit", workerId: worker.id, why: refusal.kind });
      moved(batch, vm, {
        state: "Scheduled",
        workerId: worker.id,
        targetId: null,
        epoch: batch.appliedIndex,
        placed: resourcesOf(vm.spec),
        reason: "",
      });
      batch.schedulerCursor = worker.id;
      return done;
    },
  }),
  /** Keeps room on a worker for a VM, and has others leave it. */
  preempt: command({
    askedBy: "leader",
    number: [9, 4],
    fields: {
      name: nameSchema,
      epoch: countSchema,
      workerId: nodeIdSchema,
      victims: list(nameSchema, { lengthMax: CLUSTER_LIMITS.observations }),
    },
    refusals: ["vmNotFound", "vmHasChanged", "workerNotFound", "doesNotFit"],
    audit: { number: 11, target: ({ name }) => name },
    apply(batch, { name, epoch, workerId, victims }) {
      const vm = batch.vm(name);
      if (vm === null) return refused({ kind: "vmNotFound" });
      if (!needsPlace(vm) || vm.epoch !== epoch) return refused({ kind: "vmHasChanged" });
      const worker = batch.workers.get(workerId);
      if (worker === null) return refused({ kind: "workerNotFound", workerId });
      const leaving: VmRecord[] = [];
      let { used } = worker;
      for (const victimName of new Set(victims)) {
        const victim = batch.vm(victimName);
        const mayGo =
          victim !== null &&
          victim.workerId === workerId &&
          victim.spec.preemptible &&
          victim.spec.priority < vm.spec.priority &&
          intentOf(victim) === "run";
        if (!mayGo) {
          mark("preemption/victim-may-not-go");
          return refused({ kind: "vmHasChanged" });
        }
        leaving.push(victim);
        used = less(used, heldBy(victim));
      }
      // Nobody is stopped for a VM that could not run there all the same.
      const { refusal } = judge(placementContext(batch), { ...workerView(worker), used }, vmRequest(vm));
      if (refusal !== null) return refused({ kind: "doesNotFit", workerId, why: refusal.kind });
      mark("preemption/decided");
      for (const victim of leaving) {
        moved(batch, victim, {
          state: "Stopping",
          eviction: "preempted",
          targetId: null,
          reason: `makes room for ${name}`,
        });
      }
      moved(batch, vm, { targetId: workerId, reason: `waits for ${leaving.length} VMs to leave worker ${workerId}` });
      return done;
    },
  }),
  /** It shall leave its worker, and be placed anew. */
  evictVm: command({
    askedBy: "leader",
    number: [9, 5],
    fields: evictionFields,
    refusals: ["vmNotFound", "vmHasChanged", "workerNotFound", "doesNotFit"],
    audit: { number: 12, target: ({ name }) => name },
    apply: evictVm,
  }),
  /** Another run on the same worker, after a failure. */
  recoverVm: command({
    askedBy: "leader",
    number: [9, 6],
    fields: { name: nameSchema, epoch: countSchema },
    refusals: ["vmNotFound", "vmHasChanged"],
    audit: { number: 13, target: ({ name }) => name },
    apply(batch, { name, epoch }) {
      const vm = batch.vm(name);
      if (vm === null) return refused({ kind: "vmNotFound" });
      if (vm.state !== "Failed" || vm.epoch !== epoch || vm.workerId === null || intentOf(vm) !== "run")
        return refused({ kind: "vmHasChanged" });
      again(batch, { ...vm, restarts: vm.restarts + 1 }, vm, vm.reason);
      return done;
    },
  }),
  /** It goes wherever the scheduler likes, and no room is kept for it any more. */
  dropNomination: command({
    askedBy: "leader",
    number: [9, 7],
    fields: { name: nameSchema, epoch: countSchema },
    refusals: ["vmNotFound", "vmHasChanged"],
    audit: { number: 14, target: ({ name }) => name },
    apply(batch, { name, epoch }) {
      const vm = batch.vm(name);
      if (vm === null) return refused({ kind: "vmNotFound" });
      if (!needsPlace(vm) || vm.epoch !== epoch || vm.targetId === null) return refused({ kind: "vmHasChanged" });
      moved(batch, vm, { targetId: null, reason: "" });
      return done;
    },
  }),
  /**
   * Those moves of the plan that still can be made. A plan of which nothing is left is refused: nobody shall be told
   * that it is under way.
   */
  rebalance: command({
    askedBy: "client",
    number: [9, 21],
    since: 2,
    fields: {
      moves: list(record({ name: nameSchema, epoch: countSchema, to: nodeIdSchema }), {
        lengthMax: CLUSTER_LIMITS.observations,
      }),
    },
    refusals: ["tooSoon", "vmHasChanged"],
    audit: { number: 27, target: () => null },
    apply(batch, { moves }) {
      const waitMs = batch.rebalancedAtMs === 0 ? 0 : batch.rebalancedAtMs + REBALANCE_EVERY_MS - batch.timeMs;
      if (waitMs > 0) return refused({ kind: "tooSoon", retryAfterMs: waitMs });
      let moved = 0;
      for (const { name, epoch, to } of moves)
        if (evictVm(batch, { name, epoch, cause: "rebalance", to }).ok) moved += 1;
      if (moved === 0 && moves.length > 0) return refused({ kind: "vmHasChanged" });
      if (moved > 0) batch.rebalancedAtMs = Math.max(1, batch.timeMs);
      return Object.freeze({ ok: true, kind: "rebalanced", moved, refused: moves.length - moved });
    },
  }),
};
