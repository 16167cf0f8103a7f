/**
 * What happened, in order of the log: whoever has seen all events up to an index can ask for what came after. An entry may have several, or none.
 *
 * The newest are kept, in chunks that an append shares but for the last. Where chunks begin depends on how many events there ever were and nothing else,
 * so that replicas drop the same ones at the same time, whether they applied every entry or began with a snapshot.
 */
import type { Strategy, WorkerStatus } from "../scheduler/index.ts";
import type { AskedChange, AuditedKind } from "./audit.ts";
import { LIMITS } from "./limits.ts";
import type { PoolStrategy } from "./pool-choice.ts";
import type { TaskState } from "./tasks.ts";
import type { VmState } from "./vm-record.ts";

interface Happening {
  readonly index: number;
  readonly term: number;
  /** Cluster time. */
  readonly atMs: number;
}

export type ClusterEvent = Happening &
  (
    | {
        readonly kind: "vmCreated" | "vmUpdated" | "vmDeleted";
        readonly name: string;
        readonly tenant: string;
        readonly generation: number;
      }
    | { readonly kind: "tokenCreated"; readonly tokenId: string; readonly purpose: "join" | "api" }
    | { readonly kind: "tokenRevoked"; readonly tokenId: string }
    | { readonly kind: "nodeAdmitted"; readonly nodeId: number; readonly tokenId: string }
    | { readonly kind: "nodeAnnounced"; readonly nodeId: number; readonly addresses: readonly string[] }
    | {
        readonly kind: "vmState";
        readonly name: string;
        readonly tenant: string;
        readonly from: VmState;
        readonly state: VmState;
        readonly workerId: number | null;
        readonly epoch: number;
        readonly reason: string;
      }
    | { readonly kind: "workerRegistered"; readonly workerId: number; readonly driver: string | null }
    | {
        readonly kind: "workerStatus";
        readonly workerId: number;
        readonly status: WorkerStatus;
        readonly reason: string;
      }
    | {
        readonly kind: "taskState";
        readonly id: string;
        readonly state: TaskState;
        readonly attempt: number;
        readonly workerId: number | null;
        readonly reason: string;
      }
    | { readonly kind: "quotaSet"; readonly tenant: string; readonly isLimited: boolean }
    | {
        readonly kind: "poolChanged";
        readonly pool: string;
        readonly change: "created" | "deleted" | "enabled" | "disabled";
      }
    | { readonly kind: "schedulerConfigured"; readonly strategy: Strategy }
    /** Somebody who said who he is has asked for something, and been heard: beside what came of it, which other events tell. */
    | {
        readonly kind: "requested";
        readonly by: string;
        readonly command: AuditedKind;
        /** Which way, of a command that goes either; null: it goes one way, or was asked before that was told. */
        readonly change: AskedChange | null;
        /** The name or id of what it is about; null: of the cluster as a whole. */
        readonly target: string | null;
        /** Kind of the refusal; null: it was done. */
        readonly refusal: string | null;
      }
    /** It is on the list no more, and its node is heard no more. */
    | { readonly kind: "workerRemoved"; readonly workerId: number }
    | { readonly kind: "membershipChanged"; readonly voters: readonly number[]; readonly learners: readonly number[] }
    | { readonly kind: "poolStrategySet"; readonly strategy: PoolStrategy }
  );

/** An event before it is known where it takes its place. */
export type EventDetails = ClusterEvent extends infer Event
  ? Event extends ClusterEvent
    ? Omit<Event, keyof Happening>
    : never
  : never;

export interface EventLog {
  /** Events that there ever were. */
  readonly total: number;
  /** Each of 64 but for the last; oldest first. */
  readonly chunks: readonly (readonly ClusterEvent[])[];
}

const CHUNK = 64;

export const NO_EVENTS: EventLog = Object.freeze({ total: 0, chunks: Object.freeze([]) });

export function withEvents(log: EventLog, events: readonly ClusterEvent[]): EventLog {
  if (events.length === 0) return log;
  const chunks = log.chunks.slice();
  const last = log.total % CHUNK === 0 ? [] : (chunks.pop() ?? []).slice();
  let chunk = last;
  let { total } = log;
  for (const event of events) {
    chunk.push(event);
    total++;
    if (total % CHUNK !== 0) continue;
    chunks.push(chunk);
    chunk = [];
  }
  if (chunk.length > 0) chunks.push(chunk);
  const keep = LIMITS.events / CHUNK + 1;
  if (chunks.length > keep) chunks.splice(0, chunks.length - keep);
  return { total, chunks };
}

/** The log with these as its newest events, of `total` ever: for restoring. */
export function restoredEvents(total: number, events: readonly ClusterEvent[]): EventLog {
  const first = total - events.length;
  const chunks: ClusterEvent[][] = [];
  for (const [at, event] of events.entries()) {
    if (at === 0 || (first + at) % CHUNK === 0) chunks.push([]);
    chunks.at(-1)?.push(event);
  }
  return { total, chunks };
}

/** How many events a log of `total` ever keeps. */
export function keptEvents(total: number): number {
  const chunks = Math.ceil(total / CHUNK);
  const first = Math.max(0, chunks - (LIMITS.events / CHUNK + 1));
  return total - first * CHUNK;
}

export function* eventsOf(log: EventLog): Generator<ClusterEvent, void, undefined> {
  for (const chunk of log.chunks) yield* chunk;
}

export interface EventPage {
  readonly events: readonly ClusterEvent[];
  /** False when events after the index that was asked for have been dropped already, or may have been. */
  readonly complete: boolean;
  /** Of the oldest event that is kept; null: there is none. */
  readonly oldestIndex: number | null;
}

/** The first `limit` events after `afterIndex`, and a few more where the last entry has several. */
export function pageOfEvents(log: EventLog, afterIndex: number, limit: number): EventPage {
  const oldest = log.chunks[0]?.[0] ?? null;
  const events: ClusterEvent[] = [];
  for (const chunk of log.chunks) {
    if ((chunk.at(-1)?.index ?? 0) <= afterIndex) continue;
    for (const event of chunk) {
      if (event.index <= afterIndex) continue;
      // All of an entry or none: the index is where the next page goes on.
      if (events.length >= limit && event.index !== events.at(-1)?.index) break;
      events.push(event);
    }
  }
  return {
    events,
    complete: oldest === null || afterIndex >= oldest.index || log.total === keptEvents(log.total),
    oldestIndex: oldest?.index ?? null,
  };
}
