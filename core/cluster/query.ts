/** Questions to a state. Free of side effects; how fresh the state is, is the asker's business (thesis 6.4). */

import { CLUSTER_LIMITS, type VmRecord, type VmSpec } from "../domain/index.ts";
import { pageOfEvents } from "./events.ts";
import { type Admission, admissionRefusal } from "./nodes.ts";
import { explainer, planVm, rebalancePlan } from "./plan.ts";
import { type ClusterState, taskOf, vmOf, workerOf } from "./state.ts";
import { leavesOf, type Table, tableValues } from "./table.ts";

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

export interface VmPage {
  /** By name, in the order of UTF-16 code units. */
  readonly vms: readonly VmRecord[];
  /** The `afterName` of the next page; null: there is none. */
  readonly nextAfterName: string | null;
}

interface ByName {
  readonly name: string;
}

/** By id, `limit` of them after `afterId`. */
interface PageById {
  readonly afterId: string | null;
  readonly limit: number;
}

/** A question, by its kind here, and the kind of what is told. */
const QUERIES = {
  getVm: told("vm", (state, { name }: ByName) => ({ vm: getVm(state, name) })),
  listVms: told("vms", (state, asked: ListVms) => listVms(state, asked)),
  getToken: told("token", (state, { id }: { readonly id: string }) => ({ token: state.tokens.get(id) ?? null })),
  listTokens: told("tokens", (state, asked: PageById) => {
    const { page, nextAfterId } = pageOf([...state.tokens.values()].sort(byId), asked);
    return { tokens: page, nextAfterId };
  }),
  /** Why a node would not be let in now; null: it would. Changes nothing, so a stranger may ask. */
  tryAdmission: told("admission", (state, asked: Admission) => ({ refusal: admissionRefusal(state, asked) })),
  /** All that there ever were, by id. */
  listNodes: told("nodes", (state) => ({ nodes: sorted(state.nodes, ({ id }) => id) })),
  /** All, by id. */
  listWorkers: told("workers", (state) => ({ workers: sorted(state.workers, ({ id }) => id) })),
  /** With the VMs and tasks that are placed there. */
  getWorker: told("worker", (state, { id }: { readonly id: number }) => {
    const worker = workerOf(state, id);
    const vms = (worker?.vms ?? []).flatMap((name) => vmOf(state, name) ?? []);
    const tasks = (worker?.tasks ?? []).flatMap((task) => taskOf(state, task) ?? []);
    return { worker, vms, tasks };
  }),
  /** What would become of a request for such a VM now. Changes nothing. */
  planVm: told("plan", (state, { name, spec }: ByName & { readonly spec: VmSpec }) => planVm(state, name, spec)),
  /** Why a VM is where it is, or nowhere. */
  explainVm: told("explanation", (state, { name }: ByName) => ({ plan: explainer(state)(name) })),
  listTasks: told("tasks", (state, asked: PageById) => {
    const { page, nextAfterId } = pageOf(
      sorted(state.tasks, ({ id }) => id),
      asked,
    );
    return { tasks: page, nextAfterId };
  }),
  getTask: told("task", (state, { id }: { readonly id: string }) => ({ task: taskOf(state, id) })),
  /** Those with a quota, or with VMs; by name. */
  listTenants: told("tenants", (state) => ({ tenants: sorted(state.tenants, ({ name }) => name) })),
  /** All, by name, and how the cluster chooses among them. */
  listPools: told("pools", (state) => ({
    pools: sorted(state.pools, ({ spec }) => spec.name),
    strategy: state.poolStrategy,
  })),
  getScheduler: told("scheduler", ({ scheduler, schedulerGeneration: generation }) => ({ scheduler, generation })),
  /** Moves that would even out the load, and what they would gain. Changes nothing. */
  planRebalance: told("rebalance", (state, { movesMax }: { readonly movesMax: number }) =>
    rebalancePlan(state, movesMax),
  ),
  /** The first `limit` after that log index. `lastIndex` is how far the state has come: an empty page ends there. */
  listEvents: told(
    "events",
    (state, { afterIndex, limit }: { readonly afterIndex: number; readonly limit: number }) => ({
      lastIndex: state.appliedIndex,
      ...pageOfEvents(state.events, afterIndex, pageSizeOf(limit)),
    }),
  ),
} as const;

function told<Kind extends string, Asked extends object, Told extends object>(
  kind: Kind,
  answer: (state: ClusterState, asked: Asked) => Told,
) {
  return (state: ClusterState, asked: Asked): { readonly kind: Kind } & Readonly<Told> => ({
    kind,
    ...answer(state, asked),
  });
}

type Queries = typeof QUERIES;
type QueryKind = keyof Queries;

/** A question as a value, for whoever carries it here. */
export type ClusterQuery<Kind extends QueryKind = QueryKind> = {
  [Each in Kind]: { readonly kind: Each } & Parameters<Queries[Each]>[1];
}[Kind];

/** What is told to a question of this kind. */
export type ClusterQueryResult<Kind extends QueryKind = QueryKind> = ReturnType<Queries[Kind]>;

const answers: {
  readonly [Kind in QueryKind]: (state: ClusterState, question: ClusterQuery<Kind>) => ClusterQueryResult<Kind>;
} = QUERIES;

export function query<Kind extends QueryKind>(
  state: ClusterState,
  question: ClusterQuery<Kind>,
): ClusterQueryResult<Kind> {
  return answers[question.kind](state, question);
}

function byId(a: { readonly id: string }, b: { readonly id: string }): number {
  return a.id < b.id ? -1 : 1;
}

/** @param all sorted by id. */
function pageOf<Item extends { readonly id: string }>(all: readonly Item[], { afterId, limit }: PageById) {
  const after = all.filter(({ id }) => afterId === null || id > afterId);
  const page = after.slice(0, pageSizeOf(limit));
  return { page, nextAfterId: after.length > page.length ? (page.at(-1)?.id ?? null) : null };
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
