/**
 * The configurations in the logs of honest members, read from the entries themselves: what a member takes for its
 * configuration is not asked. What lies before a log is known from the committed entries of the run.
 *
 * Where nobody honest ever held the entries before a log, its member is believed once: when it is started, or takes a
 * snapshot over.
 */
import {
  type Configuration,
  type Digest,
  decodeConfigurationRecord,
  type Entry,
  type NodeId,
} from "../../core/index.ts";
import type { NodeView } from "../world/index.ts";
import type { CommittedLedger, LedgerReader } from "./ledger.ts";
import type { Watched } from "./oracle.ts";

/** A configuration and the index of its entry. */
export interface PlacedConfiguration {
  readonly index: number;
  readonly configuration: Configuration;
}

interface InLog extends PlacedConfiguration {
  readonly chain: Digest;
}

/** What one process has. */
interface Reading {
  /** In force where the log begins. */
  base: PlacedConfiguration;
  /** In the log, oldest first. */
  placed: InLog[];
  /** With what a member has joined whose log does not reach that far yet. */
  readonly joinedWith: PlacedConfiguration | null;
}

export class LogConfigurations implements LedgerReader {
  /** Those that are committed, oldest first, from the genesis on. */
  readonly #committed: PlacedConfiguration[] = [];
  /** Since here entries were committed that nobody honest held, and no configuration after them; Infinity: none. */
  #unknownAfter = Number.POSITIVE_INFINITY;
  #commitIndex = 0;
  readonly #readings = new Map<NodeId, Reading>();
  /** Members share most entries, so each is read once. */
  readonly #read = new WeakMap<Entry, InLog>();

  constructor(ledger: CommittedLedger) {
    ledger.subscribe(this);
  }

  committedEntry(entry: Entry): void {
    this.#commitIndex = entry.index;
    if (entry.kind !== "configuration") return;
    this.#committed.push(this.#placedIn(entry));
    this.#unknownAfter = Number.POSITIVE_INFINITY;
  }

  skippedTo({ commitIndex }: NodeView): void {
    this.#unknownAfter = Math.min(this.#unknownAfter, this.#commitIndex);
    this.#commitIndex = commitIndex;
  }

  /** A process has started with what its disk held. */
  booted(node: NodeView): void {
    const { log } = node;
    // The first members all start with a configuration that is in no log.
    if (this.#committed.length === 0 && node.configurationIndex === 0) this.#committed.push(believed(node));
    const base = this.#before(node);
    const placed: InLog[] = [];
    this.#readEntries(node, log.firstIndex, placed);
    const newest = placed.at(-1) ?? base;
    const beyondLog = node.configurationIndex > newest.index && node.configurationIndex > log.lastIndex;
    const joinedWith = beyondLog ? this.#committedAt(node.configurationIndex) : null;
    this.#readings.set(node.id, { base, placed, joinedWith });
  }

  /** The end of a log has changed. */
  logged(watched: Watched, node: NodeView): void {
    const reading = this.#readings.get(node.id);
    if (reading === undefined) return;
    const { log } = node;
    if (log.chainAt(watched.lastIndex) === watched.lastChain) {
      forgetReplaced(reading, watched.commitIndex);
      this.#readEntries(node, watched.lastIndex + 1, reading.placed);
      return;
    }
    // Cut back, or replaced by a snapshot. What was committed here before stays, as far as the log reaches back.
    reading.base = this.#before(node);
    reading.placed = reading.placed.filter(({ index, chain }) => log.entryAt(index)?.chain === chain);
    const from = Math.max(log.firstIndex, watched.commitIndex + 1, (reading.placed.at(-1)?.index ?? 0) + 1);
    this.#readEntries(node, from, reading.placed);
  }

  /** The latest that is known to be committed. */
  get committed(): PlacedConfiguration | null {
    return this.#committed.at(-1) ?? null;
  }

  /** The latest in the log of a member whose process runs; null when there is no such process. */
  latest(id: NodeId): PlacedConfiguration | null {
    return this.upTo(id, Number.POSITIVE_INFINITY);
  }

  /** The latest that it would have if its log ended at `index`. */
  upTo(id: NodeId, index: number): PlacedConfiguration | null {
    const reading = this.#readings.get(id);
    if (reading === undefined) return null;
    const { base, placed, joinedWith } = reading;
    let found = base;
    for (const candidate of placed) if (candidate.index <= index) found = candidate;
    return joinedWith !== null && joinedWith.index > found.index ? joinedWith : found;
  }

  crashed(id: NodeId): void {
    this.#readings.delete(id);
  }

  #readEntries({ log }: NodeView, from: number, placed: InLog[]): void {
    for (let index = from; index <= log.lastIndex; index++) {
      const entry = log.entryAt(index);
      if (entry?.kind === "configuration") placed.push(this.#placedIn(entry));
    }
  }

  #placedIn(entry: Entry): InLog {
    const known = this.#read.get(entry);
    if (known !== undefined) return known;
    const { configuration } = decodeConfigurationRecord(entry.data);
    const placed = { index: entry.index, chain: entry.chain, configuration };
    this.#read.set(entry, placed);
    return placed;
  }

  /** In force just before the log begins: all of that is committed. */
  #before(node: NodeView): PlacedConfiguration {
    return this.#committedAt(node.log.firstIndex - 1) ?? believed(node);
  }

  /** In force at an index up to which everything is committed; null where that is not known. */
  #committedAt(index: number): PlacedConfiguration | null {
    if (index > this.#unknownAfter) return null;
    let found: PlacedConfiguration | null = null;
    for (const candidate of this.#committed) if (candidate.index <= index) found = candidate;
    return found;
  }
}

export function isSameConfiguration(left: Configuration, right: Configuration): boolean {
  if (left === right) return true;
  return (
    isSameList(left.voters, right.voters, isSame) &&
    isSameList(left.outgoing, right.outgoing, isSame) &&
    isSameList(left.learners, right.learners, isSame) &&
    isSameList(left.members, right.members, isSameMember) &&
    isSameList(left.retired, right.retired, isSameMember)
  );
}

type ListedMember = Configuration["members"][number];

const isSame = (left: NodeId, right: NodeId): boolean => left === right;

const isSameMember = (left: ListedMember, right: ListedMember): boolean =>
  left.id === right.id && left.peerId === right.peerId && left.promote === right.promote;

function isSameList<T>(left: readonly T[], right: readonly T[], isEqual: (left: T, right: T) => boolean): boolean {
  if (left.length !== right.length) return false;
  for (const [at, item] of left.entries()) {
    const other = right[at];
    if (other === undefined || !isEqual(item, other)) return false;
  }
  return true;
}

function believed({ configurationIndex, configuration }: NodeView): PlacedConfiguration {
  return { index: configurationIndex, configuration };
}

/** Of those that are committed the newest alone can be in force again. */
function forgetReplaced({ placed }: Reading, commitIndex: number): void {
  let second = placed[1];
  while (second !== undefined && second.index <= commitIndex) {
    placed.shift();
    second = placed[1];
  }
}
