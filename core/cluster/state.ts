import { type EventLog, NO_EVENTS } from "./events.ts";
import type { NodeRecord } from "./nodes.ts";
import type { Session } from "./session.ts";
import { BUCKETS, emptyTable, leafAt, slotOfIndex, slotOfText, type Table } from "./table.ts";
import type { TokenRecord } from "./tokens.ts";
import type { VmRecord } from "./vm-record.ts";

/** Everything that the cluster agrees on. Immutable: `applyEntries` returns the next one, which shares what did not change. */
export interface ClusterState {
  /** By VM name. Read through the queries. */
  readonly vms: Table<string, VmRecord>;
  /** By session id. */
  readonly sessions: Table<number, Session>;
  /** Session ids by client token. Follows from `sessions`. */
  readonly sessionIds: Table<string, number>;
  /**
   * For each bucket of `sessions` a number that no `lastActiveIndex` there is below. Saves looking through them all for the oldest; has no other
   * effect, and is no part of a snapshot.
   */
  readonly sessionFloors: readonly number[];
  /** By id. At most a thousand, so a change copies them. */
  readonly tokens: ReadonlyMap<string, TokenRecord>;
  /** By id. They change when somebody joins, leaves or moves, so a change copies them. */
  readonly nodes: ReadonlyMap<number, NodeRecord>;
  readonly events: EventLog;
  readonly vmCount: number;
  readonly sessionCount: number;
  /** Cluster time: the highest wall clock that any leader stamped, milliseconds since 1970. Never falls. */
  readonly timeMs: number;
  /** Index of the last entry applied here; entries that hold no command do not count. */
  readonly appliedIndex: number;
}

/** Of a cluster that has applied nothing. */
export function emptyState(): ClusterState {
  return {
    vms: emptyTable(),
    sessions: emptyTable(),
    sessionIds: emptyTable(),
    tokens: new Map(),
    nodes: new Map(),
    events: NO_EVENTS,
    sessionFloors: new Array<number>(BUCKETS).fill(0),
    vmCount: 0,
    sessionCount: 0,
    timeMs: 0,
    appliedIndex: 0,
  };
}

export function vmOf(state: ClusterState, name: string): VmRecord | null {
  return leafAt(state.vms, slotOfText(name)).get(name) ?? null;
}

export function sessionOf(state: ClusterState, id: number): Session | null {
  return leafAt(state.sessions, slotOfIndex(id)).get(id) ?? null;
}

export function sessionIdOf(state: ClusterState, clientToken: string): number | null {
  return leafAt(state.sessionIds, slotOfText(clientToken)).get(clientToken) ?? null;
}
