/** Questions to a state. Free of side effects; how fresh the state is, is the asker's business (thesis 6.4). */

import {
  CLUSTER_LIMITS,
  type IpPoolRecord,
  type NodeRecord,
  type PoolStrategy,
  type Refusal,
  type SchedulerSettings,
  type TaskRecord,
  type TenantRecord,
  type TokenRecord,
  type VmRecord,
  type VmSpec,
  type WorkerRecord,
} from "../domain/index.ts";
import type { RebalancePlan } from "../scheduler/index.ts";
import { type EventPage, pageOfEvents } from "./events.ts";
import { type Admission, admissionRefusal } from "./nodes.ts";
import { explainer, type Plan, planVm, type RequestPlan, rebalancePlan } from "./plan.ts";
import { type ClusterState, taskOf, vmOf, workerOf } from "./state.ts";
import { leavesOf, type Table, tableValues } from "./table.ts";

/** A question as a value, for whoever carries it here. */
export type ClusterQuery =
  | { readonly kind: "getVm"; readonly name: string }
  | ({ readonly kind: "listVms" } & ListVms)
  | { readonly kind: "getToken"; readonly id: string }
  /** By id, `limit` of them after `afterId`. */
  | { readonly kind: "listTokens"; readonly afterId: string | null; readonly limit: number }
  /** Why a node would not be let in now. Changes nothing, so a stranger may ask. */
  | ({ readonly kind: "tryAdmission" } & Admission)
  /** All that there ever were, by id. */
  | { readonly kind: "listNodes" }
  /** All, by id. */
  | { readonly kind: "listWorkers" }
  | { readonly kind: "getWorker"; readonly id: number }
  /** What would become of a request for such a VM now. Changes nothing. */
  | { readonly kind: "planVm"; readonly name: string; readonly spec: VmSpec }
  /** Why a VM is where it is, or nowhere. */
  | { readonly kind: "explainVm"; readonly name: string }
  /** By id, `limit` of them after `afterId`. */
  | { readonly kind: "listTasks"; readonly afterId: string | null; readonly limit: number }
  | { readonly kind: "getTask"; readonly id: string }
  /** Those with a quota, or with VMs; by name. */
  | { readonly kind: "listTenants" }
  /** All, by name, and how the cluster chooses among them. */
  | { readonly kind: "listPools" }
  | { readonly kind: "getScheduler" }
  /** Moves that would even out the load, and what they would gain. Changes nothing. */
  | { readonly kind: "planRebalance"; readonly movesMax: number }
  /** The first `limit` after that log index. */
  | { readonly kind: "listEvents"; readonly afterIndex: number; readonly limit: number };

export interface ListVms {
  /**
   * Only names after this one, so that a listing goes on where the last page ended; null or absent: from the start.
   */
  readonly afterName?: string | null;
  /** Page size, 1 to 1,000; what lies outside counts as the nearest end. */
  readonly limit: number;
  /** Only this tenant's; null or absent: everybody's. */
  readonly tenant?: string | null;
}

export type ClusterQueryResult =
  | { readonly kind: "vm"; readonly vm: VmRecord | null }
  | ({ readonly kind: "vms" } & VmPage)
  | { readonly kind: "token"; readonly token: TokenRecord | null }
  | { readonly kind: "tokens"; readonly tokens: readonly TokenRecord[]; readonly nextAfterId: string | null }
  /** Null: it would be let in. */
  | { readonly kind: "admission"; readonly refusal: Refusal | null }
  | { readonly kind: "nodes"; readonly nodes: readonly NodeRecord[] }
  | { readonly kind: "workers"; readonly workers: readonly WorkerRecord[] }
  /** With the VMs and tasks that are placed there. */
  | {
      readonly kind: "worker";
      readonly worker: WorkerRecord | null;
      readonly vms: readonly VmRecord[];
      readonly tasks: readonly TaskRecord[];
    }
  | ({ readonly kind: "plan" } & RequestPlan)
  | { readonly kind: "explanation"; readonly plan: Plan | null }
  | { readonly kind: "tasks"; readonly tasks: readonly TaskRecord[]; readonly nextAfterId: string | null }
  | { readonly kind: "task"; readonly task: TaskRecord | null }
  | { readonly kind: "tenants"; readonly tenants: readonly TenantRecord[] }
  | { readonly kind: "pools"; readonly pools: readonly IpPoolRecord[]; readonly strategy: PoolStrategy }
  | { readonly kind: "scheduler"; readonly scheduler: SchedulerSettings }
  | ({ readonly kind: "rebalance" } & RebalancePlan)
  /** `lastIndex` is how far the state has come: a page with nothing in it ends there. */
  | ({ readonly kind: "events"; readonly lastIndex: number } & EventPage);

export interface VmPage {
  /** By name, in the order of UTF-16 code units. */
  readonly vms: readonly VmRecord[];
  /** The `afterName` of the next page; null: there is none. */
  readonly nextAfterName: string | null;
}

export function query(state: ClusterState, question: ClusterQuery): ClusterQueryResult {
  switch (question.kind) {
    case "getVm":
      return { kind: "vm", vm: getVm(state, question.name) };
    case "listVms":
      return { kind: "vms", ...listVms(state, question) };
    case "getToken":
      return { kind: "token", token: state.tokens.get(question.id) ?? null };
    case "listTokens": {
      const { afterId, limit } = question;
      const after = [...state.tokens.values()].filter(({ id }) => afterId === null || id > afterId);
      after.sort((a, b) => (a.id < b.id ? -1 : 1));
      const tokens = after.slice(0, pageSizeOf(limit));
      return { kind: "tokens", tokens, nextAfterId: after.length > tokens.length ? (tokens.at(-1)?.id ?? null) : null };
    }
    case "tryAdmission":
      return { kind: "admission", refusal: admissionRefusal(state, question) };
    case "listNodes":
      return { kind: "nodes", nodes: sorted(state.nodes, ({ id }) => id) };
    case "listWorkers":
      return { kind: "workers", workers: sorted(state.workers, ({ id }) => id) };
    case "getWorker": {
      const worker = workerOf(state, question.id);
      const vms = (worker?.vms ?? []).flatMap((name) => vmOf(state, name) ?? []);
      const tasks = (worker?.tasks ?? []).flatMap((id) => taskOf(state, id) ?? []);
      return { kind: "worker", worker, vms, tasks };
    }
    case "planVm":
      return { kind: "plan", ...planVm(state, question.name, question.spec) };
    case "explainVm":
      return { kind: "explanation", plan: explainer(state)(question.name) };
    case "listTasks": {
      const { afterId, limit } = question;
      const after = sorted(state.tasks, ({ id }) => id).filter(({ id }) => afterId === null || id > afterId);
      const tasks = after.slice(0, pageSizeOf(limit));
      return { kind: "tasks", tasks, nextAfterId: after.length > tasks.length ? (tasks.at(-1)?.id ?? null) : null };
    }
    case "getTask":
      return { kind: "task", task: taskOf(state, question.id) };
    case "listTenants":
      return { kind: "tenants", tenants: sorted(state.tenants, ({ name }) => name) };
    case "listPools":
      return { kind: "pools", pools: sorted(state.pools, ({ spec }) => spec.name), strategy: state.poolStrategy };
    case "getScheduler":
      return { kind: "scheduler", scheduler: state.scheduler };
    case "planRebalance":
      return { kind: "rebalance", ...rebalancePlan(state, question.movesMax) };
    case "listEvents": {
      const { afterIndex, limit } = question;
      const page = pageOfEvents(state.events, afterIndex, pageSizeOf(limit));
      return { kind: "events", lastIndex: state.appliedIndex, ...page };
    }
  }
}

function sorted<K, V>(table: Table<K, V>, keyOf: (value: V) => string | number): readonly V[] {
  return tableValues(table).sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

function pageSizeOf(limit: number): number {
  return limit >= 1 ? Math.min(Math.floor(limit), CLUSTER_LIMITS.listPage) : 1;
}

/** The VM of this name, or null. */
export function getVm(state: ClusterState, name: string): VmRecord | null {
  return vmOf(state, name);
}

/** One page of VMs, sorted by name. Looks at every VM: about 10 ms for 100,000. */
export function listVms(state: ClusterState, { afterName, limit, tenant }: ListVms): VmPage {
  const pageSize = pageSizeOf(limit);
  // One more than the page, which tells whether there is a next one.
  const first = new LowestNames(pageSize + 1);
  for (const { values } of leavesOf(state.vms)) {
    for (const vm of values) {
      if (typeof afterName === "string" && vm.name <= afterName) continue;
      if (typeof tenant === "string" && vm.tenant !== tenant) continue;
      first.add(vm);
    }
  }
  const found = first.sorted();
  const vms = found.slice(0, pageSize);
  return { vms, nextAfterName: found.length > pageSize ? (vms.at(-1)?.name ?? null) : null };
}

/** The `size` VMs with the lowest names of all that are added, without sorting them all. */
class LowestNames {
  readonly #size: number;
  #kept: VmRecord[] = [];
  /** Names from here on are out; null while there is room for any. */
  #bound: string | null = null;

  constructor(size: number) {
    this.#size = size;
  }

  add(vm: VmRecord): void {
    if (this.#bound !== null && vm.name >= this.#bound) return;
    this.#kept.push(vm);
    if (this.#kept.length >= this.#size * 2) this.#prune();
  }

  sorted(): readonly VmRecord[] {
    this.#prune();
    return this.#kept;
  }

  #prune(): void {
    this.#kept.sort((a, b) => (a.name < b.name ? -1 : 1));
    this.#kept.length = Math.min(this.#kept.length, this.#size);
    if (this.#kept.length === this.#size) this.#bound = this.#kept.at(-1)?.name ?? null;
  }
}
