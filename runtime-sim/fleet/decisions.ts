/**
 * By which state a leader decided what it proposed. Whenever it appends, it appends all that it has proposed so far.
 * So whatever is in an entry was decided after the entries of the append before it, in a state that had applied at
 * least as much as the leader had by then.
 */
interface Leading {
  readonly term: number;
  lastIndex: number;
  appliedIndex: number;
}

interface Decided {
  readonly index: number;
  readonly term: number;
  readonly appliedIndex: number;
}

/** The part of a node that tells what it has appended. */
export interface LeaderView {
  readonly term: number;
  readonly appliedIndex: number;
  readonly log: { readonly lastIndex: number };
}

/** Entries that are remembered. */
const WINDOW = 4096;

export class Decisions {
  readonly #leading = new Map<object, Leading>();
  readonly #decided: (Decided | undefined)[] = [];

  /** A leader has made a step. */
  stepped(leader: object, { term, appliedIndex, log: { lastIndex } }: LeaderView): void {
    const before = this.#leading.get(leader);
    if (before?.term !== term) {
      // What it appends first is empty.
      this.#leading.set(leader, { term, lastIndex, appliedIndex });
      return;
    }
    if (lastIndex === before.lastIndex) return;
    for (let index = before.lastIndex + 1; index <= lastIndex; index++) {
      const known = this.#decided[index % WINDOW];
      // A leader that has been deposed may not know it yet.
      if (known?.index === index && known.term > term) continue;
      this.#decided[index % WINDOW] = { index, term, appliedIndex: before.appliedIndex };
    }
    before.lastIndex = lastIndex;
    before.appliedIndex = appliedIndex;
  }

  /** How much the leader had applied at least when it decided on this entry; null: that is not known. */
  appliedBefore(index: number, term: number): number | null {
    const decided = this.#decided[index % WINDOW];
    return decided?.index === index && decided.term === term ? decided.appliedIndex : null;
  }
}
