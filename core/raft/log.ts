/**
 * The log in memory: everything after `base`, the entry that stands for all before it. Nothing is read back from
 * disk, so this is the log; `stableIndex` says how much of it is durable.
 */
import { assert } from "./assert.ts";
import type { RaftEnvironment } from "./environment.ts";
import type { Digest, Entry, EntryKind } from "./records.ts";
import { chainLink } from "./statements.ts";

interface Base {
  readonly index: number;
  readonly term: number;
  readonly chain: Digest;
}

export class RaftLog {
  #base: Base;
  #entries: Entry[] = [];
  #stableIndex: number;
  readonly #environment: Pick<RaftEnvironment, "digest">;

  constructor(environment: Pick<RaftEnvironment, "digest">, base: Base) {
    this.#environment = environment;
    this.#base = { index: base.index, term: base.term, chain: base.chain };
    this.#stableIndex = base.index;
  }

  /** First entry still held. */
  get firstIndex(): number {
    return this.#base.index + 1;
  }

  get lastIndex(): number {
    return this.#base.index + this.#entries.length;
  }

  /** Durable up to here. Never beyond `lastIndex`. */
  get stableIndex(): number {
    return this.#stableIndex;
  }

  get lastTerm(): number {
    return this.#entries[this.#entries.length - 1]?.term ?? this.#base.term;
  }

  get lastChain(): Digest {
    return this.#entries[this.#entries.length - 1]?.chain ?? this.#base.chain;
  }

  /** Null before the base, where it is compacted away, and after the end: a compacted term is unknown, never zero. */
  termAt(index: number): number | null {
    if (index === this.#base.index) return this.#base.term;
    return this.entryAt(index)?.term ?? null;
  }

  chainAt(index: number): Digest | null {
    if (index === this.#base.index) return this.#base.chain;
    return this.entryAt(index)?.chain ?? null;
  }

  entryAt(index: number): Entry | null {
    return this.#entries[index - this.#base.index - 1] ?? null;
  }

  /** Entries from `from` to `to`, both included; both must be held. */
  slice(from: number, to: number): Entry[] {
    assert(from >= this.firstIndex && to <= this.lastIndex, "a slice reaches beyond the log", from, to);
    return this.#entries.slice(from - this.#base.index - 1, to - this.#base.index);
  }

  /** Consecutive entries from `from` on, as many as fit `maxBytes` and `maxEntries`, at least one if there is one. */
  take(from: number, maxBytes: number, maxEntries: number): Entry[] {
    const start = from - this.#base.index - 1;
    const limit = Math.min(this.#entries.length, start + maxEntries);
    let end = start;
    let bytes = 0;
    for (; end < limit; end++) {
      const entry = this.#entries[end];
      if (entry === undefined) break;
      bytes += entry.data.length;
      if (bytes > maxBytes && end > start) break;
    }
    return this.#entries.slice(start, end);
  }

  /** A leader's own new entry. */
  create(term: number, kind: EntryKind, data: Uint8Array): Entry {
    const index = this.lastIndex + 1;
    const entry = {
      index,
      term,
      kind,
      data,
      chain: chainLink(this.#environment, this.lastChain, index, term, kind, data),
    };
    this.#entries.push(entry);
    return entry;
  }

  /** A leader's entry, received. The caller has checked its chain with `follows`. */
  append(entry: Entry): void {
    assert(
      entry.index === this.lastIndex + 1,
      "an entry is appended out of order: its index, the last",
      entry.index,
      this.lastIndex,
    );
    assert(entry.term >= this.lastTerm, "an entry goes back in terms: its term, the last", entry.term, this.lastTerm);
    this.#entries.push(entry);
  }

  /** Whether the entry's chain is the digest over `previous` and the entry. */
  follows(previous: Digest, entry: Entry): boolean {
    return chainLink(this.#environment, previous, entry.index, entry.term, entry.kind, entry.data) === entry.chain;
  }

  /** It is durable up to `index`. */
  stableTo(index: number): void {
    assert(index <= this.lastIndex, "more is durable than there is: it, the last", index, this.lastIndex);
    this.#stableIndex = Math.max(this.#stableIndex, index);
  }

  /** Removes everything after `index`. */
  truncateAfter(index: number): void {
    assert(index >= this.#base.index, "a truncation reaches below the base", index, this.#base.index);
    this.#entries.length = Math.max(0, index - this.#base.index);
    this.#stableIndex = Math.min(this.#stableIndex, index);
  }

  /** Forgets entries up to `index`, which a snapshot stands for. */
  compactTo(index: number): void {
    const entry = this.entryAt(index);
    if (entry === null) return;
    this.#entries.splice(0, index - this.#base.index);
    this.#base = { index, term: entry.term, chain: entry.chain };
  }

  /** Forgets everything: the log now begins after a snapshot from elsewhere. */
  reset(base: Base): void {
    this.#base = { index: base.index, term: base.term, chain: base.chain };
    this.#entries = [];
    this.#stableIndex = base.index;
  }

  /**
   * The largest index at or before `index` whose term is at most `term` (etcd's findConflictByTerm): where two logs
   * may still agree. Never before the base.
   */
  lastAtOrBefore(index: number, term: number): { readonly index: number; readonly term: number } {
    let at = Math.min(index, this.lastIndex);
    while (at > this.#base.index && (this.termAt(at) ?? 0) > term) at--;
    at = Math.max(at, this.#base.index);
    return { index: at, term: this.termAt(at) ?? 0 };
  }

  /**
   * Whether a log ending in (index, term) is at least as complete as this one (paper 5.4.1): lexicographic, the term
   * first.
   */
  isUpToDate(lastIndex: number, lastTerm: number): boolean {
    return lastTerm > this.lastTerm || (lastTerm === this.lastTerm && lastIndex >= this.lastIndex);
  }

  capture() {
    return { base: this.#base, entries: [...this.#entries], stableIndex: this.#stableIndex };
  }

  restore(captured: ReturnType<RaftLog["capture"]>): void {
    this.#base = captured.base;
    this.#entries = [...captured.entries];
    this.#stableIndex = captured.stableIndex;
  }
}
