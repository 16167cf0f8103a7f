/**
 * The truth of a run: what was committed first at each index, by whichever honest member said so first. It is updated
 * in one place, before any oracle is called. It remembers a window of the newest entries, so that its memory does not
 * grow with the run.
 */
import type { ApplyResult, Digest, Entry } from "../../core/index.ts";
import type { AppliedEntry, NodeView } from "../world/index.ts";

/** Entries that are remembered. A power of two, well above what a follower may lag before it is sent a snapshot. */
export const LEDGER_WINDOW = 8192;
/** Terms of which the last committed entry is remembered. */
const BOUNDARIES_MAX = 64;

/** The last entry that was known to be committed when somebody of `term` said so. */
export interface TermBoundary {
  readonly term: number;
  readonly index: number;
  readonly chain: Digest;
}

interface Slot {
  index: number;
  term: number;
  chain: Digest;
  entry: Entry;
  /** Undefined until somebody has applied it. */
  result: ApplyResult | null | undefined;
}

/** Who is told of each newly committed entry, in order of the indexes. */
export interface LedgerReader {
  committedEntry(entry: Entry): void;
  /**
   * Entries before `node.commitIndex` were committed without any honest host holding them any more: they are unknown.
   */
  skippedTo(node: NodeView): void;
}

export class CommittedLedger {
  readonly #window: number;
  readonly #slots: (Slot | undefined)[] = [];
  readonly #boundaries: TermBoundary[] = [];
  readonly #readers: LedgerReader[] = [];
  #commitIndex = 0;
  #commitChain: Digest | null = null;
  #gaps = 0;

  /** `window`: entries remembered, a power of two. */
  constructor(window: number = LEDGER_WINDOW) {
    this.#window = window;
  }

  /** The highest index that an honest host has known to be committed. */
  get commitIndex(): number {
    return this.#commitIndex;
  }

  /** The chain at `commitIndex`; null before anything was seen. */
  get commitChain(): Digest | null {
    return this.#commitChain;
  }

  /** Times that entries were committed and compacted before an honest host said so. */
  get gaps(): number {
    return this.#gaps;
  }

  subscribe(reader: LedgerReader): void {
    this.#readers.push(reader);
  }

  termAt(index: number): number | null {
    return this.#slot(index)?.term ?? null;
  }

  /** Null when nothing is known to be committed there, or it is older than the window. */
  chainAt(index: number): Digest | null {
    if (index === this.#commitIndex) return this.#commitChain;
    return this.#slot(index)?.chain ?? null;
  }

  entryAt(index: number): Entry | null {
    return this.#slot(index)?.entry ?? null;
  }

  /** What the first host that applied the entry got; undefined when nobody has, or it is older than the window. */
  resultAt(index: number): ApplyResult | null | undefined {
    return this.#slot(index)?.result;
  }

  /** The last entry known to be committed when nobody had yet said so in `term` or a later one. */
  boundaryBefore(term: number): TermBoundary | null {
    for (let at = this.#boundaries.length - 1; at >= 0; at--) {
      const boundary = this.#boundaries[at];
      if (boundary !== undefined && boundary.term < term) return boundary;
    }
    return null;
  }

  /**
   * Takes over what `node` knows to be committed beyond what is known here. A node with another history adds nothing.
   */
  feed(node: NodeView): void {
    const log = node.log;
    const commitIndex = node.commitIndex;
    const known = this.#commitIndex;
    if (commitIndex < known || (commitIndex === known && this.#commitChain !== null)) return;
    const chainBefore = log.chainAt(known);
    if (this.#commitChain !== null && chainBefore !== null && chainBefore !== this.#commitChain) return;
    const chain = log.chainAt(commitIndex);
    if (chain === null) return;
    for (let index = known + 1; index <= commitIndex; index++) {
      const entry = log.entryAt(index);
      if (entry === null) {
        this.#skip(node, chain);
        return;
      }
      this.#add(entry);
    }
    this.#commitIndex = commitIndex;
    this.#commitChain = chain;
    this.#mark(node.term, commitIndex, chain);
  }

  /** Keeps the first result of each entry. */
  record(applied: readonly AppliedEntry[]): void {
    for (const { entry, result } of applied) {
      const slot = this.#slot(entry.index);
      if (slot !== undefined && slot.result === undefined) slot.result = result;
    }
  }

  #slot(index: number): Slot | undefined {
    const slot = this.#slots[index & (this.#window - 1)];
    return slot !== undefined && slot.index === index ? slot : undefined;
  }

  #add(entry: Entry): void {
    const at = entry.index & (this.#window - 1);
    const slot = this.#slots[at];
    if (slot === undefined) {
      while (this.#slots.length < at) this.#slots.push(undefined);
      this.#slots[at] = { index: entry.index, term: entry.term, chain: entry.chain, entry, result: undefined };
    } else {
      slot.index = entry.index;
      slot.term = entry.term;
      slot.chain = entry.chain;
      slot.entry = entry;
      slot.result = undefined;
    }
    for (const reader of this.#readers) reader.committedEntry(entry);
  }

  #skip(node: NodeView, chain: Digest): void {
    this.#gaps += 1;
    this.#commitIndex = node.commitIndex;
    this.#commitChain = chain;
    this.#mark(node.term, node.commitIndex, chain);
    for (const reader of this.#readers) reader.skippedTo(node);
  }

  #mark(term: number, index: number, chain: Digest): void {
    const last = this.#boundaries.at(-1);
    if (last !== undefined && term <= last.term) {
      this.#boundaries[this.#boundaries.length - 1] = { term: last.term, index, chain };
      return;
    }
    this.#boundaries.push({ term, index, chain });
    if (this.#boundaries.length > BOUNDARIES_MAX) this.#boundaries.shift();
  }
}
