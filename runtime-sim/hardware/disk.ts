/**
 * A host's storage, as SQLite in WAL mode with synchronous FULL behaves: writes are atomic and become durable in
 * order; one sync runs at a time, and what is submitted meanwhile shares the next. A crash keeps some un-synced pages
 * and loses others; checksums find the first write that is not whole, and what remains is a prefix of what was
 * submitted, never shorter than what was reported durable.
 *
 * The world drives it: after `submit`, and after each `advance`, it calls `advance` at `nextUs`. Times are whole
 * microseconds of virtual time.
 *
 * What is durable is kept folded (`DurableState`), not as a list of writes. Records that a fault has hit are kept as
 * damaged bytes beside it.
 */
import { DurableState, HARD_STATE, type RecordPlace, type Restored, SNAPSHOT, type Write } from "../../core/index.ts";
import type { Stream } from "../random/index.ts";
import { encodeRecord, recordFault } from "./record.ts";

export interface DiskSettings {
  /** How long a sync takes at least, and the mean of the exponentially distributed part on top. */
  readonly syncMinMs: number;
  readonly syncMeanMs: number;
  readonly throughputBytesPerSecond: number;
}

/** An SSD on a good day. */
export const CALM_DISK: DiskSettings = { syncMinMs: 0.25, syncMeanMs: 0.1, throughputBytesPerSecond: 200_000_000 };

export type RestoreOutcome =
  | { readonly kind: "restored"; readonly restored: Restored }
  /** A record fails its checksum: the member must not start from the rest. It stays so until `replace`. */
  | { readonly kind: "damaged"; readonly reason: string }
  /** Try again later. */
  | { readonly kind: "readError"; readonly reason: string };

/** What became of the writes that were not durable when the host crashed. */
export interface CrashOutcome {
  readonly survived: number;
  /** Missing altogether, or behind a write that is torn. */
  readonly lost: number;
  /** Whether the first write that did not survive had left some of its pages. */
  readonly torn: boolean;
}

export interface WriteFailure {
  /** The first write that failed; all after it failed with it. */
  readonly writeId: number;
  readonly reason: string;
}

const PAGE_BYTES = 4096;

interface SlowSync {
  readonly beganUs: number;
  readonly workUs: number;
  readonly factor: number;
  readonly endsUs: number;
}

export class Disk {
  readonly #settings: DiskSettings;
  readonly #stream: Stream;
  #durable: DurableState;
  /** Bytes found at a place instead of what was written there. */
  readonly #damage = new Map<RecordPlace, Uint8Array>();
  /** What the sync in progress makes durable, and what waits for the next; both oldest first. */
  #syncing: Write[] = [];
  #queued: Write[] = [];
  #queuedBytes = 0;
  #syncEndsUs = Infinity;
  #stalledUntilUs = 0;
  #slowFactor = 1;
  #slowUntilUs = 0;
  /** The last sync that began while it was slow: how long it would have taken otherwise, and its own factor. */
  #slowSync: SlowSync | null = null;
  #fullUntilUs = 0;
  #syncFails = false;
  #readFailures = 0;
  #failure: WriteFailure | null = null;
  /** After a failed write nothing is taken until a new process has read what is there. */
  #refusing = false;

  /**
   * `restored`: what it holds to begin with, durable. `stream`: decides how long syncs take, what survives a crash,
   * and what is damaged.
   */
  constructor(settings: DiskSettings, restored: Restored, stream: Stream) {
    this.#settings = settings;
    this.#stream = stream;
    this.#durable = new DurableState(restored);
  }

  /** Queues a write. Ignored after a failed one, until `restore`. */
  submit(write: Write, nowUs: number): void {
    if (this.#refusing) return;
    this.#queued.push(write);
    this.#queuedBytes += writeBytes(write);
    if (this.#syncEndsUs === Infinity) this.#startSync(nowUs);
  }

  /**
   * When `advance` has something to do: the end of the sync in progress, Infinity when there is none. A stall moves it
   * later; to advance too early is harmless.
   */
  get nextUs(): number {
    return Math.max(this.#syncEndsUs, this.#stalledUntilUs);
  }

  /** Carries the disk to `nowUs`. Returns the id up to which writes became durable, 0 when none did. */
  advance(nowUs: number): number {
    if (nowUs < this.nextUs) return 0;
    const done = this.#syncing;
    if (this.#syncFails || nowUs < this.#fullUntilUs) {
      this.#fail(nowUs < this.#fullUntilUs ? "disk full" : "fsync failed");
      return 0;
    }
    let durableId = 0;
    for (const write of done) {
      this.#apply(write);
      durableId = write.id;
    }
    done.length = 0;
    this.#syncEndsUs = Infinity;
    if (this.#queued.length > 0) this.#startSync(nowUs);
    return durableId;
  }

  /** The failure that `advance` met, if any; null when asked again. */
  takeFailure(): WriteFailure | null {
    const failure = this.#failure;
    this.#failure = null;
    return failure;
  }

  /** Whether anything submitted is not durable yet, and a crash may lose it. */
  get busy(): boolean {
    return this.#syncEndsUs !== Infinity;
  }

  /** What a starting process reads. Call `crash` first if another process ran before. */
  restore(): RestoreOutcome {
    if (this.#readFailures > 0) {
      this.#readFailures -= 1;
      return { kind: "readError", reason: "the disk reports a read error" };
    }
    for (const [place, bytes] of this.#damage) {
      const fault = recordFault(place, bytes);
      // This model must never let damage pass for data.
      if (fault === null) throw new Error(`damage to ${placeName(place)} escaped its checksum`);
      return { kind: "damaged", reason: `${placeName(place)} is damaged: ${fault}` };
    }
    this.#refusing = false;
    this.#failure = null;
    return { kind: "restored", restored: this.#durable.restored() };
  }

  /**
   * The process or the host crashes: each un-synced page is kept or lost, with a probability that is drawn for each
   * crash.
   */
  crash(): CrashOutcome {
    const writes = this.#syncing.concat(this.#queued);
    const bias = 2 * this.#stream.nextUnit() - 0.5; // A quarter of crashes keeps nothing, another quarter everything.
    let survived = 0;
    let torn = false;
    for (const write of writes) {
      const pages = 1 + Math.ceil(writeBytes(write) / PAGE_BYTES);
      let kept = 0;
      for (let page = 0; page < pages; page += 1) if (this.#stream.chance(bias)) kept += 1;
      if (kept < pages) {
        torn = kept > 0;
        break;
      }
      this.#apply(write);
      survived += 1;
    }
    this.#forgetPending();
    return { survived, lost: writes.length - survived, torn };
  }

  /** Another disk with other content, such as a new member's: whatever was here, damage included, is gone. */
  replace(restored: Restored): void {
    this.#forgetPending();
    this.#damage.clear();
    this.#readFailures = 0;
    this.#refusing = false;
    this.#failure = null;
    this.#durable = new DurableState(restored);
  }

  /**
   * Syncs that begin before `untilUs` take `factor` times as long until then; what is left of one goes at the ordinary
   * pace. Of two overlapping ones the greater factor and the later end hold, for syncs that begin from now on.
   */
  slow(factor: number, untilUs: number, nowUs: number): void {
    this.#slowFactor = nowUs < this.#slowUntilUs ? Math.max(this.#slowFactor, factor) : factor;
    this.#slowUntilUs = Math.max(this.#slowUntilUs, untilUs);
  }

  /** No sync ends before `untilUs`. */
  stall(untilUs: number): void {
    this.#stalledUntilUs = Math.max(this.#stalledUntilUs, untilUs);
  }

  /** A sync that would end before `untilUs` fails, and nothing of it is kept. */
  fill(untilUs: number): void {
    this.#fullUntilUs = Math.max(this.#fullUntilUs, untilUs);
  }

  /** The next sync to end fails; what it was to make durable may be there or not. */
  failNextSync(): void {
    this.#syncFails = true;
  }

  /** The next `count` calls of `restore` fail. */
  failReads(count: number): void {
    this.#readFailures = Math.max(this.#readFailures, count);
  }

  /**
   * Flips one bit of a durable record that is not damaged yet. Returns which record, for the trace; null when there is
   * none.
   */
  flipBit(): string | null {
    const place = this.#victim(null);
    if (place === null) return null;
    const bytes = encodeRecord(place, this.#durable.record(place));
    const bit = this.#stream.integer(0, 8 * bytes.length - 1);
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    this.#damage.set(place, bytes);
    return placeName(place);
  }

  /**
   * A write that went to a wrong place: one durable record never arrived, another is overwritten by it. Returns which;
   * null when there are not two.
   */
  misdirect(): string | null {
    const meant = this.#victim(null);
    const hit = meant === null ? null : this.#victim(meant);
    if (meant === null || hit === null) return null;
    const bytes = encodeRecord(meant, this.#durable.record(meant));
    this.#damage.set(hit, bytes);
    // The page that it should have written is still empty.
    this.#damage.set(meant, new Uint8Array(bytes.length));
    return `${placeName(meant)} written over ${placeName(hit)}`;
  }

  /** Ends every fault but damage. Reported failures stay reported. */
  heal(nowUs: number): void {
    const slow = this.#slowSync;
    if (slow !== null && this.#syncEndsUs === slow.endsUs && nowUs < this.#slowUntilUs) {
      const leftUs = slow.workUs - (nowUs - slow.beganUs) / slow.factor;
      this.#syncEndsUs = Math.min(slow.endsUs, nowUs + Math.ceil(leftUs));
    }
    // One that only waited for the end of a stall ends now.
    this.#syncEndsUs = Math.max(this.#syncEndsUs, nowUs);
    this.#slowSync = null;
    this.#stalledUntilUs = 0;
    this.#slowUntilUs = 0;
    this.#fullUntilUs = 0;
    this.#syncFails = false;
    this.#readFailures = 0;
  }

  // For oracles: what is left even if a crash keeps nothing that is un-synced. Damaged records count as not there. All
  // O(1).

  /** Null for an index that is neither stored nor the snapshot's. */
  durableTermAt(index: number): number | null {
    return this.#readable(index) ? this.#durable.termAt(index) : null;
  }

  durableChainAt(index: number): string | null {
    return this.#readable(index) ? this.#durable.chainAt(index) : null;
  }

  /** The last entry's index, or the snapshot's when there is none, damaged or not. */
  get durableLastIndex(): number {
    return this.#durable.lastIndex;
  }

  get durableTerm(): number {
    return this.#durable.hardState?.term ?? 0;
  }

  get durableVote(): number {
    return this.#durable.hardState?.votedFor ?? 0;
  }

  /**
   * When it works as on an ordinary day again, as far as that is known; Infinity: after a restart. Past: it does now.
   */
  get hamperedUntilUs(): number {
    if (this.#refusing || this.#syncFails) return Infinity;
    return Math.max(this.#stalledUntilUs, this.#slowUntilUs, this.#slowSync?.endsUs ?? 0, this.#fullUntilUs);
  }

  /** Whether `restore` would find damage. A damaged record that is overwritten or removed in time does no harm. */
  get damaged(): boolean {
    return this.#damage.size > 0;
  }

  #readable(index: number): boolean {
    return this.#damage.size === 0 || !this.#damage.has(this.#durable.placeOf(index));
  }

  #startSync(nowUs: number): void {
    const { syncMinMs, syncMeanMs, throughputBytesPerSecond } = this.#settings;
    const fsyncUs = 1000 * (syncMinMs + (syncMeanMs > 0 ? this.#stream.exponential(syncMeanMs) : 0));
    const transferUs = (1_000_000 * this.#queuedBytes) / throughputBytesPerSecond;
    const workUs = fsyncUs + transferUs;
    const slowForUs = Math.max(0, this.#slowUntilUs - nowUs);
    const factor = this.#slowFactor;
    const doneSlowlyUs = Math.min(workUs, slowForUs / factor);
    const endsUs = nowUs + Math.ceil(doneSlowlyUs * factor + workUs - doneSlowlyUs);
    this.#syncEndsUs = endsUs;
    if (slowForUs > 0) this.#slowSync = { beganUs: nowUs, workUs, factor, endsUs };
    const empty = this.#syncing;
    this.#syncing = this.#queued;
    this.#queued = empty;
    this.#queuedBytes = 0;
  }

  #apply(write: Write): void {
    this.#durable.apply(write);
    if (this.#damage.size === 0) return;
    if (write.hardState !== null) this.#damage.delete(HARD_STATE);
    if (write.snapshot !== null) this.#damage.delete(SNAPSHOT);
    // What a write removed or replaced is no longer damaged.
    const replacedFrom = write.entries?.[0]?.index ?? Infinity;
    for (const place of this.#damage.keys()) {
      if (place >= replacedFrom || !this.#durable.holds(place)) this.#damage.delete(place);
    }
  }

  #fail(reason: string): void {
    const first = this.#syncing[0];
    if (first === undefined) throw new Error("a sync of nothing failed");
    this.#syncFails = false;
    if (reason === "fsync failed") this.crash();
    else this.#forgetPending();
    this.#failure = { writeId: first.id, reason };
    this.#refusing = true;
  }

  #forgetPending(): void {
    this.#slowSync = null;
    this.#syncing = [];
    this.#queued = [];
    this.#queuedBytes = 0;
    this.#syncEndsUs = Infinity;
  }

  /** A durable record, neither `other` nor damaged already. */
  #victim(other: RecordPlace | null): RecordPlace | null {
    const places = this.#durable.places().filter((place) => place !== other && !this.#damage.has(place));
    return places.length === 0 ? null : this.#stream.pick(places);
  }
}

function placeName(place: RecordPlace): string {
  if (place === HARD_STATE) return "the hard state";
  return place === SNAPSHOT ? "the snapshot" : `entry ${place}`;
}

/** Roughly what a write takes on the disk. Cheap rather than exact: it decides latencies and page counts alone. */
function writeBytes(write: Write): number {
  let bytes = write.hardState === null ? 64 : 512;
  if (write.snapshot !== null) bytes += write.snapshot.snapshot.meta.sizeBytes;
  if (write.entries !== null) for (const entry of write.entries) bytes += 64 + entry.data.length;
  return bytes;
}
