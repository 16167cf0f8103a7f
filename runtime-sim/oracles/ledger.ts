/**
 * The truth of a run: what was committed first at each index, by whichever honest member said so first. It is updated
 * in one place, before any oracle is called. It remembers a window of the newest entries, so that its memory does not
 * grow with the run.
 */
import type { ApplyResult, Digest, Entry, NodeId } from "../../core/index.ts";
import { type ConditionsView, type Moment, momentText, type NodeView } from "../world/index.ts";

/** Entries that are remembered. A power of two, well above what a follower may lag before it is sent a snapshot. */
export const LEDGER_WINDOW = 8192;
/** Terms of which the last committed entry is remembered. */
const BOUNDARIES_MAX = 64;

/** The last entry that was known to be committed when somebody of `term` said so. */
export interface TermBoundary {
  readonly term: number;
  readonly index: number;
  readonly chain: Digest;
  /** Who knew that, and since when. */
  readonly known: Fact;
}

/** Something that a node came to know or did. */
export interface Fact extends Moment {
  readonly nodeId: NodeId;
}

export function factText(fact: Fact): string {
  return `node ${fact.nodeId} at ${momentText(fact)}`;
}

/** Who first knew an entry to be committed, for messages. */
export function committedText(ledger: Pick<CommittedLedger, "committedFirst">, index: number): string {
  const first = ledger.committedFirst(index);
  return first === null ? "committed before" : `first committed by ${factText(first)}`;
}

/** Who first applied an entry, for messages. */
export function appliedText(ledger: Pick<CommittedLedger, "appliedFirst">, index: number): string {
  const first = ledger.appliedFirst(index);
  return first === null ? "the first node that applied it" : `the first that applied it, ${factText(first)}`;
}

interface Slot extends Fact {
  index: number;
  term: number;
  chain: Digest;
  entry: Entry;
  /** Who first knew it to be committed, and when. */
  nodeId: NodeId;
  event: number;
  atMs: number;
  /** Undefined until somebody has applied it. */
  result: ApplyResult | null | undefined;
  appliedBy: NodeId;
  appliedEvent: number;
  appliedAtMs: number;
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
  readonly #now: Pick<ConditionsView, "events" | "nowUs">;
  readonly #window: number;
  readonly #slots: (Slot | undefined)[] = [];
  readonly #boundaries: TermBoundary[] = [];
  readonly #readers: LedgerReader[] = [];
  #commitIndex = 0;
  #commitChain: Digest | null = null;
  #gaps = 0;

  /** `window`: entries remembered, a power of two. */
  constructor(now: Pick<ConditionsView, "events" | "nowUs">, window: number = LEDGER_WINDOW) {
    this.#now = now;
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

  /** Who first knew the entry to be committed, and when; null where that is not known, or too long ago. */
  committedFirst(index: number): Fact | null {
    return this.#slot(index) ?? null;
  }

  /** Who first applied the entry, and when; null where nobody has, or it is too long ago. */
  appliedFirst(index: number): Fact | null {
    const slot = this.#slot(index);
    if (slot === undefined || slot.result === undefined) return null;
    return { nodeId: slot.appliedBy, event: slot.appliedEvent, atMs: slot.appliedAtMs };
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
      this.#add(entry, node.id);
    }
    this.#commitIndex = commitIndex;
    this.#commitChain = chain;
    this.#mark(node, chain);
  }

  /** Keeps the first result of each entry. */
  record({ id, lastApplied }: Pick<NodeView, "id" | "lastApplied">): void {
    for (const { entry, result } of lastApplied) {
      const slot = this.#slot(entry.index);
      if (slot === undefined || slot.result !== undefined) continue;
      slot.result = result;
      slot.appliedBy = id;
      slot.appliedEvent = this.#now.events;
      slot.appliedAtMs = this.#now.nowUs / 1000;
    }
  }

  #slot(index: number): Slot | undefined {
    const slot = this.#slots[index & (this.#window - 1)];
    return slot !== undefined && slot.index === index ? slot : undefined;
  }

  #add(entry: Entry, nodeId: NodeId): void {
    const event = this.#now.events;
    const atMs = this.#now.nowUs / 1000;
    const at = entry.index & (this.#window - 1);
    const slot = this.#slots[at];
    if (slot === undefined) {
      while (this.#slots.length < at) this.#slots.push(undefined);
      this.#slots[at] = {
        index: entry.index,
        term: entry.term,
        chain: entry.chain,
        entry,
        nodeId,
        event,
        atMs,
        result: undefined,
        appliedBy: 0,
        appliedEvent: 0,
        appliedAtMs: 0,
      };
    } else {
      slot.index = entry.index;
      slot.term = entry.term;
      slot.chain = entry.chain;
      slot.entry = entry;
      slot.nodeId = nodeId;
      slot.event = event;
      slot.atMs = atMs;
      slot.result = undefined;
    }
    for (const reader of this.#readers) reader.committedEntry(entry);
  }

  #skip(node: NodeView, chain: Digest): void {
    this.#gaps += 1;
    this.#commitIndex = node.commitIndex;
    this.#commitChain = chain;
    this.#mark(node, chain);
    for (const reader of this.#readers) reader.skippedTo(node);
  }

  #mark({ id, term, commitIndex: index }: NodeView, chain: Digest): void {
    const known = { nodeId: id, event: this.#now.events, atMs: this.#now.nowUs / 1000 };
    const last = this.#boundaries.at(-1);
    if (last !== undefined && term <= last.term) {
      this.#boundaries[this.#boundaries.length - 1] = { term: last.term, index, chain, known };
      return;
    }
    this.#boundaries.push({ term, index, chain, known });
    if (this.#boundaries.length > BOUNDARIES_MAX) this.#boundaries.shift();
  }
}
