/** What a question is to be answered, as of an index. */
import { CLUSTER_LIMITS, type ClusterQuery, type ClusterQueryResult } from "../../../core/index.ts";
import { type EventRecord, whyWrongEvents } from "../event-pages.ts";
import { difference, isSame } from "../same.ts";
import { ONLY, type Tables } from "./tables.ts";

/** Why an answer is not what it must be; null: it is, or it is of a kind that is not judged. */
export function whyWrong(
  tables: Tables,
  index: number,
  query: ClusterQuery,
  answer: ClusterQueryResult,
): (() => string) | null {
  if (query.kind === "listEvents")
    return answer.kind === "events" ? whyWrongEvents(recordOf(tables), index, query, answer) : null;
  const expected = expectedAnswer(tables, index, query);
  if (expected === null || isSame(expected, answer)) return null;
  return () => difference(answer, expected) ?? "";
}

function recordOf({ events, eventsForgotten: forgotten, limits }: Tables): EventRecord {
  return { events, forgotten, keptMin: limits.events };
}

function expectedAnswer(tables: Tables, index: number, query: ClusterQuery): ClusterQueryResult | null {
  switch (query.kind) {
    case "getVm":
      return { kind: "vm", vm: tables.vms.at(query.name, index) };
    case "listVms": {
      const { tenant = null, afterName = null, limit } = query;
      const all = tables.vms.allAt(index).filter((vm) => tenant === null || vm.tenant === tenant);
      const { page, isLast } = pageOf(all, ({ name }) => name, afterName, limit);
      return { kind: "vms", vms: page, nextAfterName: isLast ? null : (page.at(-1)?.name ?? null) };
    }
    case "getToken":
      return { kind: "token", token: tables.tokens.at(query.id, index) };
    case "listTokens": {
      const { page, isLast } = pageOf(tables.tokens.allAt(index), ({ id }) => id, query.afterId, query.limit);
      return { kind: "tokens", tokens: page, nextAfterId: isLast ? null : (page.at(-1)?.id ?? null) };
    }
    case "getTask":
      return { kind: "task", task: tables.tasks.at(query.id, index) };
    case "listTasks": {
      const { page, isLast } = pageOf(tables.tasks.allAt(index), ({ id }) => id, query.afterId, query.limit);
      return { kind: "tasks", tasks: page, nextAfterId: isLast ? null : (page.at(-1)?.id ?? null) };
    }
    case "listNodes":
      return { kind: "nodes", nodes: tables.nodes.allAt(index) };
    case "listTenants":
      return { kind: "tenants", tenants: tables.tenants.allAt(index) };
    case "listPools": {
      const strategy = tables.poolStrategy.at(ONLY, index);
      return strategy === null ? null : { kind: "pools", pools: tables.pools.allAt(index), strategy };
    }
    case "getScheduler": {
      const configured = tables.scheduler.at(ONLY, index);
      return configured === null ? null : { kind: "scheduler", ...configured };
    }
    case "listWorkers":
      return { kind: "workers", workers: [] };
    case "getWorker":
      return { kind: "worker", worker: null, vms: [], tasks: [] };
    default:
      return null;
  }
}

function pageOf<V>(all: readonly V[], keyOf: (value: V) => string, after: string | null, limit: number) {
  const rest = all.filter((value) => after === null || keyOf(value) > after);
  const size = Math.max(1, Math.min(CLUSTER_LIMITS.listPage, Math.floor(limit)));
  return { page: rest.slice(0, size), isLast: rest.length <= size };
}
