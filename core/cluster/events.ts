/**
 * The log of events, in the order of the Raft log. A client that has seen all events up to an index can ask for what
 * came after it. An entry may have several events, or none.
 *
 * The newest events are kept, in chunks. An append shares all chunks but the last. Where chunks begin depends only on
 * how many events there ever were, so that all replicas drop the same events at the same time, whether they applied
 * every entry or started from a snapshot.
 */
import type { ClusterEvent } from "../domain/index.ts";

export interface EventLog {
  /** Number of events since the cluster began. */
  readonly total: number;
  /** Each has 64 events, the last may have fewer. Oldest first. */
  readonly chunks: readonly (readonly ClusterEvent[])[];
}

const CHUNK = 64;

export const NO_EVENTS: EventLog = Object.freeze({ total: 0, chunks: Object.freeze([]) });

/** `limit`: how many are kept at least, a multiple of 64. */
export function withEvents(log: EventLog, events: readonly ClusterEvent[], limit: number): EventLog {
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
  const keep = limit / CHUNK + 1;
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

/** How many events are kept after `total` in all, with that limit. */
export function keptEvents(total: number, limit: number): number {
  const chunks = Math.ceil(total / CHUNK);
  const first = Math.max(0, chunks - (limit / CHUNK + 1));
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

/** The first `size` events after `afterIndex`, and a few more where the last entry has several. */
export function pageOfEvents(log: EventLog, afterIndex: number, size: number): EventPage {
  const oldest = log.chunks[0]?.[0] ?? null;
  const events: ClusterEvent[] = [];
  for (const chunk of log.chunks) {
    if ((chunk.at(-1)?.index ?? 0) <= afterIndex) continue;
    for (const event of chunk) {
      if (event.index <= afterIndex) continue;
      // Never split the events of an entry: the next page starts after an index.
      if (events.length >= size && event.index !== events.at(-1)?.index) break;
      events.push(event);
    }
  }
  return {
    events,
    complete: oldest === null || afterIndex >= oldest.index || log.chunks.length === Math.ceil(log.total / CHUNK),
    oldestIndex: oldest?.index ?? null,
  };
}
