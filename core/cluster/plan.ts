/**
 * What the scheduler would do, without doing it: the same functions that the leader uses, over the current state.
 * Looks at every worker.
 */
import { heldBy, intentOf, type Refusal, resourcesOf, type VmRecord, type VmSpec } from "../domain/index.ts";
import {
  type Candidates,
  candidatesOf,
  chosen,
  countRefusals,
  explain,
  type Judgement,
  type Occupant,
  type PlacementRequest,
  type PreemptionPlan,
  planPreemption,
  planRebalance,
  type RebalancePlan,
  type RefusalCount,
  type WorkerView,
} from "../scheduler/index.ts";
import { Batch } from "./batch.ts";
import { allocate } from "./ip-pools.ts";
import { placementContext, taskRequest, vmRequest, workerView } from "./placement.ts";
import { type ClusterState, taskOf, vmOf, workerOf } from "./state.ts";
import { tableValues } from "./table.ts";
import { quotaRefusal } from "./tenants.ts";

export interface Plan {
  /** Where it would go; null: nowhere now. */
  readonly workerId: number | null;
  /** Who would have to leave first. */
  readonly preemption: PreemptionPlan | null;
  /** What each worker says: those who would take it, best first, then the others by id. */
  readonly judgements: readonly Judgement[];
  readonly refusals: readonly RefusalCount[];
}

/** What would become of a request. */
export interface RequestPlan extends Plan {
  /**
   * Why it would be refused, whatever the hosts say; null: it would not. How fast the tenant may ask is no part of
   * it: that is over in a minute.
   */
  readonly obstacle: Refusal | null;
}

export function planVm(state: ClusterState, name: string, spec: VmSpec): RequestPlan {
  const plan = planner(state)(vmRequest({ ...UNPLACED, name, tenant: spec.tenant, spec }));
  return { ...plan, obstacle: obstacleTo(new Batch(state), name, spec) };
}

function obstacleTo(batch: Batch, name: string, spec: VmSpec): Refusal | null {
  if (batch.vm(name) !== null) return { kind: "vmExists" };
  const refused = quotaRefusal(batch, spec.tenant, 1, resourcesOf(spec)) ?? allocate(batch, name, spec).refusal;
  return refused === null || refused.ok ? null : refused.refusal;
}

/** Why a VM is where it is, or nowhere; null: there is no such VM. To be asked of many VMs of one state. */
export function explainer(state: ClusterState): (name: string) => Plan | null {
  const plan = planner(state);
  return (name) => {
    const vm = vmOf(state, name);
    return vm === null ? null : plan(vmRequest(vm));
  };
}

/** Why a task is where it is, or nowhere, but for preemption, in which tasks take no part; null: there is none. */
export function taskExplainer(state: ClusterState): (id: string) => Plan | null {
  const plan = planner(state);
  return (id) => {
    const task = taskOf(state, id);
    return task === null ? null : plan(taskRequest(task));
  };
}

/** What does not depend on the request is looked at once. */
function planner(state: ClusterState): (request: PlacementRequest) => Plan {
  const context = placementContext(new Batch(state));
  const workers = views(state);
  const candidates = new Map<number, Candidates>();
  const candidatesOn = (id: number): Candidates => {
    let known = candidates.get(id);
    if (known === undefined) {
      known = candidatesOf(occupants(state, id));
      candidates.set(id, known);
    }
    return known;
  };
  return (request) => {
    const judgements = explain(context, workers, request);
    const workerId = chosen(judgements);
    const preemption = workerId === null ? planPreemption(context, workers, candidatesOn, request) : null;
    return { workerId, preemption, judgements, refusals: countRefusals(judgements) };
  };
}

export function rebalancePlan(state: ClusterState, movesMax: number): RebalancePlan {
  const context = placementContext(new Batch(state));
  const requestsOf = (id: number) =>
    placed(state, id)
      .filter((vm) => vm.state === "Running" && intentOf(vm) === "run" && vm.spec.workerId === null)
      .map(vmRequest);
  return planRebalance(context, views(state), requestsOf, movesMax);
}

function views(state: ClusterState): readonly WorkerView[] {
  return tableValues(state.workers).map(workerView);
}

function placed(state: ClusterState, workerId: number): readonly VmRecord[] {
  return (workerOf(state, workerId)?.vms ?? []).flatMap((name) => vmOf(state, name) ?? []);
}

/** Those whose leaving would make room: who leaves already, will have made it. */
export function occupants(state: ClusterState, workerId: number): readonly Occupant[] {
  return placed(state, workerId)
    .filter((vm) => intentOf(vm) === "run")
    .map((vm) => ({
      name: vm.name,
      resources: heldBy(vm),
      priority: vm.spec.priority,
      preemptible: vm.spec.preemptible,
    }));
}

const UNPLACED: Omit<VmRecord, "name" | "tenant" | "spec"> = {
  state: "Pending",
  desired: "running",
  generation: 1,
  epoch: 0,
  workerId: null,
  placed: null,
  eviction: null,
  targetId: null,
  avoidId: null,
  reason: "",
  restarts: 0,
  relocations: 0,
  runningSinceMs: 0,
  addresses: [],
  createdIndex: 0,
  updatedIndex: 0,
  createdAtMs: 0,
  updatedAtMs: 0,
};
