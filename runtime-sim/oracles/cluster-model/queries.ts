/** What a question is to be answered, as of an index. */
import { CLUSTER_LIMITS, type ClusterEvent, type ClusterQuery, type ClusterQueryResult } from "../../../core/index.ts";
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
    return answer.kind === "events" ? whyWrongEvents(tables, index, query, answer) : null;
  const expected = expectedAnswer(tables, index, query);
  if (expected === null || isSame(expected, answer)) return null;
  return () => difference(answer, expected) ?? "";
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
      const scheduler = tables.scheduler.at(ONLY, index);
      return scheduler === null ? null : { kind: "scheduler", scheduler };
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

type EventsAnswer = Extract<ClusterQueryResult, { readonly kind: "events" }>;
type EventsQuery = Extract<ClusterQuery, { readonly kind: "listEvents" }>;

/**
 * Nothing lost, nothing twice, in order, no entry's events torn apart; or the page says that it is not complete, which
 * it may say only of what is older than the events that are kept.
 */
function whyWrongEvents(
  tables: Tables,
  index: number,
  { afterIndex, limit }: EventsQuery,
  answer: EventsAnswer,
): (() => string) | null {
  const { events, complete, oldestIndex, lastIndex } = answer;
  const all = tables.events;
  const end = firstAfter(all, index);
  const total = tables.eventsForgotten + end;
  if (!complete) {
    if (total > tables.limits.events && oldestIndex !== null && afterIndex < oldestIndex) return null;
    return () => `a page after ${afterIndex} is said to be incomplete, although only ${total} events happened`;
  }
  const begin = firstAfter(all, afterIndex);
  const size = Math.max(1, Math.min(CLUSTER_LIMITS.listPage, Math.floor(limit)));
  let until = Math.min(end, begin + size);
  while (until > begin && until < end && all[until]?.index === all[until - 1]?.index) until += 1;
  const expected = all.slice(begin, until);
  if (!isSame(expected, events))
    return () => `${events.length} events after ${afterIndex}: ${textOf(events)}; it must be ${textOf(expected)}`;
  // Whoever goes on from there must miss nothing.
  const newest = all[end - 1]?.index ?? 0;
  if (lastIndex > index || lastIndex < newest)
    return () => `the state at index ${index}, with an event at ${newest}, is said to have come to ${lastIndex}`;
  return null;
}

function textOf(events: readonly ClusterEvent[]): string {
  return events.map(({ index, kind }) => `${index} ${kind}`).join(", ");
}

/** The place of the first event behind an index. */
function firstAfter(events: readonly ClusterEvent[], index: number): number {
  let [low, high] = [0, events.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((events[middle]?.index ?? 0) <= index) low = middle + 1;
    else high = middle;
  }
  return low;
}
