/**
 * What a leader knows of one follower (etcd's tracker): how far its log agrees, what is in flight, and when it was
 * last heard.
 */
import type { RaftOptions } from "./options.ts";
import type { Snapshot } from "./records.ts";

export interface SnapshotTransfer {
  readonly snapshot: Snapshot;
  /** The follower holds all chunks before this one. */
  acknowledged: number;
  /** Chunks before this one have been sent. */
  sent: number;
  /** When the latest chunk left. */
  sentAtMs: number;
  /** When it last went back to an earlier chunk. */
  rewoundAtMs: number;
}

/** Of so few appends it costs little to send them once more. */
const SMALL_WINDOW = 4;

export class Progress {
  /** Known to agree with the leader's log and to be durable up to here. */
  match = 0;
  /** The next entry to send. */
  next: number;
  /**
   * Probe: one append at a time until one matches. Replicate: a pipeline of appends. Snapshot: what it needs is
   * compacted away; chunks go out instead.
   */
  mode: "probe" | "replicate" | "snapshot" = "probe";
  /** When it last went back from a pipeline to probing because an append did not fit. */
  #wentBackAtMs = Number.NEGATIVE_INFINITY;
  /**
   * How many appends may be in flight. One after it went back, and twice as many after each acknowledgement (slow
   * start, RFC 5681): where appends overtake each other a long pipeline brings a few entries at a time.
   */
  #window = Number.POSITIVE_INFINITY;
  /** A probe is out and unanswered. */
  probing = false;
  transfer: SnapshotTransfer | null = null;
  /** The follower knows this leader's election certificate. One that lost it in a crash says so in its answers. */
  certified = false;
  lastHeardMs: number;
  /** The highest commit index that a heartbeat has told it. */
  commitSent = 0;
  /** Latest heartbeat round that it answered, and when that round left. */
  round = 0;
  roundSentMs = Number.NEGATIVE_INFINITY;
  /** Appends in flight, oldest first: last index and bytes of each. */
  #lastIndexes: number[] = [];
  #sizes: number[] = [];
  #bytes = 0;
  /** When the oldest append in flight left, or the last acknowledgement after it came. */
  oldestSentMs = 0;

  constructor(next: number, nowMs: number) {
    this.next = next;
    this.lastHeardMs = nowMs;
  }

  get inflight(): number {
    return this.#lastIndexes.length;
  }

  /** Whether flow control lets another append out. At least one always may be in flight. */
  mayPipeline(options: RaftOptions): boolean {
    return (
      this.inflight < Math.min(options.maxInflightMessages, this.#window) &&
      (this.inflight === 0 || this.#bytes < options.maxInflightBytes)
    );
  }

  sent(lastIndex: number, bytes: number, nowMs: number): void {
    if (this.inflight === 0) this.oldestSentMs = nowMs;
    this.#lastIndexes.push(lastIndex);
    this.#sizes.push(bytes);
    this.#bytes += bytes;
    this.next = lastIndex + 1;
  }

  /** The follower acknowledges entries up to `index`. Returns whether that is more than before. */
  acknowledged(index: number, nowMs: number): boolean {
    let freed = 0;
    while (freed < this.#lastIndexes.length && (this.#lastIndexes[freed] ?? 0) <= index) {
      this.#bytes -= this.#sizes[freed] ?? 0;
      freed++;
    }
    if (freed > 0) {
      this.#lastIndexes.splice(0, freed);
      this.#sizes.splice(0, freed);
      this.oldestSentMs = nowMs;
      this.#window *= 2;
    }
    if (index <= this.match) return false;
    this.match = index;
    this.next = Math.max(this.next, index + 1);
    return true;
  }

  /**
   * An append in a pipeline did not fit: one before it was lost, or is late. Returns whether to go back to probing,
   * which sends the whole pipeline once more. That may overtake itself likewise, so a long one goes back at most once
   * in a heartbeat interval. Heartbeats find out what stays missing.
   */
  goesBack(nowMs: number, heartbeatMs: number): boolean {
    if (this.#window > SMALL_WINDOW && nowMs - this.#wentBackAtMs < heartbeatMs) return false;
    this.#wentBackAtMs = nowMs;
    this.#window = 1;
    return true;
  }

  becomeProbe(next: number): void {
    this.mode = "probe";
    this.probing = false;
    this.transfer = null;
    this.next = next;
    this.#clearInflight();
  }

  becomeReplicate(): void {
    this.mode = "replicate";
    this.probing = false;
    this.transfer = null;
    this.next = this.match + 1;
    this.#clearInflight();
  }

  becomeSnapshot(snapshot: Snapshot, nowMs: number): void {
    this.mode = "snapshot";
    this.probing = false;
    this.transfer = { snapshot, acknowledged: 0, sent: 0, sentAtMs: nowMs, rewoundAtMs: Number.NEGATIVE_INFINITY };
    this.#clearInflight();
  }

  #clearInflight(): void {
    this.#lastIndexes.length = 0;
    this.#sizes.length = 0;
    this.#bytes = 0;
  }

  capture() {
    return {
      match: this.match,
      next: this.next,
      mode: this.mode,
      wentBackAtMs: this.#wentBackAtMs,
      window: this.#window,
      probing: this.probing,
      transfer: this.transfer === null ? null : { ...this.transfer },
      certified: this.certified,
      lastHeardMs: this.lastHeardMs,
      commitSent: this.commitSent,
      round: this.round,
      roundSentMs: this.roundSentMs,
      lastIndexes: [...this.#lastIndexes],
      sizes: [...this.#sizes],
      bytes: this.#bytes,
      oldestSentMs: this.oldestSentMs,
    };
  }

  restore(captured: ReturnType<Progress["capture"]>): void {
    this.match = captured.match;
    this.next = captured.next;
    this.mode = captured.mode;
    this.#wentBackAtMs = captured.wentBackAtMs;
    this.#window = captured.window;
    this.probing = captured.probing;
    this.transfer = captured.transfer === null ? null : { ...captured.transfer };
    this.certified = captured.certified;
    this.lastHeardMs = captured.lastHeardMs;
    this.commitSent = captured.commitSent;
    this.round = captured.round;
    this.roundSentMs = captured.roundSentMs;
    this.#lastIndexes = [...captured.lastIndexes];
    this.#sizes = [...captured.sizes];
    this.#bytes = captured.bytes;
    this.oldestSentMs = captured.oldestSentMs;
  }
}
