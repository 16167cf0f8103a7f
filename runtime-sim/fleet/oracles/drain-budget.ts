/**
 * A drain moves few VMs at a time: a tenth of those on its worker, and one at least. A VM counts from when it has to
 * leave until it runs elsewhere, two minutes at most; one that has never run does not count. A leader does not know of
 * VMs that had left before it was elected: they do not count for what it decides.
 *
 * Not checked: VMs that somebody has ever asked something of, and how soon a drain ends. The number of VMs is the
 * highest since the drain began.
 */
import { type ClusterState, intentOf, type VmRecord, vmOf, workerOf } from "../../../core/index.ts";
import { type Moment, momentText } from "../../world/index.ts";
import type { FleetContext, FleetOracle } from "./oracle.ts";

/** One of so many VMs of a worker is moved at a time. */
const VMS_PER_MOVE = 10;
/** A drain waits for two minutes of its leader's clock, which keeps to the bound that leases rest on. */
const PATIENCE_MS = 108_000;

interface Moving {
  readonly since: Moment;
  /** In which term it left the worker; null: it has not yet. */
  leftTerm: number | null;
}

interface Drain {
  readonly moving: Map<string, Moving>;
  vmsMax: number;
}

export function drainBudget({ touched, nowMs, now, violate }: FleetContext): FleetOracle {
  const drains = new Map<number, Drain>();
  /** By name of a moving VM, the worker that is drained of it. */
  const origins = new Map<string, number>();

  const begin = (workerId: number, state: ClusterState): void => {
    end(workerId);
    const drain: Drain = { moving: new Map(), vmsMax: 0 };
    drains.set(workerId, drain);
    for (const name of workerOf(state, workerId)?.vms ?? []) {
      const vm = vmOf(state, name);
      if (vm !== null && isMoved(vm)) move(workerId, name);
    }
  };
  const end = (workerId: number): void => {
    for (const name of drains.get(workerId)?.moving.keys() ?? []) origins.delete(name);
    drains.delete(workerId);
  };
  const move = (workerId: number, name: string): void => {
    drains.get(workerId)?.moving.set(name, { since: now(), leftTerm: null });
    origins.set(name, workerId);
  };
  const settle = (name: string): void => {
    drains.get(origins.get(name) ?? 0)?.moving.delete(name);
    origins.delete(name);
  };

  return {
    name: "drain-budget",
    summary: "a drain moves a tenth of the VMs of its worker at a time, and one at least",
    checks: 0,
    happened(event, state, { before }) {
      if (event.kind === "workerStatus" || event.kind === "workerRegistered") {
        const { workerId } = event;
        const worker = workerOf(state, workerId);
        if (worker?.isOnline === true && worker.availability === "draining") {
          // One that is drained already goes on, unless the worker was lost in between.
          if (!drains.has(workerId)) begin(workerId, state);
        } else end(workerId);
        return;
      }
      if (event.kind === "workerRemoved") end(event.workerId);
      if (event.kind === "vmDeleted") settle(event.name);
      if (event.kind !== "vmState") return;
      const { name, term, workerId } = event;
      const vm = vmOf(state, name);
      const vmBefore = vmOf(before, name);
      if (vm === null || vmBefore === null) return;
      const origin = origins.get(name);
      if (origin !== undefined) {
        const moving = drains.get(origin)?.moving.get(name);
        if (vm.desired !== "running" || (vm.state === "Running" && workerId !== origin)) settle(name);
        else if (moving !== undefined && workerId !== origin) moving.leftTerm ??= term;
      }
      if (isMoved(vm) && vmBefore.eviction !== "drain" && workerId !== null) this.checks += judge(name, workerId, term);
      const drain = workerId === null ? undefined : drains.get(workerId);
      if (drain !== undefined && workerId !== null)
        drain.vmsMax = Math.max(drain.vmsMax, workerOf(state, workerId)?.vms.length ?? 0);
    },
  };

  /** It has to leave by an entry of that term. How many comparisons that was. */
  function judge(name: string, workerId: number, term: number): number {
    const drain = drains.get(workerId);
    if (drain === undefined || touched.has(name)) return 0;
    move(workerId, name);
    const moving: (readonly [name: string, since: Moment])[] = [];
    for (const [other, { since, leftTerm }] of drain.moving) {
      const isKnown = leftTerm === null || leftTerm >= term;
      if (isKnown && !touched.has(other) && nowMs() - since.atMs < PATIENCE_MS) moving.push([other, since]);
    }
    const budget = Math.max(1, Math.floor(drain.vmsMax / VMS_PER_MOVE));
    if (moving.length > budget)
      violate(
        () =>
          `worker ${workerId} is drained of ${moving.map(movingText).join(", ")} at once: of its ${drain.vmsMax} VMs ` +
          `${budget} may move at a time`,
      );
    return 1;
  }
}

/** It has to leave because its worker is drained, and that is a disruption. */
function isMoved(vm: VmRecord): boolean {
  return vm.eviction === "drain" && vm.desired === "running" && intentOf(vm) === "gone" && vm.runningSinceMs > 0;
}

function movingText([name, since]: readonly [name: string, since: Moment]): string {
  return `${name} (since ${momentText(since)})`;
}
