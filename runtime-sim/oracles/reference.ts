/**
 * The replicated state as it must be: the committed entries of the ledger, each applied once, in order, by
 * `applyEntries` from the empty state. Entries are folded in as they are committed, many at a time, and then
 * forgotten.
 */

import {
  type ApplyOutcome,
  type ApplyResult,
  applyEntries,
  type ClusterState,
  type CommandEntry,
  type CountLimits,
  type Entry,
  emptyState,
  encodeSnapshot,
  isReplicated,
  type MembershipEntry,
  replicatedEntry,
} from "../../core/index.ts";
import type { NodeView } from "../world/index.ts";
import type { CommittedLedger, LedgerReader } from "./ledger.ts";

/** Commands that wait before they are folded in together: one producer for all is what makes it cheap. */
const FOLD_ENTRIES = 256;
const COMPARE_CHUNK_BYTES = 64 * 1024;

/** Told of every committed command, in order. */
export type FoldListener = (entry: Entry, result: ApplyResult) => void;

type StateMachine = (
  state: ClusterState,
  entries: readonly (CommandEntry | MembershipEntry)[],
) => ApplyOutcome<ApplyResult | null>;

export class Reference implements LedgerReader {
  #index = 0;
  #state: ClusterState;
  #pending: Entry[] = [];
  /** False from when entries were lost that nobody honest ever held, until a state was taken over. */
  #known = true;
  readonly #listeners: FoldListener[] = [];
  readonly #apply: StateMachine;

  /** `limits`: those of the cluster. `apply`: the state machine. */
  constructor(ledger: CommittedLedger, limits: CountLimits, apply: StateMachine = applyEntries) {
    this.#state = emptyState(limits);
    this.#apply = apply;
    ledger.subscribe(this);
  }

  /** Last entry folded in. */
  get index(): number {
    return this.#index;
  }

  get state(): ClusterState {
    return this.#state;
  }

  onFold(listener: FoldListener): void {
    this.#listeners.push(listener);
  }

  committedEntry(entry: Entry): void {
    this.#pending.push(entry);
    if (this.#pending.length >= FOLD_ENTRIES) this.foldTo(entry.index);
  }

  skippedTo(node: NodeView): void {
    this.#pending = [];
    this.#known = node.appliedIndex === node.commitIndex;
    this.#index = node.commitIndex;
    if (this.#known) this.#state = node.state;
  }

  /** Folds in what is committed up to `index`, included. */
  foldTo(index: number): void {
    let count = 0;
    while (count < this.#pending.length && (this.#pending[count]?.index ?? 0) <= index) count += 1;
    if (count === 0) return;
    const folded = this.#pending.slice(0, count);
    this.#pending = this.#pending.slice(count);
    this.#index = folded.at(-1)?.index ?? this.#index;
    if (!this.#known) return;
    const replicated = folded.filter(isReplicated);
    if (replicated.length === 0) return;
    const { state, results } = this.#apply(this.#state, replicated.map(replicatedEntry));
    this.#state = state;
    replicated.forEach((entry, at) => {
      const result = results[at];
      if (result === undefined) throw new RangeError(`applyEntries gave no result for entry ${entry.index}`);
      if (result === null) return;
      for (const listener of this.#listeners) listener(entry, result);
    });
  }

  /** Whether `state`, reached after exactly `index`, is what it must be; null when that cannot be told any more. */
  agrees(index: number, state: ClusterState): boolean | null {
    this.foldTo(index);
    if (!this.#known || this.#index !== index) return null;
    return isSameState(this.#state, state);
  }
}

/** By their canonical bytes, unless they are equal part by part already. Costs as much as the states are large. */
export function isSameState(left: ClusterState, right: ClusterState): boolean {
  return isEqual(left, right) || isSameInBytes(left, right);
}

function isSameInBytes(left: ClusterState, right: ClusterState): boolean {
  const ours = encodeSnapshot(left, COMPARE_CHUNK_BYTES);
  const theirs = encodeSnapshot(right, COMPARE_CHUNK_BYTES);
  while (true) {
    const our = ours.next();
    const their = theirs.next();
    if (our.done === true || their.done === true) return our.done === their.done;
    if (our.value.length !== their.value.length) return false;
    for (let at = 0; at < our.value.length; at++) if (our.value[at] !== their.value[at]) return false;
  }
}

/**
 * Whether two plain values are equal in every part: then their bytes are equal too. Replicas share much of what they
 * have decoded, and shared parts need not be compared.
 */
function isEqual(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false;
  if (Array.isArray(left)) return Array.isArray(right) && isEqualList(left, right);
  if (left instanceof Map) {
    if (!(right instanceof Map) || left.size !== right.size) return false;
    for (const [key, part] of left) if (!isEqual(part, right.get(key))) return false;
    return true;
  }
  if (!isRecord(left) || !isRecord(right)) return false;
  const names = Object.keys(left);
  return names.length === Object.keys(right).length && names.every((name) => isEqual(left[name], right[name]));
}

/** Most parts of a table are the same empty one. */
function isEqualList(left: readonly unknown[], right: readonly unknown[]): boolean {
  if (left.length !== right.length) return false;
  for (let at = 0; at < left.length; at++) {
    const isRepeated = at > 0 && left[at] === left[at - 1] && right[at] === right[at - 1];
    if (!isRepeated && !isEqual(left[at], right[at])) return false;
  }
  return true;
}

function isRecord(value: object): value is Readonly<Record<string, unknown>> {
  return Object.getPrototypeOf(value) === Object.prototype;
}
