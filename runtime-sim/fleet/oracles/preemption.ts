/**
 * Only who may be preempted is, for somebody who is more important, and none without need: with any one of the victims
 * left, there would have been no room; and no victim is of a higher priority than the least that had to be. The
 * victims are compared with every VM that may go on that worker, and with each set that lacks one of them.
 *
 * Whoever decided may have gone by any state since its last append, and counts room that it has promised. So it is
 * given the benefit of the doubt: of what was missing then the most is taken that could have been, and of VMs that
 * could have gone instead those that could all the while.
 *
 * Not checked: whether another worker would have been less disruptive, and how many victims there are: to find the
 * smallest set would mean trying every set, which nobody promises. VMs that were changed meanwhile.
 */
import {
  type ClusterState,
  type Command,
  heldBy,
  intentOf,
  NO_RESOURCES,
  type Resources,
  taskOf,
  type VmRecord,
  vmOf,
  workerOf,
} from "../../../core/index.ts";
import type { Decision, FleetContext, FleetOracle } from "./oracle.ts";
import { added, promisableOn, RESOURCE_NAMES, takenOn } from "./promisable.ts";

type Preempt = Extract<Command, { readonly kind: "preempt" }>;

export function preemption({ decisionOf, violate }: FleetContext): FleetOracle {
  let judgedIndex = 0;
  return {
    name: "preemption",
    summary: "only who may be preempted is, and nobody without need",
    checks: 0,
    happened(event, state, { before, command }) {
      if (event.kind !== "vmState") return;
      const { name, index } = event;
      const victim = vmOf(before, name);
      if (victim === null || victim.eviction === "preempted" || vmOf(state, name)?.eviction !== "preempted") return;
      this.checks += 1;
      const forbidden = command?.kind === "preempt" ? whyNot(before, victim, command) : "nobody asked for its room";
      if (forbidden !== null) violate(() => `VM ${name} is preempted by entry ${index}, and may not be: ${forbidden}`);
      if (command?.kind !== "preempt" || judgedIndex === index) return;
      judgedIndex = index;
      const decision = decisionOf(event);
      if (decision === null) return;
      const needless = whyNeedless(decision, command);
      if (needless !== null)
        violate(() => `${command.victims.join(", ")} make room for ${command.name} by entry ${index}: ${needless}`);
    },
  };
}

function whyNot(before: ClusterState, victim: VmRecord, { name, workerId }: Preempt): string | null {
  const priority = vmOf(before, name)?.spec.priority ?? 0;
  if (victim.workerId !== workerId) return `it is on worker ${victim.workerId}, not on ${workerId}`;
  if (!victim.spec.preemptible) return "it is not preemptible";
  if (victim.spec.priority >= priority) return `its priority is ${victim.spec.priority}, that of ${name} ${priority}`;
  return intentOf(victim) === "run" ? null : "it does not run";
}

/** Null: the victims may all have been needed. */
function whyNeedless({ states, commands }: Decision, { name, workerId, victims }: Preempt): string | null {
  const [first] = states;
  const last = states.at(-1);
  const vm = last === undefined ? null : vmOf(last, name);
  if (first === undefined || last === undefined || vm === null) return null;
  const isUnchanged = (one: VmRecord | null): one is VmRecord => one !== null && one.updatedIndex <= first.appliedIndex;
  const gone = victims.map((victim) => vmOf(last, victim));
  if (!isUnchanged(vm) || !gone.every(isUnchanged)) return null;
  if (states.some(({ scheduler }) => scheduler !== first.scheduler)) return null;
  const missing = mostMissing(states, commands, vm, workerId, sumOf(gone));
  if (missing === null) return null;
  for (const victim of gone) {
    if (
      isEnough(
        gone.filter((one) => one !== victim),
        missing,
      )
    )
      return `${victim.name} could have stayed`;
  }
  const highest = Math.max(...gone.map(({ spec }) => spec.priority));
  const lower = steadyOn(states, workerId).filter(
    (one) => isUnchanged(one) && one.spec.preemptible && one.spec.priority < highest,
  );
  if (!isEnough(lower, missing)) return null;
  return `without one of priority ${highest}, ${lower.map((one) => one.name).join(", ")} would have been enough`;
}

/**
 * What may have been missing at most, of which the victims gave as much as they have; null: there is no such worker.
 */
function mostMissing(
  states: readonly ClusterState[],
  commands: readonly Command[],
  vm: VmRecord,
  workerId: number,
  given: Resources,
): Resources | null {
  let taken = NO_RESOURCES;
  let least: Resources | null = null;
  for (const state of states) {
    const most = promisableOn(state, workerId);
    if (most === null) return null;
    taken = larger(taken, takenOn(state, workerId, vm.name));
    least = least === null ? most : smaller(least, most);
  }
  for (const command of commands) taken = added(taken, promisedBy(command, states, workerId), 1);
  if (least === null) return null;
  return smaller(given, larger(NO_RESOURCES, added(heldBy(vm), added(least, taken, -1), -1)));
}

/** Room on that worker that a proposal in flight may have been promised, granted or not. */
function promisedBy(command: Command, states: readonly ClusterState[], workerId: number): Resources {
  switch (command.kind) {
    case "placeVm":
    case "preempt":
      return command.workerId === workerId ? heldAtMost(states, command.name) : NO_RESOURCES;
    case "evictVm":
    case "migrateVm":
      return command.to === workerId ? heldAtMost(states, command.name) : NO_RESOURCES;
    case "placeTask":
      return command.workerId === workerId ? taskHeldAtMost(states, command.id) : NO_RESOURCES;
    default:
      return NO_RESOURCES;
  }
}

function heldAtMost(states: readonly ClusterState[], name: string): Resources {
  let held = NO_RESOURCES;
  for (const state of states) {
    const vm = vmOf(state, name);
    if (vm !== null) held = larger(held, heldBy(vm));
  }
  return held;
}

function taskHeldAtMost(states: readonly ClusterState[], id: string): Resources {
  for (const state of states) {
    const task = taskOf(state, id);
    if (task !== null) return task.resources;
  }
  return NO_RESOURCES;
}

/** VMs that were to run on that worker in all these states, as they are in the last. */
function steadyOn(states: readonly ClusterState[], workerId: number): readonly VmRecord[] {
  const last = states.at(-1);
  if (last === undefined) return [];
  const names = workerOf(last, workerId)?.vms ?? [];
  const isSteady = (name: string): boolean =>
    states.every((state) => {
      const vm = vmOf(state, name);
      return vm?.workerId === workerId && intentOf(vm) === "run";
    });
  return names.filter(isSteady).flatMap((name) => vmOf(last, name) ?? []);
}

function sumOf(vms: readonly VmRecord[]): Resources {
  return vms.reduce((sum, vm) => added(sum, heldBy(vm), 1), NO_RESOURCES);
}

function isEnough(vms: readonly VmRecord[], missing: Resources): boolean {
  const given = sumOf(vms);
  return RESOURCE_NAMES.every((resource) => given[resource] >= missing[resource]);
}

function larger(a: Resources, b: Resources): Resources {
  return merged(a, b, Math.max);
}

function smaller(a: Resources, b: Resources): Resources {
  return merged(a, b, Math.min);
}

function merged(a: Resources, b: Resources, pick: (one: number, other: number) => number): Resources {
  return {
    vcpus: pick(a.vcpus, b.vcpus),
    memoryMiB: pick(a.memoryMiB, b.memoryMiB),
    diskGiB: pick(a.diskGiB, b.diskGiB),
  };
}
