/**
 * What must hold of every step of an agent, looked at from outside of the parts that decide: of what it has the host
 * do, and of what it has taken from the cluster. An agent that breaks one of these could have a VM run in two places.
 *
 * Not looked at: whether the host does what it is asked, and whether the cluster assigns one VM to two hosts.
 */
import { assert } from "../domain/index.ts";
import type { Assignment } from "./protocol.ts";
import type { HostAction, Machine } from "./types.ts";

/** What a step may rely on when its effects leave the agent. */
export interface Grounds {
  readonly nowMs: number;
  /** Until when the agent may begin something. */
  readonly beginUntilMs: number;
  readonly leaseUntilMs: number;
  /** What it acts by; null: nothing has been assigned yet. */
  readonly assignment: Assignment | null;
  /** What the host shows of a name. */
  machine(name: string): Machine | undefined;
}

/** Checks what the host is asked for. Costs a look through the assignment for each machine or job that is begun. */
export function checkAction(action: HostAction, grounds: Grounds): void {
  switch (action.kind) {
    case "build":
    case "start":
      checkBegun(action, grounds);
      return;
    case "runJob":
      checkRun(action, grounds);
      return;
    case "fenceAt":
      assert(
        action.atMs === grounds.leaseUntilMs,
        "the fence of the host is set to the end of the lease, in ms",
        action.atMs,
        grounds.leaseUntilMs,
      );
      return;
    case "stop":
    case "delete":
    case "probe":
    case "endJob":
    case "forgetJob":
      return;
  }
}

function checkBegun(
  { kind, name, epoch }: Extract<HostAction, { readonly kind: "build" | "start" }>,
  { nowMs, beginUntilMs, assignment, machine }: Grounds,
): void {
  assert(nowMs < beginUntilMs, `without a lease no machine is begun: ${kind} ${name}, epoch`, epoch);
  const vm = assignment?.vms.find((one) => one.name === name);
  assert(vm?.intent === "run" && vm.epoch === epoch, `only an assigned run is begun: ${kind} ${name}, epoch`, epoch);
  const shown = machine(name);
  if (kind === "start") {
    // A machine that was fenced, crashed or stopped is over: its VM runs again in a later epoch.
    const isBuilt = shown?.epoch === epoch && shown.phase === "built";
    assert(isBuilt, `only a machine that was built and never started is started: ${name}, epoch`, epoch);
    return;
  }
  // A run is built once, and not over one that executes: there is one machine of a name.
  assert((shown?.epoch ?? 0) < epoch, `no run is built a second time: ${name}, epoch`, epoch);
  const isOver =
    shown === undefined || shown.phase === "built" || shown.phase === "stopped" || shown.phase === "failed";
  assert(isOver, `nothing is built where another run executes: ${name}, epoch`, epoch);
}

function checkRun(
  { id, attempt }: Extract<HostAction, { readonly kind: "runJob" }>,
  { nowMs, beginUntilMs, assignment }: Grounds,
): void {
  assert(nowMs < beginUntilMs, `without a lease no job is run: ${id}, attempt`, attempt);
  const task = assignment?.tasks.find((one) => one.id === id);
  const isWanted = task?.attempt === attempt && !task.isBegun && !task.isCancelled;
  assert(isWanted, `only an assigned attempt is run, and only once: ${id}, attempt`, attempt);
}
