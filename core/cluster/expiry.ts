/**
 * Which session is expired when there are too many: the least recently active one by log index, so that every replica
 * picks the same.
 *
 * Every request raises the index of its session, and keeping all sessions in order would cost too much. Instead each
 * bucket has a floor: no session in it was active before that index. The bucket with the lowest floor is searched,
 * which makes its floor exact. If it is still the lowest, its oldest session is the oldest of all. A search of one
 * bucket (about 80 sessions) is paid for by the requests since the last search, so the cost does not grow.
 */
import type { Session } from "../domain/index.ts";
import type { Batch } from "./batch.ts";
import { hashOfIndex } from "./hash.ts";
import { BUCKETS, bucketOf, bucketValues } from "./table.ts";

/**
 * The least recently active session, or null when there is none. `index` is the current entry's: sessions opened from
 * now on are no older.
 */
export function leastRecentlyActive(batch: Batch, index: number): Session | null {
  const floors = batch.sessionFloors;
  // After one look through each bucket all floors are exact.
  for (let looks = 0; looks <= BUCKETS; looks++) {
    const bucket = lowest(floors);
    const oldest = oldestInBucket(batch, bucket);
    floors[bucket] = oldest === null ? index : oldest.lastActiveIndex;
    if (oldest !== null && lowest(floors) === bucket) return oldest;
  }
  return null;
}

/** The first bucket with the lowest floor. */
function lowest(floors: readonly number[]): number {
  let found = 0;
  let floor = Number.POSITIVE_INFINITY;
  for (let bucket = 0; bucket < floors.length; bucket++) {
    const candidate = floors[bucket] ?? 0;
    if (candidate >= floor) continue;
    found = bucket;
    floor = candidate;
  }
  return found;
}

function oldestInBucket(batch: Batch, bucket: number): Session | null {
  const changes = batch.sessionChanges;
  let oldest: Session | null = null;
  for (const session of bucketValues(batch.sessionsBelow, bucket)) {
    if (oldest !== null && session.lastActiveIndex >= oldest.lastActiveIndex) continue;
    if (!changes.has(session.id)) oldest = session;
  }
  // Whatever this batch made or touched has been active since.
  if (oldest !== null) return oldest;
  for (const session of changes.values()) {
    if (session === null || bucketOf(hashOfIndex(session.id)) !== bucket) continue;
    if (oldest === null || session.lastActiveIndex < oldest.lastActiveIndex) oldest = session;
  }
  return oldest;
}
