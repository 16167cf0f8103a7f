/**
 * What a question about a fleet is to be answered by a state: sorted, filtered and cut anew, as plainly as can be. What
 * is on a worker is counted from the VMs and tasks themselves, not from the worker's own lists.
 */
import {
  CLUSTER_LIMITS,
  type ClusterQuery,
  type ClusterQueryResult,
  type ClusterState,
  tableValues,
} from "../../../core/index.ts";

/** Null: it is of a kind that is judged elsewhere, or not at all. */
export function plainAnswer(state: ClusterState, query: ClusterQuery): ClusterQueryResult | null {
  switch (query.kind) {
    case "getVm":
      return { kind: "vm", vm: tableValues(state.vms).find(({ name }) => name === query.name) ?? null };
    case "listVms": {
      const { tenant = null, afterName = null, limit } = query;
      const all = tableValues(state.vms).filter((vm) => tenant === null || vm.spec.tenant === tenant);
      const { page, next } = pageOf(all, ({ name }) => name, afterName, limit);
      return { kind: "vms", vms: page, nextAfterName: next };
    }
    case "getTask":
      return { kind: "task", task: tableValues(state.tasks).find(({ id }) => id === query.id) ?? null };
    case "listTasks": {
      const { page, next } = pageOf(tableValues(state.tasks), ({ id }) => id, query.afterId, query.limit);
      return { kind: "tasks", tasks: page, nextAfterId: next };
    }
    case "getWorker": {
      const worker = tableValues(state.workers).find(({ id }) => id === query.id) ?? null;
      const isThere = ({ workerId }: { readonly workerId: number | null }): boolean => workerId === query.id;
      return {
        kind: "worker",
        worker,
        vms: sorted(tableValues(state.vms).filter(isThere), ({ name }) => name),
        tasks: sorted(tableValues(state.tasks).filter(isThere), ({ id }) => id),
      };
    }
    case "listWorkers":
      return { kind: "workers", workers: sorted(tableValues(state.workers), ({ id }) => id) };
    case "listNodes":
      return { kind: "nodes", nodes: sorted(tableValues(state.nodes), ({ id }) => id) };
    case "listTenants":
      return { kind: "tenants", tenants: sorted(tableValues(state.tenants), ({ name }) => name) };
    case "listPools":
      return {
        kind: "pools",
        pools: sorted(tableValues(state.pools), ({ spec }) => spec.name),
        strategy: state.poolStrategy,
      };
    case "getScheduler":
      return { kind: "scheduler", scheduler: state.scheduler, generation: state.schedulerGeneration };
    default:
      return null;
  }
}

function sorted<V>(values: readonly V[], keyOf: (value: V) => string | number): V[] {
  return [...values].sort((left, right) => (keyOf(left) < keyOf(right) ? -1 : 1));
}

function pageOf<V>(all: readonly V[], keyOf: (value: V) => string, after: string | null, limit: number) {
  const rest = sorted(
    all.filter((value) => after === null || keyOf(value) > after),
    keyOf,
  );
  const page = rest.slice(0, Math.max(1, Math.min(CLUSTER_LIMITS.listPage, Math.floor(limit))));
  const last = page.at(-1);
  return { page, next: last === undefined || page.length === rest.length ? null : keyOf(last) };
}
