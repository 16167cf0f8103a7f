/**
 * What a page of the event stream must be, by a record of all that happened. Nothing lost, nothing twice, in order, no
 * entry's events torn apart; or the page says that it is not complete, which it may say only of what is older than the
 * events that are kept, and shows all that is kept. A stream is pages of which each begins where the last one ended: so
 * what holds of each page, wherever it begins, holds of every stream.
 */
import { CLUSTER_LIMITS, type ClusterEvent, type ClusterQuery, type ClusterQueryResult } from "../../core/index.ts";
import { isSame } from "./same.ts";

/** Everything that happened, oldest first. */
export interface EventRecord {
  readonly events: readonly ClusterEvent[];
  /** How many there were before. */
  readonly forgotten: number;
  /** The newest that the cluster keeps in any case. */
  readonly keptMin: number;
}

type EventsAnswer = Extract<ClusterQueryResult, { readonly kind: "events" }>;
type EventsQuery = Extract<ClusterQuery, { readonly kind: "listEvents" }>;

/** Why a page is not what it must be as of `index`; null: it is. */
export function whyWrongEvents(
  { events: all, forgotten, keptMin }: EventRecord,
  index: number,
  { afterIndex, limit }: EventsQuery,
  answer: EventsAnswer,
): (() => string) | null {
  const { events, complete, oldestIndex, lastIndex } = answer;
  const end = firstAfter(all, index);
  const total = forgotten + end;
  let begin = firstAfter(all, afterIndex);
  if (!complete) {
    if (total <= keptMin || oldestIndex === null || afterIndex >= oldestIndex)
      return () => `a page after ${afterIndex} is said to be incomplete, although only ${total} events happened`;
    // The record itself may have forgotten more.
    if (forgotten > 0 && (all[0]?.index ?? 0) >= oldestIndex) return null;
    const [first, second] = [firstAfter(all, oldestIndex - 1), firstAfter(all, oldestIndex)];
    if (end - first < keptMin)
      return () => `${end - first} events are kept, from ${oldestIndex} on; at least ${keptMin} must be`;
    // Of the oldest entry only the last events may be left.
    begin = Math.max(first, second - events.filter((event) => event.index === oldestIndex).length);
  }
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
